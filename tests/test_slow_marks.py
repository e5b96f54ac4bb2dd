"""`pytest --check-slow` finds the tests that lack the mark, in one process and in several."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOY = """
import subprocess, sys, time
import pytest

def burn():
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass

def test_quick():
    time.sleep(0.4)

def test_burns():
    burn()

def test_waits_for_a_process_that_burns():
    subprocess.run([sys.executable, "-c", "import time\\nwhile time.process_time() < 0.2: pass"], check=True)

@pytest.fixture
def dear():
    burn()

def test_with_a_dear_fixture(dear):
    pass

@pytest.mark.slow
def test_marked():
    burn()
"""
UNMARKED = {"test_burns", "test_waits_for_a_process_that_burns", "test_with_a_dear_fixture"}


@pytest.mark.parametrize("processes", [[], ["-n", "2"]], ids=["one", "two"])
def test_tests_over_the_limit_without_the_mark_are_listed(tmp_path, processes):
    conftest = Path(__file__).with_name("conftest.py")
    (tmp_path / "conftest.py").write_text(conftest.read_text().replace("SLOW = 4.0", "SLOW = 0.12"))
    (tmp_path / "test_toy.py").write_text(TOY)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = slow: takes long\n")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *processes]
    run = subprocess.run([*words, "--check-slow"], cwd=tmp_path, capture_output=True, text=True)
    listed = {line.rpartition("::")[2] for line in run.stdout.splitlines() if " s  test_toy.py::" in line}
    assert (run.returncode, listed) == (1, UNMARKED), run.stdout
    if processes:
        return
    shutil.copy(conftest, tmp_path)
    assert subprocess.run([*words, "--check-slow"], cwd=tmp_path, capture_output=True).returncode == 0
