"""Faults planted at scale: how well does `fxaudit.audit` name what stops a parameter, and on which line?

Each program is written to a file of its own, audited in a forked copy of the process, and compared with what training
really does. A fault counts as

- detected, if a parameter that it stops is reported as not trained, with a finding;
- right in verdicts, if every parameter of the model has the verdict that training proves;
- right in cause, if each parameter that it stops has a finding with a code of that fault;
- right in line, if such a finding names a planted line: as culprit, a frame above it, or one of three related lines;
- proved, where a single fault has a neutral form, if those findings carry `proved`: without it gradient arrives.

Programs whose faults turn out to have no effect on training, or that PyTorch refuses, are left out and drawn again.

    python benchmarks/faults.py --limit 300
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gc
import importlib.util
import itertools
import json
import os
import resource
import select
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch

import fxaudit
from benchmarks.faults_kinds import KINDS, NEUTRAL
from benchmarks.faults_models import SUBJECTS
from benchmarks.faults_oracle import Truth, truth
from benchmarks.faults_programs import Program, combinations, sample, source_of
from fxaudit.program.tree import tree_of

SECONDS = 60.0
RELATED = 3
LOUD = ("error", "warning")


@dataclass
class Outcome:
    """What became of one program."""

    program: str
    kind: str
    detected: bool = False
    verdicts: bool = False
    cause: bool = False
    line: bool = False
    provable: bool = False
    proved: bool = False
    wanted: list[int] = field(default_factory=list)
    named: list[list[int]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    why: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    file: str = ""


# -- in a copy of the process --------------------------------------------------------------------------------------


def in_copy(work: Callable[[], Any], seconds: float = SECONDS) -> dict[str, Any]:
    """What `work` returns, run in a forked copy: `{"answer": …}`, or `{"error": …}`."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        torch.set_num_threads(1)
        try:
            with open(os.devnull, "w") as null, contextlib.redirect_stdout(null), contextlib.redirect_stderr(null):
                warnings.simplefilter("ignore")
                result = {"answer": work()}
        except BaseException as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            name = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
            result = {"error": name[:400]}
        with os.fdopen(write, "w") as pipe:
            pipe.write(json.dumps(result))
        os._exit(0)
    os.close(write)
    data, end = bytearray(), time.monotonic() + seconds
    with os.fdopen(read, "rb") as pipe:
        while True:
            ready, _, _ = select.select([pipe], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                os.kill(child, signal.SIGKILL)
                break
            part = os.read(pipe.fileno(), 1 << 16)
            if not part:
                break
            data += part
    os.waitpid(child, 0)
    try:
        found: dict[str, Any] = json.loads(data)
    except ValueError:
        return {"error": "died or gave no answer in time"}
    return found


def load(path: Path) -> ModuleType:
    """The program at `path`, imported."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def true_verdicts(path: Path, refused: bool) -> dict[str, Any]:
    """What the oracle says of the program at `path`."""
    return in_copy(lambda: truth(load(path), refused=refused).as_dict())


def audited(path: Path, prove: bool = False) -> dict[str, Any]:
    """The report of the program at `path`, in JSON."""

    def work() -> Any:
        module = load(path)
        # This process ends here: leaving the block would only make a second report.
        watching = fxaudit.watch()
        watching.__enter__()
        model, batch, optimizer = module.make()
        report = fxaudit.audit(model, lambda: module.loss_fn(model, batch), optimizer, prove=prove)
        return json.loads(report.to_json())

    return in_copy(work)


# -- judging -------------------------------------------------------------------------------------------------------


def judge(
    program: Program, real: Truth, stopped: set[str], report: dict[str, Any], marks: set[int], file: str
) -> Outcome:
    """Compare a report with the truth."""
    outcome = Outcome(str(program), " + ".join(sorted(f.kind.name for f in program.faults)), file=file)
    found = {p["name"]: p for p in report["parameters"]}
    findings = report["findings"]
    wrong = []
    for name, want in real.verdicts.items():
        got = found[name]["verdict"] if name in found else "missing"
        if got != want and not (name in real.noise and got in ("trained", "unknown")):
            wrong.append(f"{name}: {got}, not {want}")
    if not real.refused:
        for verdict in ("unregistered", "stale"):
            shapes = sorted(tuple(p["shape"]) for p in report["parameters"] if p["verdict"] == verdict)
            want_shapes = sorted(tuple(s) for s in real.outside.get(verdict, []))
            more = Counter(shapes) - Counter(want_shapes)
            if verdict == "unregistered" and not more - Counter(tuple(s) for s in real.passing):
                shapes = sorted((Counter(shapes) - more).elements())
            if shapes != want_shapes:
                wrong.append(f"{verdict}: {shapes[:4]}, not {want_shapes[:4]}")
    outcome.verdicts = not wrong
    outcome.why += [f"verdict {text}" for text in wrong[:4]] + [f"(+{len(wrong) - 4})"] * (len(wrong) > 4)
    outside = {
        p["name"]
        for p in report["parameters"]
        if p["verdict"] in ("unregistered", "stale")
        and p["name"] not in real.verdicts
        and [*p["shape"]] in [[*s] for s in real.outside.get(p["verdict"], [])]
    }
    codes = program.codes
    quiet = all(fault.kind.quiet for fault in program.faults)
    # What is frozen and held by no optimizer is taken for intended.
    meant = {name for name in stopped if real.verdicts[name] == "frozen" and not found.get(name, {}).get("held_by")}
    concerned = sorted((stopped - meant) | outside)
    by_parameter = {
        name: [
            f for i, f in enumerate(findings) if name in f["parameters"] or i in found.get(name, {}).get("findings", [])
        ]
        for name in concerned
    }
    if quiet or not concerned:
        by_parameter = {"": [f for f in findings if f["code"] in codes]}
    elif any(f.kind.codes == ("FXA302",) for f in program.faults):
        # One finding on the optimizer stands for every parameter.
        empty = [f for f in findings if f["code"] == "FXA302"]
        by_parameter = {name: own or empty for name, own in by_parameter.items()}
    outcome.detected = any(own for own in by_parameter.values())
    unnamed = [name for name, own in by_parameter.items() if not any(f["code"] in codes for f in own)]
    outcome.cause = not unnamed and bool(by_parameter)
    if unnamed:
        named = sorted({f["code"] for name in unnamed for f in by_parameter[name]})
        outcome.why.append(f"cause {', '.join(unnamed[:3])}: {named or 'no finding'}, not {sorted(codes)}")
    hits = {name: any(lines_of(f, file) & marks for f in own) for name, own in by_parameter.items()}
    outcome.line = bool(hits) and all(hits.values())
    if not outcome.line:
        missed = next(iter([name for name, hit in hits.items() if not hit]), "")
        lines = sorted(set().union(*[lines_of(f, file) for f in by_parameter.get(missed, [])]))
        culprits = [(f["culprit"] or {}).get("code") for f in by_parameter.get(missed, [])]
        outcome.why.append(f"line {missed}: {lines} {culprits}, planted {sorted(marks)}")
    outcome.wanted = sorted(marks)
    outcome.named = [sorted(lines_of(f, file)) for f in findings]
    outcome.messages = [f"{f['code']} {f['message']}" for f in findings]
    outcome.provable = len(program.faults) == 1 and program.faults[0].kind.name in NEUTRAL
    named = [f for own in by_parameter.values() for f in own if f["code"] in codes]
    outcome.proved = outcome.provable and bool(named) and all(f["proved"] is True for f in named)
    outcome.strays = sorted({f["code"] for f in findings if f["level"] in LOUD} - codes)
    return outcome


def lines_of(finding: dict[str, Any], file: str) -> set[int]:
    """The lines of `file` that a finding names: its culprit, the frames above it, at most three related lines."""
    culprit = finding["culprit"]
    places = [(culprit["file"], culprit["line"])] if culprit else []
    places += [(frame["file"], frame["line"]) for frame in (culprit or {}).get("frames") or []]
    places += [(related["file"], related["line"]) for related in (finding["related"] or [])[:RELATED]]
    return {line for name, line in places if os.path.basename(name) == file}


# -- running -------------------------------------------------------------------------------------------------------


def warm_up() -> None:
    """Import in this process what every copy would import again, torch's compiler for the optimizers above all."""
    for kind in (torch.optim.SGD, torch.optim.Adam):
        model = torch.nn.Linear(2, 1)
        optimizer = kind(model.parameters(), lr=0.1)
        with fxaudit.watch():
            fxaudit.audit(model, functools.partial(_sum_of, model), optimizer, prove=False)
        _sum_of(model).backward()
        optimizer.step()
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None) or ""
        if module.__name__.startswith("benchmarks."):
            tree_of(file)
    gc.collect()
    gc.freeze()  # a collection in a copy would touch, and so copy, every page


