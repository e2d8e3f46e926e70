"""Installs the other tools, asks each about every program, and writes docs/comparison.md.

    python -m benchmarks.compared            # all of it, some ten minutes
    python -m benchmarks.compared --written  # the page anew from the last answers

The tools go into an environment of their own, `.compared/` in the checkout, that also sees the packages of this one:
the same torch for all.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.compared.programs import FAULTS, HEALTHY, Fault

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".compared"
PAGE = ROOT / "docs" / "comparison.md"
NOTICE = "<!-- Written by benchmarks/compared from what each tool says. -->"
TOOLS = {
    "fxaudit run": None,
    "fxaudit.audit": None,
    "PyTorch itself": None,
    "anomaly mode": None,
    "DistributedDataParallel": None,
    "torchviz": "torchviz",
    "torchtest": "torchtest",
    "torchtest2": "torchtest2",
    "pytest-torch": "pytest-torch",
    "guardtower": "guardtower",
    "torch-audit": "torch-audit",
}
"""Tool → what pip installs for it."""
Answers = dict[str, dict[str, Any]]
SIGNS = {
    (False, False, False): "·",
    (True, False, False): "○",
    (True, True, False): "◐",
    (True, False, True): "◑",
    (True, True, True): "●",
}


def python() -> str:
    """The Python of the environment, made if need be."""
    inside = HOME / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not inside.exists():
        venv.create(HOME, with_pip=True)
        (ours,) = HOME.glob("lib/python*/site-packages")
        (ours / "zz_main.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return str(inside)


def ask(tool: str, package: str | None) -> dict[str, Any]:
    """What a tool says, its version, and why it says nothing where it could not be had."""
    if package is not None:
        install = [python(), "-m", "pip", "install", "--quiet", "-c", str(ROOT / "constraints.txt"), package]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            return {"version": "", "missing": done.stderr.strip().splitlines()[-1:], "answers": {}}
    file = HOME / "answers.part"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    call = [python(), "-W", "ignore", "-m", "benchmarks.compared.rivals", tool, str(file)]
    subprocess.run(call, check=True, cwd=ROOT, env=environment)
    return {
        "version": version(package or ("fxaudit" if "fxaudit" in tool else "torch")),
        "missing": [],
        "answers": json.loads(file.read_text(encoding="utf-8")),
    }


def version(package: str) -> str:
    """The version that the environment has of a package."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.run([python(), "-c", code], capture_output=True, text=True, check=False).stdout.strip()


@dataclass(frozen=True)
class Score:
    """How far a tool gets with a fault."""

    flagged: bool = False
    cause: bool = False
    line: bool = False

    def sign(self) -> str:
        """The score as one character."""
        return SIGNS[(self.flagged, self.cause, self.line)]


def score(fault: Fault, answers: Answers) -> Score:
    """Whether it says something that it does not say of the healthy program, names the cause, and the line.

    A sentence that it also says, but for names and numbers, of a program with another cause names no cause; nor does a
    line of the program that is merely quoted.
    """
    said = answers[fault.name]
    fresh = [line for line in _lines(said["text"]) if line not in set(_lines(answers["healthy"]["text"]))]
    if not said["alarm"] or not fresh:
        return Score()
    others = {
        _masked(line) for other in FAULTS if other.words != fault.words for line in _lines(answers[other.name]["text"])
    }
    own = {line.strip() for line in fault.text().splitlines() if line.strip()}
    telling = [line for line in fresh if _masked(line) not in others and not any(one in line for one in own)]
    cause = any(re.search(fault.words, line, flags=re.IGNORECASE) for line in telling)
    place = rf"train\.py(:|\", line ){fault.line()}\b"
    return Score(True, cause, any(re.search(place, line) for line in fresh))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _masked(line: str) -> str:
    """A line without the names and numbers in it, so that the same sentence about another layer is the same."""
    return re.sub(r"\b(encoder|middle|head)\b|\d+", "#", line)


def page(asked: dict[str, dict[str, Any]]) -> str:
    """The page, from the answers of all tools."""
    here = {tool: found for tool, found in asked.items() if found["answers"]}
    scores = {tool: [score(fault, found["answers"]) for fault in FAULTS] for tool, found in here.items()}
    lines = [NOTICE, "", INTRODUCTION, "", f"| tool | version | flagged | cause | line | {ALARM} |", ROW]
    for tool, found in asked.items():
        if tool not in here:
            lines.append(f"| {tool} | – | could not be installed: {' '.join(found['missing'])} | | | |")
            continue
        counts = [sum(getattr(one, what) for one in scores[tool]) for what in ("flagged", "cause", "line")]
        alarm = "yes" if found["answers"]["healthy"]["alarm"] else "no"
        lines.append(f"| {tool} | {found['version']} | {' | '.join(map(str, counts))} | {alarm} |")
    lines += [
        "",
        MEANING,
        "",
        "## Fault by fault",
        "",
        "● cause and line, ◐ the cause, ◑ the line, ○ flagged, · nothing.",
        "",
    ]
    lines += ["| the fault | " + " | ".join(here) + " |", "| --- |" + " :-: |" * len(here)]
    for number, fault in enumerate(FAULTS):
        lines.append(f"| {fault.name} | " + " | ".join(scores[tool][number].sign() for tool in here) + " |")
    return "\n".join([*lines, "", OTHERS.replace("PROGRAM", HEALTHY.strip()), ""])


INTRODUCTION = f"""# Comparison

{len(FAULTS)} small faults, each planted into the same training script of 30 lines, and what is said of it by fxaudit,
by PyTorch itself and by the tools that pip can install for this. Each is used as its own documentation says, on the
same torch; `make compare` installs them and measures anew, `benchmarks/compared/rivals.py` has the call that each gets.

- **flagged**: it says something of the broken program that it does not say of the healthy one.
- **cause**: what it says names the cause: not a list of what it might be, nor a sentence that it says of other causes.
- **line**: it names the line to edit."""
ALARM = "alarm on the healthy program"
ROW = "| --- | --- | ---: | ---: | ---: | --- |"
MEANING = """The faults were chosen here, among those that people ask about, so fxaudit has the home match. Most of the
other tools test one batch: what is wrong with the loop around it (a missing step, gradients that are cleared too early)
they cannot see, and do not claim to; `fxaudit.audit` is in the same position. They look for much that fxaudit does not:
leaks between the samples of a batch, wrong devices, shapes and ranges, numerics, exports. torchviz draws, and a reader
has to notice that a parameter is missing from the picture; that is counted as if everybody did."""
OTHERS = """## What is not in the table

- **torchlens** records and draws everything that a forward computes, with its gradients; it was not asked, since it has
  no check for this that could be counted.
- **TrainCheck** infers what a healthy run keeps to, and checks another run against that; it was not asked, since it
  wants a reference run of the program that is known to be right.

## The program

```python
PROGRAM
```"""


def main(*arguments: str) -> None:
    """Ask, and write the page."""
    HOME.mkdir(exist_ok=True)
    kept = HOME / "answers.json"
    if "--written" not in arguments:
        asked = {}
        for tool, package in TOOLS.items():
            print(tool, flush=True)
            asked[tool] = ask(tool, package)
        kept.write_text(json.dumps(asked, indent=1), encoding="utf-8")
    PAGE.write_text(page(json.loads(kept.read_text(encoding="utf-8"))), encoding="utf-8")
    print(PAGE.relative_to(ROOT).as_posix())


if __name__ == "__main__":
    main(*sys.argv[1:])
