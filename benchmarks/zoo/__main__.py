"""Measures the models of all libraries, and writes reports/zoo.md.

    python -m benchmarks.zoo                   # install the libraries, measure, write the page
    python -m benchmarks.zoo --here timm       # with the libraries of this environment; --only WORD, --every N
    python -m benchmarks.zoo --written F.json  # the page anew from what an earlier run wrote with --json

The environment has a torch of its own, the newest that torchvision is built for. `--every N` measures each N-th model,
and `--tracers N` lets torch.fx and torch.export follow each N-th of those; the page says how many were measured.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import venv
from collections import Counter
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.zoo.builders import LIBRARIES, models_of
from benchmarks.zoo.measure import Measured, apart

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".zoo"
PAGE = ROOT / "reports" / "zoo.md"
PACKAGES = (
    "torchvision", "timm", "transformers", "x-transformers", "vit-pytorch", "segmentation-models-pytorch", "monai",
    "open_clip_torch", "diffusers", "torch_geometric",
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("libraries", nargs="*", help=f"of {', '.join(LIBRARIES)}; all, where none is named")
    parser.add_argument("--here", action="store_true", help="install nothing")
    parser.add_argument("--only", default="", help="models with this in their name")
    parser.add_argument("--every", type=int, default=1, help="each N-th model only")
    parser.add_argument("--seconds", type=int, default=120, help="for one model")
    parser.add_argument("--tracers", type=int, default=5, help="torch.fx and torch.export on each N-th; 0: on none")
    parser.add_argument("--json", type=Path, help="write what came of each model")
    parser.add_argument("--written", type=Path, help="measure nothing: write the page from this file")
    given = parser.parse_args()
    if given.written:
        kept = json.loads(given.written.read_text(encoding="utf-8"))
        models = {name: [Measured(**one) for one in rows] for name, rows in kept["models"].items()}
        PAGE.write_text(page(models, kept["every"], kept["versions"]), encoding="utf-8")
        return 0
    if not given.here:
        rest = [*sys.argv[1:], "--here"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        return subprocess.run([_installed(), "-m", "benchmarks.zoo", *rest], cwd=ROOT, env=environment).returncode
    found: dict[str, list[Measured]] = {}
    for library in given.libraries or LIBRARIES:
        names = sorted(pair for pair in models_of(library).items() if given.only in pair[0])
        for number, (name, build) in enumerate(names[:: given.every]):
            tracers = given.tracers > 0 and number % given.tracers == 0
            one = apart(name, build, tracers, given.seconds, gigabytes=24)
            found.setdefault(library, []).append(one)
            print(library, one.name, _said(one), flush=True)
            if given.json:
                rows = {name: [asdict(one) for one in models] for name, models in found.items()}
                kept = {"every": given.every, "versions": _versions(), "models": rows}
                given.json.write_text(json.dumps(kept, indent=1))
    if not given.libraries and not given.only:
        PAGE.write_text(page(found, given.every, _versions()), encoding="utf-8")
    return 0


def _versions() -> list[str]:
    """What the models come from, and the torch they run on."""
    found = []
    for package in ("torch", *PACKAGES):
        with contextlib.suppress(PackageNotFoundError):
            found.append(f"{package} {version(package)}")
    return found


def _installed() -> str:
    """The Python of an environment with the libraries; torch is what torchvision needs, not the one of the tests."""
    inside = HOME / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not inside.exists():
        venv.create(HOME, with_pip=True)
        subprocess.run([str(inside), "-m", "pip", "install", "--quiet", *PACKAGES, str(ROOT)], check=True)
    return str(inside)


def _said(one: Measured) -> str:
    if one.problem:
        return f"– {one.problem}"
    parts = [f"audit {one.audit}", f"trace {one.trace} {one.complete.get('fxaudit', '?') or 'complete'}"]
    return "; ".join([*parts, *one.crashed, *one.wrong[:3], *one.alarms[:3], *one.trace_alarms[:3]])


def page(found: dict[str, list[Measured]], every: int, versions: list[str]) -> str:
    """The page, from what came of all models."""
    which = "All models" if every == 1 else f"Every {every}. model in the order of their names"
    measured = f"{which} that the libraries list here: {', '.join(versions)}."
    lines = [INTRODUCTION, "", measured, "", HEADER, "| --- |" + " --: |" * (HEADER.count("|") - 2)]
    everything = [one for models in found.values() for one in models]
    for library, models in (*found.items(), ("**all**", everything)):
        lines.append(_row(library, models))
    lines += ["", "## How far the tracers get", "", "| tracer | followed to the end | of |", "| --- | --: | --: |"]
    for tracer in ("fxaudit", "torch.fx", "torch.export"):
        asked = [one for one in everything if tracer in one.complete]
        lines.append(f"| {tracer} | {sum(not one.complete[tracer] for one in asked)} | {len(asked)} |")
    lines += ["", "## What is wrong", ""]
    wrong = [
        f"- {library} {one.name}: {text}"
        for library, models in found.items()
        for one in models
        for text in _faults(one)
    ]
    return "\n".join([*lines, *(wrong or ["Nothing."]), ""])


def _row(library: str, models: list[Measured]) -> str:
    built = [one for one in models if not one.problem]
    audit = sum((Counter(one.audit) for one in built), Counter[str]())
    trace = sum((Counter(one.trace) for one in built), Counter[str]())
    cells: list[object] = [library, len(models), len(built), sum(one.parameters for one in built)]
    cells += [audit[kind] for kind in ("right", "unknown", "wrong")] + [sum(bool(one.alarms) for one in built)]
    cells += [trace[kind] for kind in ("right", "unknown", "wrong")] + [sum(bool(one.trace_alarms) for one in built)]
    cells += [sum(bool(one.crashed) for one in built)]
    return f"| {' | '.join(map(str, cells))} |"


def _faults(one: Measured) -> list[str]:
    wrong = one.wrong[:2] + ([f"and {len(one.wrong) - 2} more"] if len(one.wrong) > 2 else [])
    return [
        *one.crashed,
        *wrong,
        *(f"alarm of the audit: {text}" for text in one.alarms),
        *(f"alarm of the trace: {text}" for text in one.trace_alarms),
    ]


INTRODUCTION = """# Public models

Models of public libraries, small, with random weights, each trained plainly for three steps and then audited:
`audit(model, loss, optimizer)`, which runs it once, and `audit(model)`, the structure only, which runs nothing. *Right*
is a verdict that is true of what the plain training did; of a parameter whose gradient was zero in all three steps,
`trained`, `blocked` and `unknown` are. An *alarm* is a finding of level warning or above about a model of which every
parameter trained. Models that cannot be built, called or trained here, or that have more than 40 million elements, are
counted as models and as nothing else. `make zoo` measures anew."""
HEADER = (
    "| library | models | trained here | parameters | audit: right | unknown | wrong | alarms"
    " | structure: right | unknown | wrong | alarms | crashes |"
)

if __name__ == "__main__":
    sys.exit(main())