def _sum_of(model: torch.nn.Module) -> torch.Tensor:
    total: torch.Tensor = model(torch.ones(3, 2)).sum()
    return total


class Bench:
    """A folder of programs, and what was found out about each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = itertools.count(1)
        self.left_out: dict[str, int] = defaultdict(int)
        self.left_out_why: list[str] = []

    def write(self, program: Program) -> tuple[Path, set[int]]:
        """The program as a file, and its planted lines."""
        text, marks = source_of(program)
        path = self.folder / f"planted_{next(self.number):05}.py"
        path.write_text(text)
        return path, marks

    @functools.cache  # noqa: B019 - one bench lives as long as the process
    def healthy(self, subject: str, seed: int) -> dict[str, str]:
        """The verdicts of the subject without a fault."""
        path, _ = self.write(Program(subject, seed, ()))
        answer = true_verdicts(path, refused=False)
        if "error" in answer:
            raise RuntimeError(f"{subject}[{seed}] does not train: {answer['error']}")
        verdicts: dict[str, str] = answer["answer"]["verdicts"]
        return verdicts

    def outcome(self, program: Program) -> Outcome | None:
        """Plant, train, audit, compare; None where the faults have no effect."""
        path, marks = self.write(program)
        refused = any(fault.kind.refused for fault in program.faults)
        answer = true_verdicts(path, refused)
        if "error" in answer:
            return self._leave_out(program, answer["error"])
        real = Truth(**answer["answer"])
        if real.refused:
            fault = program.faults[0]
            own = fault.site.own[0]
            real.verdicts = {f"{fault.site.path}.{own}": "replaced"}
        elif refused:
            return self._leave_out(program, "not refused")
        before = self.healthy(program.subject, program.seed)
        stopped = {
            name for name, verdict in real.verdicts.items() if verdict not in ("trained", before.get(_inner(name)))
        } - set(real.noise)
        quiet = all(fault.kind.quiet for fault in program.faults)
        if not stopped and not any(real.outside.values()) and not quiet:
            return self._leave_out(program, "no effect")
        provable = len(program.faults) == 1 and program.faults[0].kind.name in NEUTRAL
        report = audited(path, provable)
        if "error" in report:
            kind = " + ".join(sorted(f.kind.name for f in program.faults))
            return Outcome(str(program), kind, why=[f"crash {report['error']}"], file=path.name)
        return judge(program, real, stopped, report["answer"], marks, path.name)

    def _leave_out(self, program: Program, why: str) -> None:
        self.left_out["no effect" if why == "no effect" else "does not run"] += 1
        self.left_out_why.append(f"{program}: {why}")

    def alarm(self, subject: str, seed: int) -> Outcome:
        """Audit the subject without a fault: what is said about it is a false alarm."""
        program = Program(subject, seed, ())
        path, _ = self.write(program)
        outcome = Outcome(f"{subject}[{seed}] healthy", "healthy", detected=True, cause=True, line=True, file=path.name)
        report = audited(path)
        if "error" in report:
            outcome.why.append(f"crash {report['error']}")
            return outcome
        want = self.healthy(subject, seed)
        got = {p["name"]: p["verdict"] for p in report["answer"]["parameters"]}
        outcome.why = [f"verdict {n}: {got.get(n)}, not {v}" for n, v in want.items() if got.get(n) != v]
        outcome.verdicts = not outcome.why
        outcome.strays = [f"{f['code']} {f['message']}" for f in report["answer"]["findings"] if f["level"] in LOUD]
        return outcome


def _inner(name: str) -> str:
    return name.replace(".inner.", ".")


def share(part: int, whole: int) -> str:
    """A count out of another, with the percentage."""
    return f"{part}/{whole} ({100 * part / whole:.1f} %)" if whole else "–"


def table(outcomes: list[Outcome], by_kind: bool = True) -> str:
    """The figures in Markdown: a row a kind, then the total."""
    rows = [
        "| fault | planted | detected | verdicts | cause | line | proved |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.kind].append(outcome)
    order = list(KINDS)
    for kind in sorted(groups, key=order.index) if by_kind else ():
        members = groups[kind]
        figures = (sum(getattr(o, name) for o in members) for name in ("detected", "verdicts", "cause", "line"))
        provable = [o for o in members if o.provable]
        proved = f"{sum(o.proved for o in provable)}" + f"/{len(provable)}" * (len(provable) < len(members))
        rows.append(
            f"| {kind} | {len(members)} | " + " | ".join(map(str, figures)) + f" | {proved if provable else '–'} |"
        )
    figures = (
        share(sum(getattr(o, name) for o in outcomes), len(outcomes))
        for name in ("detected", "verdicts", "cause", "line")
    )
    provable = [o for o in outcomes if o.provable]
    proved = share(sum(o.proved for o in provable), len(provable))
    rows.append(f"| **all** | {len(outcomes)} | " + " | ".join(figures) + f" | {proved} |")
    return "\n".join(rows)


def run(
    *,
    limit: int = 300,
    pairs: int = 0,
    seed: int = 0,
    kinds: list[str] | None = None,
    subjects: list[str] | None = None,
    healthy: bool = True,
    folder: Path,
    tell: Callable[[str], None] = lambda text: None,
    note: Callable[[Outcome], None] = lambda outcome: None,
    minutes: float = float("inf"),
) -> tuple[list[Outcome], list[Outcome], list[Outcome], Bench]:
    """The outcomes of single faults, of combinations, and of the healthy models."""
    torch.set_num_threads(1)
    warm_up()
    kinds = kinds or list(KINDS)
    subjects = subjects or [name for name, subject in SUBJECTS.items() if subject.is_available]
    bench = Bench(folder)
    end = time.monotonic() + 60 * minutes

    def enough(programs: Any, wanted: int) -> list[Outcome]:
        outcomes: list[Outcome] = []
        seen: set[str] = set()
        for program in itertools.islice(programs, 8 * wanted):
            if len(outcomes) == wanted or time.monotonic() > end:
                break
            if str(program) in seen:
                continue
            seen.add(str(program))
            outcome = bench.outcome(program)
            if outcome is None:
                continue
            outcomes.append(outcome)
            note(outcome)
            if outcome.provable and not outcome.proved and not outcome.why:
                tell(f"{outcome.program}\n    not proved\n    {outcome.file} {outcome.messages}")
            if outcome.why:
                tell(
                    f"{outcome.program}\n    "
                    + "\n    ".join(outcome.why)
                    + f"\n    {outcome.file} also {outcome.strays}"
                )
        return outcomes

    singles = enough(sample(subjects, kinds, seed), limit)
    several = enough(combinations(subjects, kinds, seed), pairs)
    alarms = [bench.alarm(subject, variant) for subject in subjects for variant in (0, 1)] if healthy else []
    for alarm in alarms:
        if alarm.why or alarm.strays:
            tell(f"{alarm.program}\n    " + "\n    ".join([*alarm.why, *alarm.strays]))
    return singles, several, alarms, bench


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Plant faults in models and see what fxaudit says of them.")
    parser.add_argument("--limit", type=int, default=300, help="how many single faults (300)")
    parser.add_argument("--combinations", type=int, default=0, help="how many programs with two or three faults (0)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", help="names of kinds or codes of rules, separated by commas")
    parser.add_argument("--models", help="parts of names of models, separated by commas")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="draw no more after so many minutes")
    parser.add_argument("--json", metavar="OUT", help="write every outcome to this file")
    parser.add_argument("--failures", metavar="OUT", help="write every failure to this file as it goes, one a line")
    parser.add_argument("--keep", metavar="FOLDER", help="keep the programs in this folder")
    parser.add_argument("--no-healthy", action="store_true", help="leave out the models without faults")
    options = parser.parse_args(arguments)
    wanted = (options.kinds or "").split(",")
    kinds = [n for n, k in KINDS.items() if any(w.strip() in (n, *k.codes) for w in wanted)] if options.kinds else None
    names = (options.models or "").split(",")
    subjects = [n for n, s in SUBJECTS.items() if s.is_available and any(part.strip() in n for part in names)]
    for missing in sorted({s.needs for s in SUBJECTS.values() if not s.is_available}):
        print(f"{missing} cannot be imported: its models are left out.")
    start = time.monotonic()
    with contextlib.ExitStack() as stack:
        failures = stack.enter_context(open(options.failures or os.devnull, "w", encoding="utf-8"))

        def note(outcome: Outcome) -> None:
            if outcome.why or (outcome.provable and not outcome.proved):
                print(json.dumps(asdict(outcome)), file=failures, flush=True)

        folder = Path(options.keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="faults_")))
        folder.mkdir(parents=True, exist_ok=True)
        singles, several, alarms, bench = run(
            limit=options.limit,
            pairs=options.combinations,
            seed=options.seed,
            kinds=kinds,
            subjects=subjects,
            healthy=not options.no_healthy,
            folder=folder,
            tell=lambda text: print(text, flush=True),
            note=note,
            minutes=options.minutes,
        )
    print(f"\n{len(singles)} single faults\n\n{table(singles)}")
    if several:
        print(f"\n{len(several)} combinations of two or three\n\n{table(several, by_kind=False)}")
    if alarms:
        loud = sum(bool(alarm.strays) for alarm in alarms)
        verdicts = share(sum(alarm.verdicts for alarm in alarms), len(alarms))
        print(f"\nfalse alarms: {loud} of {len(alarms)} healthy models; verdicts {verdicts}")
    strays = sum(bool(o.strays) for o in singles)
    print(f"programs with an error or warning about something else: {share(strays, len(singles))}")
    used = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"left out: {dict(bench.left_out)}; {used:.0f} s of processor time in {time.monotonic() - start:.0f} s")
    if options.json:
        every = {"singles": singles, "combinations": several, "healthy": alarms}
        document = {key: [asdict(o) for o in outcomes] for key, outcomes in every.items()}
        Path(options.json).write_text(json.dumps(document | {"left_out": bench.left_out_why}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
