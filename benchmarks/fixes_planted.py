"""How often a planted fault gets a tried fix, and whether that fix takes back what was planted.

    python -m benchmarks.fixes_planted [--limit N] [--seed S] [--kinds …] [--models …] [--details] [--json OUT]

Each fault of `benchmarks/faults.py` that has an effect becomes a script: the program, and a plain loop of a few steps.
It is run and mended like `fxaudit run --fix` does it. What is shown as tried is checked without fxaudit: with the patch
every parameter that the fault stopped has to train as `faults_oracle` says; and the patch counts as the inverse of the
plant where the losses of the patched program are those of the program without the fault, step by step.

For a fault of `ONE_WAY` nothing in the program tells what stood there before, so that no edit can take it back: its
value, its place or its intention is the author's. Such faults are counted apart.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from benchmarks.faults import Bench, load, share, true_verdicts, warm_up
from benchmarks.faults_kinds import KINDS, ONE_WAY
from benchmarks.faults_models import SUBJECTS
from benchmarks.faults_oracle import truth
from benchmarks.faults_programs import Program, sample
from benchmarks.fixes import InForks
from fxaudit.program.source import actual_path
from fxaudit.run.copy import in_copy
from fxaudit.run.mending import Texts, mend
from fxaudit.run.overlay import lay_over
from tests import judged

STEPS = 4
LOOP = f"""

if __name__ == "__main__":
    model, batch, optimizers = make()
    optimizers = optimizers if isinstance(optimizers, list) else [optimizers]
    for _ in range({STEPS}):
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss = loss_fn(model, batch)
        if loss.requires_grad:
            loss.backward()
        for optimizer in optimizers:
            optimizer.step()
