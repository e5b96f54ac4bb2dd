"""Shell completion offers names without importing torch."""

import os
import subprocess
import sys

import pytest

from restorecli.cli import completion


def complete(line: str, shell: str = "bash") -> str:
    """Return what a shell would be offered at the end of a line."""
    words = f"{line}|".split()
    environment = {
        **os.environ,
        "_RESTORECLI_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
    }
    command = [sys.executable, "-m", "restorecli"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("restorecli deg", "degrade"),
        ("restorecli degrade --noise gaussian-b", "gaussian-blur"),
        ("restorecli train sca-unet-g", "sca-unet-gaussian"),
        ("restorecli recipes dncnn-gray", "dncnn-gray-blind"),
        ("restorecli restore x --precision b", "bf16"),
        ("restorecli eval --protocol y-m", "y-matlab"),
        ("restorecli eval --metrics psnr,gm", "psnr,gmsd"),
        ("restorecli eval --by category,sev", "category,severity"),
    ],
)
def test_names_are_offered(line, offered, shell) -> None:
    assert offered in complete(line, shell)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_the_script_for_each_shell_is_there(shell) -> None:
    environment = {**os.environ, "_RESTORECLI_COMPLETE": f"source_{shell}"}
    command = [sys.executable, "-m", "restorecli"]
    text = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert "RESTORECLI_COMPLETE" in text


def test_completion_never_imports_torch_nor_begins_with_what_prints() -> None:
    program = (
        "import sys; import restorecli.cli.app; print('rich.console' in sys.modules, 'json' in sys.modules); "
        "from restorecli.cli import completion as c; "
        "c.degradations(''), c.models(''), c.recipes(''); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\nFalse\n"


def test_models_are_offered_with_and_without_their_tag() -> None:
    offered = completion.models("")
    assert all(name.partition(".")[0] in offered for name in offered)
    assert completion.models("no-such") == []
