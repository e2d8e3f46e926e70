"""How often `fxaudit run --fix` mends a program, and whether what it shows as tried really trains.

    python -m benchmarks.fixes [--every N] [--from K] [--jobs J] [--details] [FOLDER …]

Without a folder: every broken program of `tests/programs/bugs`, which has to get a patch, and every healthy one, which
must not. A folder holds scripts with a defect each; those are only run. What is shown as tried is checked by an oracle
that knows nothing of fxaudit: the program's own `train()`, with and without the patch, and the values compared.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import time
import warnings
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from torch.nn.parameter import is_lazy

from fxaudit.program.edits.difference import hunks_of
from fxaudit.program.source import actual_path
from fxaudit.run.copy import in_copy
from fxaudit.run.mending import Mended, Texts, mend
from fxaudit.run.overlay import lay_over
from fxaudit.run.trial import Trials, report_on
from tests import judged
from tests.warming import pay_for_the_first_step

NOISE = 1e-6
"""A gradient smaller than this part of the largest is rounding noise."""


@dataclass
class Outcome:
    """What happened to one program."""

    name: str
    state: str = ""
    """`tried`, `untried`, `failed` or `none`: the best patch of a finding."""
    first: bool = False
    """Whether the first candidate of the first finding did it."""
    trials: int = 0
    times: float = 0.0
    """All trials together, as a multiple of the first run."""
    dead: list[str] = field(default_factory=list)
    """What the program says is broken and does not change, in a plain run with the patch."""
    blamed: bool | None = None
    """Where the edit that mends is not on the blamed line: whether that line is a marked one; None elsewhere."""
    mended: bool | None = None
    """The same of a line that the edit changes."""
    code: str = ""
    reason: str = ""
    diff: str = ""


class InForks(Trials):
    """The trials in copies of this process, which has imported torch."""

    def _asked(self, request: str) -> dict[str, Any]:
        asked = json.loads(request)
        report, why = in_copy(lambda: report_on(asked), asked["seconds"])
        return {"report": report, "why": why}


def outcome(path: Path) -> Outcome:
    """The program run, mended, and asked whether it trains."""
    begun = time.monotonic()
    report = judged.run(path)
    alone = time.monotonic() - begun
    with InForks([str(path)]) as trials:
        mended = mend(report, trials, Texts(time.time() + 1))
        spent = sum(trials.seconds)
    found = Outcome(f"{path.parent.name}/{path.stem}", trials=mended.trials, times=spent / alone)
    patches = [(f.code, f.patch) for f in mended.report.findings if f.patch is not None]
    found.code = next((f.code for f in report.findings if f.level != "note"), "")
    ranks = ("tried", "untried", "failed")
    best = min((p for _, p in patches), key=lambda p: ranks.index(p.state), default=None)
    found.state = best.state if best is not None else "none"
    if best is not None:
        found.first = best.state == "tried" and not best.attempts
        found.reason, found.diff = best.seen, best.diff or "".join(a.diff + f"  # {a.reason}\n" for a in best.attempts)
    if found.state == "tried":
        found.dead = _dead(path, mended)
        found.blamed, found.mended = _elsewhere(path, mended)
    return found


def _elsewhere(path: Path, mended: Mended) -> tuple[bool | None, bool | None]:
    """Whether the blamed line is right and whether the mended one is, where they differ."""
    tried = next(f for f in mended.report.findings if f.patch is not None and f.patch.state == "tried")
    marks = {n for n, line in enumerate(path.read_text("utf-8").splitlines(), 1) if "# <-- culprit" in line}
    assert tried.patch is not None
    edited = {
        line
        for file, hunks in hunks_of(tried.patch.diff)
        for begun, gone, _ in hunks
        for line in range(begun, begun + max(gone, 1))
        if path.name == Path(file).name
    }
    if tried.culprit is None or not marks or tried.culprit.line in edited:
        return None, None
    return tried.culprit.line in marks, bool(edited & marks)


def _dead(path: Path, mended: Mended) -> list[str]:
    """The parameters that the program says are broken, and that its plain `train()` leaves as they were."""
    module = judged.load(path)
    if not hasattr(module, "train") or not hasattr(module, "EXPECT"):  # a script of another collection
        return []
    texts = {os.path.realpath(actual_path(file)): new for file, (_, new) in mended.texts.items()}
    broken = [n for n, verdict in module.EXPECT.items() if verdict not in ("trained", "frozen") and n[0] not in "?!"]
    tried = [f for f in mended.report.findings if f.patch and f.patch.state == "tried"]
    if mended.report.patch is not None and mended.report.patch.state == "failed":
        tried = tried[:1]  # they cannot be made together, and the first is what is written
    named = {name for f in tried for name in f.parameters}
    broken = [name for name in broken if name in named]
    answer, why = in_copy(lambda: json.dumps(_unchanged(path, texts, broken)), 120.0)
    return json.loads(answer) if answer is not None else [f"the oracle had no answer: {why}"]


def _unchanged(path: Path, texts: Mapping[str, str], names: list[str]) -> list[str]:
    warnings.simplefilter("ignore")
    lay_over(texts)
    spec = importlib.util.spec_from_file_location("patched", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["patched"] = module
    spec.loader.exec_module(module)
    # A program that has no `make` makes its model where it trains: without a round that is all it does.
    begun = module.make()[0] if hasattr(module, "make") else module.train(0)[0]
    made = dict(begun.named_parameters())
    made = {name: value for name, value in made.items() if not is_lazy(value)}
    before = {name: value.detach().clone() for name, value in made.items()}
    after = dict(module.train()[0].named_parameters())
    norms = {name: float(p.grad.norm()) for name, p in after.items() if p.grad is not None}
    # What gets rounding noise alone (a bias before a normalisation or a difference) is trained by no edit.
    noise = {name for name, norm in norms.items() if norm < NOISE * max(norms.values())}
    known = [n for n in names if n in before and n in after and n not in noise]
    return [n for n in known if torch.equal(before[n], after[n].detach())]


def outcomes(paths: list[Path], jobs: int = 2) -> list[Outcome]:
    """All of them, some at a time."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_one_thread) as pool:
        return list(pool.map(outcome, paths))


