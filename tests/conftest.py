"""Fixtures that every room's tests share, and what is known of the slow ones: first, and marked."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

# Read when torch is first imported: with one test process per core, more threads would only stand in the way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples in every run: a test that fails here fails everywhere, and more of them find nothing new.
settings.register_profile(
    "fixed", derandomize=True, deadline=None, database=None, print_blob=True, max_examples=50
)
settings.load_profile("fixed")

# rich and typer read these when they are imported; tests do not depend on the terminal of whoever runs them.
for name in ("FORCE_COLOR", "NO_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "COLUMNS", "LINES", "TERMINAL_WIDTH"):
    os.environ.pop(name, None)

# What a test measures must not depend on, or stay in, the cache of whoever runs the tests. Several processes
# share one: what a network takes in memory is measured once.
if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["RESTORECLI_CACHE"] = tempfile.mkdtemp(prefix="restorecli-cache-")

SLOW = 4.0
"""Seconds of processor time from which on a test has the mark `slow`."""

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real images: RESTORECLI_DATA, else ../shared/data beside the checkout."""
    folder = Path(os.environ.get("RESTORECLI_DATA", CHECKOUT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the real images are not here: {folder} (set RESTORECLI_DATA)")
    return folder


@pytest.fixture(scope="session")
def reference_folder(data_folder: Path) -> Path:
    """What other libraries return for fixed pairs, beside the data folder."""
    folder = data_folder.parent / "reference"
    if not folder.is_dir():
        pytest.skip(f"the reference values are not here: {folder}")
    return folder


def pytest_addoption(parser):
    parser.addoption(
        "--check-slow",
        action="store_true",
        help=f"list the tests over {SLOW:g} s of processor time without the mark `slow`, and fail if any",
    )


def pytest_collection_modifyitems(items):
    """Among several processes the slow tests come first, so that none is waited for at the end."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    """Its first user pays for a fixture, so the setup counts."""
    return (yield from timed(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    return (yield from timed(item))


def timed(item):
    """Note the processor time of this process and of those that it waited for: other load does not count."""
    before = sum(os.times()[:4])
    try:
        return (yield)
    finally:
        item.user_properties.append(("processor seconds", sum(os.times()[:4]) - before))


def slow_without_mark(config):
    """Return (seconds, test) of every test that should have the mark `slow`, the slowest first."""
    reports = [
        report
        for reports in config.pluginmanager.get_plugin("terminalreporter").stats.values()
        for report in reports
        if getattr(report, "when", "") == "call" and "slow" not in report.keywords
    ]
    taken = [
        (sum(value for name, value in report.user_properties if name == "processor seconds"), report.nodeid)
        for report in reports
    ]
    return sorted(((seconds, test) for seconds, test in taken if seconds > SLOW), reverse=True)


def pytest_sessionfinish(session):
    config = session.config
    if config.getoption("--check-slow") and not hasattr(config, "workerinput") and slow_without_mark(config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    if config.getoption("--check-slow"):
        terminalreporter.section(f"over {SLOW:g} s of processor time, without @pytest.mark.slow")
        for seconds, test in slow_without_mark(config):
            terminalreporter.line(f"{seconds:6.1f} s  {test}")
