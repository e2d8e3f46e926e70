"""Checks what `make dist` built: it is whole, and works where nothing else is.

    python -m tools.check_dist dist

The wheel is installed into an empty environment, away from the checkout, and audits the example there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

__all__ = ["audited_in_an_empty_environment", "main", "missing_in"]

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "train_translation.py"
IN_WHEEL = ("fxaudit/py.typed", "fxaudit/schema.json", "fxaudit/cli/commands.py")
IN_SDIST = (
    "LICENSE README.md CHANGELOG.md Makefile constraints.txt pyproject.toml hatch_build.py mkdocs.yml docs/index.md "
    "examples/train_translation.py tests/test_readme.py tools/check_dist.py reports/train_translation.json"
).split()
FOUND_SOMETHING = 1


def missing_in(folder: Path) -> list[str]:
    """What the wheel and the sdist in `folder` lack, and links of their description that lead nowhere."""
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (about,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        description = archive.read(about).decode("utf-8")
    lacking = [f"{wheel.name} lacks {name}" for name in IN_WHEEL if name not in names]
    if not any(name.endswith("/licenses/LICENSE") for name in names):
        lacking.append(f"{wheel.name} lacks the licence")
    with tarfile.open(sdist) as packed:
        within = {name.partition("/")[2] for name in packed.getnames()}
    lacking += [f"{sdist.name} lacks {name}" for name in IN_SDIST if name not in within]
    dead = re.findall(r"\]\((?!https?:|#)([^)]+)\)", re.sub(r"^```.*?^```$", "", description, flags=re.S | re.M))
    return lacking + [f"the description links to {target}" for target in dead]


def audited_in_an_empty_environment(wheel: Path) -> None:
    """Install `wheel` where nothing else is, and audit the example.

    Raises:
        RuntimeError: It did not find the defect, or wrote no page.
    """
    torch = next(
        line for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if line.startswith("torch=")
    )
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "environment")
        venv.create(home, with_pip=True)
        bin_ = home / ("Scripts" if os.name == "nt" else "bin")
        for wanted in (torch, str(wheel.resolve())):
            subprocess.run([bin_ / "python", "-m", "pip", "install", "--quiet", wanted], check=True, cwd=folder)
        shutil.copy(EXAMPLE, folder)
        plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        call = [bin_ / "fxaudit", "run", "--format", "brief", "-o", "audit.html", EXAMPLE.name]
        ended = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False, env=plain)
        page = Path(folder, "audit.html")
        if ended.returncode != FOUND_SOMETHING or "error[FXA104]" not in ended.stdout or not page.is_file():
            raise RuntimeError(f"fxaudit ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
        print(ended.stdout.splitlines()[0])


def main(folder: str = "dist") -> int:
    """Check the folder; 1 where something is missing."""
    lacking = missing_in(Path(folder))
    for sentence in lacking:
        print(sentence, file=sys.stderr)
    if lacking:
        return 1
    (wheel,) = Path(folder).glob("*.whl")
    audited_in_an_empty_environment(wheel)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