def _one_thread() -> None:
    torch.set_num_threads(1)
    pay_for_the_first_step()


def table(title: str, found: list[Outcome]) -> None:
    """The figures of one group."""
    tried = [one for one in found if one.state == "tried"]
    lives = [one for one in tried if not one.dead]
    with_trials = [one for one in found if one.trials]
    print(f"{title}: {len(found)} programs")
    print(f"  a tried fix: {len(tried)} ({_share(tried, found)}), of which the oracle confirms {len(lives)}")
    print(f"  the first candidate did it: {_share([one for one in tried if one.first], tried)} of those")
    other = [one for one in tried if one.blamed is not None]
    right = f"{sum(one.blamed is True for one in other)} blamed, {sum(one.mended is True for one in other)} mended"
    print(f"  mended on another line than the blamed one: {len(other)}; the right line: {right}")
    print(f"  offered untried: {sum(one.state == 'untried' for one in found)}")
    if with_trials:
        per = sum(one.trials for one in with_trials) / len(with_trials)
        times = sorted(one.times for one in with_trials)[len(with_trials) // 2]
        print(f"  runs per program: {per:.1f}; together {times:.1f} times as long as the audit (median)")


def _share(part: list[Outcome], whole: list[Outcome]) -> str:
    return f"{100 * len(part) / len(whole):.0f} %" if whole else "–"


def main() -> int:
    """Print the figures; 1 where something that is shown as tried leaves a parameter dead."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--every", type=int, default=1, help="only every Nth program")
    parser.add_argument("--from", type=int, default=0, dest="first", help="begin with the Kth, counted from 0")
    parser.add_argument("--jobs", type=int, default=2, help="so many at a time")
    parser.add_argument("--details", action="store_true")
    given = parser.parse_args()
    groups = {str(folder): sorted(folder.glob("*.py")) for folder in given.folders}
    groups = groups or {"broken": judged.BUGS, "healthy": judged.HEALTHY}
    wrong = 0
    for title, paths in groups.items():
        found = outcomes(paths[given.first :: given.every], given.jobs)
        table(title, found)
        for one in found:
            if given.details:
                print(f"--- {one.name} {one.code} {one.state} first={one.first} trials={one.trials} {one.reason}")
                print(one.diff)
            if one.dead:
                wrong += 1
                print(f"  {one.name}: shown as tried, but unchanged: {', '.join(one.dead)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
