"""Where torch is not installed: what needs none works, and everything else says in one line what is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages import ROOT


def without_torch(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`fxaudit words` in `folder`, where `import torch` fails as it does when it is not there."""
    hidden = folder / "hidden"
    hidden.mkdir(exist_ok=True)
    text = "raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n"
    (hidden / "torch.py").write_text(text, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(hidden), str(ROOT)])}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


COMMAND = ("-m", "fxaudit")
REPORT = str(ROOT / "reports" / "train_translation.json")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("rules",), "FXA104  error    detached-path"),
        (("explain", "detached-path"), "# FXA104 detached-path"),
        (("render", "--format", "brief", REPORT), "error[FXA104] detached-path"),
        (("render", "-o", "out.html", "-o", "out.svg", REPORT), ""),
        (("diff", REPORT, REPORT), "No verdict and no cause changed."),
        (("config",), "fail-on   error  (default)"),
        (("--version",), "fxaudit "),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_needs_none_works(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    ended = without_torch(tmp_path, *COMMAND, *words)
    assert ended.returncode == 0, ended.stderr
    assert says in ended.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("run", "train.py"),
        ("check", "train.py:make"),
        ("check", "train.py:make", "b.py:make"),
        ("trace", "train.py:Net"),
    ],
)
def test_what_needs_it_says_so_in_one_line(words: tuple[str, ...], tmp_path: Path) -> None:
    for name in ("train.py", "b.py"):
        (tmp_path / name).write_text("import torch\n", encoding="utf-8")
    ended = without_torch(tmp_path, *COMMAND, *words)
    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("fxaudit: error: this command needs PyTorch. It is not installed for this Python. Expected:")


def test_the_package_says_so_too(tmp_path: Path) -> None:
    ended = without_torch(tmp_path, "-c", "import fxaudit; fxaudit.explain('FXA104'); fxaudit.Report; fxaudit.audit")
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("fxaudit.errors.MissingLibraryError: fxaudit.audit needs PyTorch. It is not installed for")
