"""Measures the models of all libraries, and writes reports/zoo.md.

    python -m benchmarks.zoo                   # install the libraries, measure, write the page
    python -m benchmarks.zoo timm --only vit   # of one library, and of it those with this in their name: no page
    python -m benchmarks.zoo --here            # with the libraries of this environment; --every N, --skip K
    python -m benchmarks.zoo --written F.json  # the page anew from what an earlier run wrote with --json

The environment, .zoo/, has a torch of its own, the newest that torchvision is built for. What was measured is kept
there: a run that was interrupted goes on where it was, `--anew` begins again. `--every N` measures each N-th model,
beginning with the K-th, and `--tracers N` lets torch.fx and torch.export follow each N-th of those; the page says how
many were measured, and what could not be installed.
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
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.zoo.measure import Measured, apart

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".zoo"
KEPT = HOME / "measured.json"
INSTALLED = HOME / "installed.json"
PAGE = ROOT / "reports" / "zoo.md"
PACKAGES = {
    "torchvision": "torchvision",
    "timm": "timm",
    "transformers": "transformers",
    "x-transformers": "x-transformers",
    "vit-pytorch": "vit-pytorch",
    "segmentation-models": "segmentation-models-pytorch",
    "monai": "monai",
    "open_clip": "open_clip_torch",
    "diffusers": "diffusers",
    "torch_geometric": "torch_geometric",
}
"""Library → the package that has it."""


def main() -> int:
    given = _options()
    if given.written:
        kept = json.loads(given.written.read_text(encoding="utf-8"))
        PAGE.write_text(page(_read(kept), kept["every"], kept["versions"], kept.get("missing", {})), encoding="utf-8")
        return 0
    libraries = given.libraries or list(PACKAGES)
    if not given.here:
        python = _installed(libraries)
        rest = [*sys.argv[1:], "--here", "--json", str(given.json or KEPT)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        return subprocess.run([python, "-m", "benchmarks.zoo", *rest], cwd=ROOT, env=environment).returncode
    found, missing = measured(libraries, given)
    if not given.libraries and not given.only:
        PAGE.write_text(page(found, given.every, _versions(), missing), encoding="utf-8")
        print(f"written: {PAGE.relative_to(ROOT)}")
    return 0


def _options() -> Any:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("libraries", nargs="*", help=f"of {', '.join(PACKAGES)}; all, where none is named")
    parser.add_argument("--here", action="store_true", help="install nothing")
    parser.add_argument("--only", default="", help="models with this in their name")
    parser.add_argument("--every", type=int, default=1, help="each N-th model only")
    parser.add_argument("--skip", type=int, default=0, help="begin after this many models")
    parser.add_argument("--seconds", type=int, default=120, help="for one model")
    parser.add_argument("--tracers", type=int, default=5, help="torch.fx and torch.export on each N-th; 0: on none")
    parser.add_argument("--json", type=Path, help="write what came of each model, and go on from what is there")
    parser.add_argument("--anew", action="store_true", help="measure again what an earlier run has measured")
    parser.add_argument("--written", type=Path, help="measure nothing: write the page from this file")
    return parser.parse_args()


def measured(libraries: Iterable[str], given: Any) -> tuple[dict[str, list[Measured]], dict[str, str]]:
    """What came of the models of each library, and why there are none of others."""
    from benchmarks.zoo.builders import models_of

    before = _before(given)
    found: dict[str, list[Measured]] = {}
    missing = _not_installed(libraries)
    for library in libraries:
        try:
            names = sorted(pair for pair in models_of(library).items() if given.only in pair[0])
        except ImportError as error:
            missing.setdefault(library, f"{type(error).__name__}: {error}")
            print(f"{library}: not there: {missing[library]}", flush=True)
            continue
        known = {one.name: one for one in before.get(library, ())}
        for number, (name, build) in enumerate(names[given.skip :: given.every]):
            tracers = given.tracers > 0 and number % given.tracers == 0
            is_new = name not in known
            one = apart(name, build, tracers, given.seconds, gigabytes=24) if is_new else known[name]
            found.setdefault(library, []).append(one)
            if is_new:
                print(library, one.name, _said(one), flush=True)
            if given.json and is_new:
                _keep(given, {name: _joined(before, found, name) for name in {**before, **found}}, missing)
    return found, missing


def _joined(before: dict[str, list[Measured]], found: dict[str, list[Measured]], library: str) -> list[Measured]:
    """The models of the library that were measured now or before, each once."""
    return list({one.name: one for one in (*before.get(library, ()), *found.get(library, ()))}.values())


def _before(given: Any) -> dict[str, list[Measured]]:
    """What an earlier run measured of the same versions, and of the same choice of models."""
    if given.anew or not given.json or not given.json.exists():
        return {}
    kept = json.loads(given.json.read_text(encoding="utf-8"))
    is_same = (kept["every"], kept.get("skip", 0), kept["versions"]) == (given.every, given.skip, _versions())
    return _read(kept) if is_same else {}


def _read(kept: Any) -> dict[str, list[Measured]]:
    return {name: [Measured(**one) for one in rows] for name, rows in kept["models"].items()}


def _keep(given: Any, found: dict[str, list[Measured]], missing: dict[str, str]) -> None:
    rows = {name: [asdict(one) for one in models] for name, models in found.items()}
    kept = {"every": given.every, "skip": given.skip, "versions": _versions(), "missing": missing, "models": rows}
    part = given.json.with_suffix(".part")
    part.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    part.replace(given.json)  # never half a file, however the run ends


def _versions() -> list[str]:
    """What the models come from, and the torch they run on."""
    found = []
    for package in ("torch", *PACKAGES.values()):
        with contextlib.suppress(PackageNotFoundError):
            found.append(f"{package} {version(package)}")
    return found


def _not_installed(libraries: Iterable[str]) -> dict[str, str]:
    """Library → why pip could not install it."""
    known = json.loads(INSTALLED.read_text(encoding="utf-8")) if INSTALLED.exists() else {}
    return {library: why for library in libraries if (why := known.get(PACKAGES[library]))}


def _installed(libraries: Iterable[str]) -> str:
    """The Python of an environment with the libraries; torch is what torchvision needs, not the one of the tests.

    Each package is installed for itself: one that cannot be leaves the others be, and is told.
    """
    inside = HOME / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not inside.exists():
        venv.create(HOME, with_pip=True)
    known: dict[str, str] = json.loads(INSTALLED.read_text(encoding="utf-8")) if INSTALLED.exists() else {}
    for package in ("torchvision", str(ROOT), *(PACKAGES[library] for library in libraries)):
        if known.get(package) != "":
            pip = [str(inside), "-m", "pip", "install", "--quiet", package]
            done = subprocess.run(pip, stderr=subprocess.PIPE, text=True)
            errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
            known[package] = errors[-1] if done.returncode else ""
            print(f"{package}: {known[package] or 'installed'}", flush=True)
            INSTALLED.write_text(json.dumps(known, indent=1), encoding="utf-8")
    return str(inside)


def _said(one: Measured) -> str:
    if one.problem:
        return f"– {one.problem}"
    how_far = one.complete.get("fxaudit", "?") or "complete"
    parts = [f"audit {one.audit}", f"trace {one.trace} {how_far}", f"with inputs {one.given}"]
    alarms = (*one.alarms[:3], *one.trace_alarms[:3], *one.given_alarms[:3])
    return "; ".join([*parts, *one.crashed, *one.wrong[:3], *alarms])


def page(found: dict[str, list[Measured]], every: int, versions: list[str], missing: dict[str, str]) -> str:
    """The page, from what came of all models."""
    which = "All models" if every == 1 else f"Every {every}. model in the order of their names"
    lines = [INTRODUCTION, "", f"{which} that the libraries list here: {', '.join(versions)}."]
    lines += [f"Not installed here: {name} ({why})." for name, why in missing.items()]
    everything = [one for models in found.values() for one in models]
    rows = [*found.items(), ("**all**", everything)]
    for text, header, row in ((RUN, RUN_HEADER, _run_row), (STRUCTURE, STRUCTURE_HEADER, _structure_row)):
        lines += ["", *text, header, "| --- |" + " --: |" * (header.count("|") - 2)]
        lines += [f"| {library} | {' | '.join(map(str, row(models)))} |" for library, models in rows]
    lines += ["", "## How far the tracers get", "", "| tracer | followed to the end | of |", "| --- | --: | --: |"]
    for tracer in ("fxaudit", "torch.fx", "torch.export"):
        asked = [one for one in everything if tracer in one.complete]
        lines.append(f"| {tracer} | {sum(not one.complete[tracer] for one in asked)} | {len(asked)} |")
    both = [one for one in everything if "torch.export" in one.complete and "fxaudit" in one.complete]
    agreed = sum(bool(one.complete["torch.export"]) is bool(one.complete["fxaudit"]) for one in both)
    lines += ["", f"fxaudit and torch.export agree about {agreed} of {len(both)} models that both were asked about."]
    lines += ["", "## What is wrong", ""]
    wrong = [
        f"- {library} {one.name}: {text}"
        for library, models in found.items()
        for one in models
        for text in _faults(one)
    ]
    return "\n".join([*lines, *(wrong or ["Nothing."]), ""])


def _run_row(models: list[Measured]) -> list[int]:
    built = [one for one in models if not one.problem]
    audit = sum((Counter(one.audit) for one in built), Counter[str]())
    head = [len(models), len(built), sum(one.parameters for one in built)]
    counts = [audit[kind] for kind in ("right", "unknown", "wrong")]
    return [*head, *counts, sum(bool(one.alarms) for one in built), sum(bool(one.crashed) for one in built)]


def _structure_row(models: list[Measured]) -> list[int]:
    built = [one for one in models if not one.problem]
    alone = sum((Counter(one.trace) for one in built), Counter[str]())
    given = sum((Counter(one.given) for one in built), Counter[str]())
    return [
        *(alone[kind] for kind in ("right", "waits", "unknown", "wrong")),
        sum(bool(one.trace_alarms) for one in built),
        *(given[kind] for kind in ("right", "unknown", "wrong")),
        sum(bool(one.given_alarms) for one in built),
    ]


def _faults(one: Measured) -> list[str]:
    wrong = one.wrong[:2] + ([f"and {len(one.wrong) - 2} more"] if len(one.wrong) > 2 else [])
    return [
        *one.crashed,
        *wrong,
        *(f"alarm of the audit: {text}" for text in one.alarms),
        *(f"alarm of the trace: {text}" for text in one.trace_alarms),
        *(f"alarm of the trace with inputs: {text}" for text in one.given_alarms),
    ]


INTRODUCTION = """# Public models

Models of public libraries, small, with random weights, each trained plainly for three steps and then audited. *Right*
is a verdict that is true of what the plain training did; of a parameter whose gradient was zero in all three steps,
or that became NaN, `trained`, `blocked` and `unknown` are. An *alarm* is a finding of level warning or above about a
model of which every parameter trained. Models that cannot be built, called or trained here, or that have more than 40
million elements, are counted as models and as nothing else. `make zoo` measures anew."""
RUN = ["`audit(model, loss, optimizer)`, which runs the model once:", ""]
RUN_HEADER = "| library | models | trained here | parameters | right | unknown | wrong | alarms | crashes |"
STRUCTURE = [
    'The structure only, which runs nothing: `audit(model)`, and `audit(model, inputs=…, device="meta")` with the',
    "shapes of what the training gave. Alone, a parameter may *wait* for an argument that forward can do without: that",
    "it is `unknown`, and which argument decides, is all that can be said. With the arguments given it is known.",
    "",
]
STRUCTURE_HEADER = (
    "| library | alone: right | waits for an argument | otherwise unknown | wrong | alarms"
    " | with inputs: right | unknown | wrong | alarms |"
)

if __name__ == "__main__":
    sys.exit(main())