"""


@dataclass
class Planted:
    """What became of one planted fault."""

    program: str
    kind: str
    state: str = "none"
    """`tried`, `untried`, `failed` or `none`: the best patch of a finding above note."""
    first: bool = False
    inverse: bool = False
    lives: bool = False
    """Whether the oracle says that every stopped parameter trains with the patch."""
    trials: int = 0
    times: float = 0.0
    file: str = ""
    code: str = ""
    seen: str = ""
    diff: str = ""
    dead: list[str] = field(default_factory=list)


def outcome(bench: Bench, program: Program) -> Planted | None:
    """Plant, run, mend, and ask the oracle; None where the fault has no effect."""
    path = _written(bench, program)
    answer = true_verdicts(path, refused=any(fault.kind.refused for fault in program.faults))
    if "error" in answer:
        return None
    real = answer["answer"]
    healthy = bench.healthy(program.subject, program.seed)
    stopped = [
        name
        for name, verdict in real["verdicts"].items()
        if verdict not in ("trained", healthy.get(name.replace(".inner.", "."))) and name not in real["noise"]
    ]
    quiet = all(fault.kind.quiet for fault in program.faults)
    if not stopped and not any(real["outside"].values()) and not real["refused"] and not quiet:
        return None
    return _mended(bench, program, path, stopped)


def _written(bench: Bench, program: Program) -> Path:
    path, _ = bench.write(program)
    path.write_text(path.read_text("utf-8") + LOOP, "utf-8")
    return path


def _mended(bench: Bench, program: Program, path: Path, stopped: list[str]) -> Planted:
    begun = time.monotonic()
    report = judged.run(path)
    alone = time.monotonic() - begun
    with InForks([str(path)], alone=alone) as trials:
        mended = mend(report, trials, Texts(time.time() + 1))
        spent = sum(trials.seconds)
    found = Planted(str(program), program.faults[0].kind.name, trials=mended.trials, times=spent / alone)
    found.file = path.name
    ranks = ("tried", "untried", "failed")
    patched = [f for f in mended.report.findings if f.patch is not None]
    found.code = " ".join(sorted({f.code for f in report.findings if f.level != "note"}))
    best = min(patched, key=lambda f: ranks.index(f.patch.state if f.patch else "failed"), default=None)
    if best is None or best.patch is None:
        return found
    patch = best.patch
    found.state, found.seen = patch.state, patch.seen
    found.first = patch.state == "tried" and not patch.attempts
    found.diff = patch.diff or "".join(f"{a.diff}  # {a.reason}\n" for a in patch.attempts)
    if patch.state == "tried":
        texts = {os.path.realpath(actual_path(file)): new for file, (_, new) in mended.texts.items()}
        named = {n for f in patched if f.patch and f.patch.state == "tried" for n in f.parameters}
        found.dead = _dead(path, texts, [name for name in stopped if name in named])
        found.lives = not found.dead
        found.inverse = found.lives and _same(_losses(path, texts), _losses(_healthy(bench, program), {}))
    return found


def _dead(path: Path, texts: Mapping[str, str], stopped: list[str]) -> list[str]:
    """The stopped parameters that do not train with the patch, by the oracle."""

    def work() -> str:
        warnings.simplefilter("ignore")
        lay_over(texts)
        real = truth(load(path))
        named = [name for name in stopped if name in real.verdicts and name not in real.noise]
        return json.dumps([name for name in named if real.verdicts[name] != "trained"])

    answer, why = in_copy(work, 120.0)
    return json.loads(answer) if answer is not None else [f"the oracle had no answer: {why}"]


def _healthy(bench: Bench, program: Program) -> Path:
    return _written(bench, Program(program.subject, program.seed, ()))


def _losses(path: Path, texts: Mapping[str, str]) -> list[float]:
    """The losses of a plain training of a few steps."""

    def work() -> str:
        warnings.simplefilter("ignore")
        lay_over(texts)
        module = load(path)
        model, batch, made = module.make()
        torch.manual_seed(0)
        found = []
        for _ in range(STEPS):
            model.zero_grad()
            loss = module.loss_fn(model, batch)
            loss.backward()
            for optimizer in made if isinstance(made, list) else [made]:
                optimizer.step()
            found.append(float(loss))
        return json.dumps(found)

    answer, _ = in_copy(work, 120.0)
    return json.loads(answer) if answer is not None else []


def _same(one: list[float], other: list[float]) -> bool:
    return bool(one) and len(one) == len(other) and all(map(_close, one, other))


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-4, abs_tol=1e-6)


def figures(title: str, found: list[Planted]) -> None:
    """The figures of one group."""
    tried = [one for one in found if one.state == "tried"]
    print(f"{title}: {len(found)}")
    if not found:
        return
    print(f"  a tried fix: {share(len(tried), len(found))}, of which the oracle confirms {sum(o.lives for o in tried)}")
    print(f"  the inverse of the plant: {share(sum(o.inverse for o in tried), len(tried))} of those")
    print(f"  the first candidate did it: {share(sum(o.first for o in tried), len(tried))} of those")
    print(f"  offered untried: {sum(o.state == 'untried' for o in found)}")
    times = sorted(one.times for one in found if one.trials) or [0.0]
    runs = [one.trials for one in found if one.trials] or [0]
    print(
        f"  runs per fault: {sum(runs) / len(runs):.1f}; together {times[len(times) // 2]:.1f} times the audit (median)"
    )


def by_kind(found: list[Planted]) -> None:
    """A row for each kind."""
    groups: dict[str, list[Planted]] = defaultdict(list)
    for one in found:
        groups[one.kind].append(one)
    print("\n| fault | planted | tried | first | inverse |\n| --- | ---: | ---: | ---: | ---: |")
    for kind in sorted(groups, key=list(KINDS).index):
        rows = groups[kind]
        tried = [one for one in rows if one.state == "tried"]
        shown = f"{kind}{' (one-way)' if kind in ONE_WAY else ''}"
        first, inverse = sum(one.first for one in tried), sum(one.inverse for one in tried)
        print(f"| {shown} | {len(rows)} | {len(tried)} | {first} | {inverse} |")


def drawn(bench: Bench, kinds: list[str], subjects: list[str], seed: int, limit: int, minutes: float,
          tell: Callable[[Planted], None]) -> list[Planted]:  # fmt: skip
    """The outcomes of `limit` faults, every kind in turn."""
    found: list[Planted] = []
    seen: set[str] = set()
    end = time.monotonic() + 60 * minutes
    for number, program in enumerate(sample(subjects, kinds, seed)):
        if len(found) == limit or number > 8 * limit or time.monotonic() > end:
            break
        if str(program) in seen:
            continue
        seen.add(str(program))
        one = outcome(bench, program)
        if one is not None:
            found.append(one)
            tell(one)
    return found


def healthy(bench: Bench, subjects: list[str]) -> list[str]:
    """The models without a fault that get a patch all the same."""
    found = []
    for subject in subjects:
        report = judged.run(path := _written(bench, Program(subject, 0, ())))
        with InForks([str(path)]) as trials:
            patches = [f.patch for f in mend(report, trials, Texts(time.time() + 1)).report.findings]
        found += [subject] * any(patch is not None and patch.state != "failed" for patch in patches)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Print the figures; 1 where what is shown as tried leaves a parameter dead, or a healthy model is mended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=len(KINDS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", help="names of kinds or codes of rules, separated by commas")
    parser.add_argument("--models", default="", help="parts of names of models, separated by commas")
    parser.add_argument("--minutes", type=float, default=math.inf, help="draw no more after so many minutes")
    parser.add_argument("--details", action="store_true", help="print every outcome as it comes")
    parser.add_argument("--no-healthy", action="store_true", help="leave out the models without faults")
    parser.add_argument("--keep", metavar="FOLDER", help="keep the programs in this folder")
    parser.add_argument("--json", metavar="OUT", type=Path, help="write every outcome to this file")
    given = parser.parse_args(arguments)
    wanted = [word.strip() for word in (given.kinds or "").split(",")]
    kinds = [n for n, k in KINDS.items() if not given.kinds or any(w in (n, *k.codes) for w in wanted)]
    subjects = [n for n, s in SUBJECTS.items() if s.is_available and any(p in n for p in given.models.split(","))]
    torch.set_num_threads(1)
    warm_up()

    def tell(one: Planted) -> None:
        if given.details or one.dead:
            print(f"--- {one.program}\n    {one.file} {one.code} {one.state} first={one.first} inverse={one.inverse} "
                  f"trials={one.trials} {one.seen} {one.dead or ''}\n{one.diff}", flush=True)  # fmt: skip

    with contextlib.ExitStack() as stack:
        folder = Path(given.keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="fixes_")))
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(folder)
        found = drawn(bench, kinds, subjects, given.seed, given.limit, given.minutes, tell)
        alarms = [] if given.no_healthy else healthy(bench, subjects)
    figures("planted faults with a mechanical inverse", [one for one in found if one.kind not in ONE_WAY])
    figures("one-way faults", [one for one in found if one.kind in ONE_WAY])
    by_kind(found)
    if not given.no_healthy:
        print(f"\nhealthy models with a patch: {', '.join(alarms) or 'none'} of {len(subjects)}")
    if given.json:
        given.json.write_text(json.dumps([asdict(one) for one in found], indent=1), "utf-8")
    return 1 if alarms or any(one.dead for one in found) else 0


if __name__ == "__main__":
    raise SystemExit(main())
