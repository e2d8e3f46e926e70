"""Runs a chosen set of tests on other versions of Python, in environments `.venv-3.12` and so on.

`python -m tools.versions 3.12 3.13` looks for each interpreter on the path and among those of pyenv, and says so where
there is none. `--cpu` leaves out those for which pip finds no build of torch for the CPU: others are gigabytes. Needs
nothing but the standard library and pip. Ends with 1 where a test failed, and only then: what cannot be had here is
left out, with a line.
"""

from __future__ import annotations

import argparse
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = (
    "tests/capture/test_course.py",
    "tests/capture/test_lines.py",
    "tests/capture/test_names.py",
    "tests/test_births.py",
    "tests/test_later_fits.py",
    "tests/test_life.py",
    "tests/test_origins.py",
    "tests/test_recorded_course.py",
    "tests/test_source.py",
)
"""What depends on how Python tells of lines, frames and text."""
FREE_BYTES = 12 << 30
"""torch alone is large where no build for the CPU is to be had."""
SECONDS = 1200


class LeftOutError(Exception):
    """A version that cannot be tried here."""


def interpreter(version: str) -> str:
    """The interpreter of that version: on the path, or pyenv's."""
    pyenv = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    on_path = shutil.which(f"python{version}")
    for python in (*([on_path] if on_path else []), *sorted(glob.glob(f"{pyenv}/versions/{version}.*/bin/python"))):
        asked = [python, "-c", "import sys; print(*sys.version_info[:2], sep='.')"]
        answer = subprocess.run(asked, capture_output=True, text=True, check=False)
        if answer.returncode == 0 and answer.stdout.strip() == version:
            return python
    raise LeftOutError("there is no such interpreter here")


def pinned_torch() -> str:
    """The release of torch that the project is developed with, as pip is asked for it."""
    found = re.search(r"^torch==\S+", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    return found[0] if found else "torch"


def need_cpu_build(version: str) -> None:
    """Ask pip for torch on that version without installing it.

    Raises:
        LeftOutError: It finds none, or one that brings CUDA.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        asked = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        asked += ["--dry-run", "--ignore-installed", "--only-binary", ":all:", "--python-version", version]
        asked += ["--target", folder, "--report", str(report), pinned_torch()]
        try:
            answer = subprocess.run(asked, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise LeftOutError("pip took too long to say which torch there is") from None
        if answer.returncode:
            raise LeftOutError("pip finds no torch for it")
        (found,) = json.loads(report.read_text(encoding="utf-8"))["install"]
    if any("cuda" in name or "nvidia" in name for name in found["metadata"].get("requires_dist", [])):
        raise LeftOutError("pip finds no torch for the CPU")


def environment(version: str, python: str) -> str:
    """The interpreter of an environment that has what the tests need."""
    folder = ROOT / f".venv-{version}"
    own, stamp = folder / "bin" / "python", folder / "installed"
    files = [ROOT / "pyproject.toml", ROOT / "constraints.txt"]
    if stamp.exists() and stamp.stat().st_mtime > max(file.stat().st_mtime for file in files):
        return str(own)
    if shutil.disk_usage(ROOT).free < FREE_BYTES:
        raise LeftOutError(f"less than {FREE_BYTES >> 30} GiB are free")
    pip = [str(own), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    steps = [[python, "-m", "venv", str(folder)], [*pip, pinned_torch()]]
    steps.append([*pip, "--constraint", "constraints.txt", "--editable", ".[test]"])
    for step in steps:
        try:
            made = subprocess.run(step, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise LeftOutError("its environment took too long to make") from None
        if made.returncode:
            last = (made.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise LeftOutError(f"its environment could not be made: {last}")
    stamp.touch()
    return str(own)


def passes(version: str, *, cpu: bool) -> bool:
    """Whether the tests pass on that version, or cannot be tried."""
    try:
        found = interpreter(version)
        if cpu:
            need_cpu_build(version)
        python = environment(version, found)
    except LeftOutError as why:
        print(f"Python {version}: left out, {why}.", flush=True)
        return True
    print(f"Python {version}:", flush=True)
    given = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--numprocesses=2", *TESTS]
    return subprocess.run(command, cwd=ROOT, env=given, check=False).returncode == 0


def main() -> int:
    """Try each; 1 where a test failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("versions", nargs="+", metavar="VERSION", help="such as 3.12")
    parser.add_argument("--cpu", action="store_true", help="leave out those for which there is no torch for the CPU")
    given = parser.parse_args()
    return 0 if all([passes(version, cpu=given.cpu) for version in given.versions]) else 1


if __name__ == "__main__":
    raise SystemExit(main())
