"""The programs in tests/programs, judged as a user would have them judged, and what they say is true of them.

Each file states its truth: `EXPECT` gives the verdict of every parameter (`?name` a tensor that no model registers,
`!name` one that an optimizer holds for nothing), `CAUSE` the kind of mistake in one word, and lines that an expert
would edit end with the comment `# <-- culprit`. In healthy programs `INTENT` names what rightly does not train. Where
the data decide, `ONE_BATCH` is the verdict that an audit of one batch gives of what a run shows to be broken.
"""

from __future__ import annotations

import fnmatch
import importlib.util
import json
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import fxaudit
from fxaudit.report import Report
from fxaudit.run.copy import in_copy

FOLDER = Path(__file__).parent / "programs"
BUGS = sorted((FOLDER / "bugs").glob("*.py"))
HEALTHY = sorted((FOLDER / "healthy").glob("*.py"))
LOWER_LEVELS = FOLDER / "lower_levels.json"
"""The programs whose marked line, or whose rule, is not yet named first. This file may only shrink."""
ANSWERS = FOLDER / "answers.json"
"""What fxaudit said of every program when the file was last renewed; `make answers` writes it anew."""

LEVELS = ("first", "culprit", "related", "frame", "none")
"""Where a marked line is named: by the first finding, by another, beside a culprit, in the calls above one, nowhere."""

CODES = {
    "checkpoint": {"FXA110"},
    "cleared_early": {"FXA403", "FXA405"},
    "custom_function": {"FXA111", "FXA501"},
    "data_access": {"FXA104"},
    "detached": {"FXA104"},
    "empty_group": {"FXA302"},
    "frozen": {"FXA301", "FXA302", "FXA306", "FXA307", "FXA308", "FXA309", "FXA310", "FXA602"},
    "hook": {"FXA504"},
    "loss_cut": {"FXA103", "FXA109"},
    "lr_zero": {"FXA304"},
    "nan_skip": {"FXA406", "FXA502"},
    "never_cleared": {"FXA404"},
    "no_backward": {"FXA402"},
    "no_grad": {"FXA105"},
    "no_step": {"FXA401"},
    "non_differentiable": {"FXA108"},
    "non_leaf": {"FXA206"},
    "not_listed": {"FXA205", "FXA301"},
    "other": None,
    "overwritten": {"FXA202", "FXA408"},
    "reassigned": {"FXA201", "FXA203"},
    "rewrapped": {"FXA106", "FXA107"},
    "stale_reference": {"FXA204", "FXA303"},
    "to_python": {"FXA106"},
    "unregistered_container": {"FXA205"},
    "unused": {"FXA101", "FXA102", "FXA103"},
    "zero_gradient": {"FXA501"},
}
"""`CAUSE` → the codes of the rules that say so; None: any."""


def name_of(path: Path) -> str:
    """`bugs/clip_by_zero`."""
    return f"{path.parent.name}/{path.stem}"


def load(path: Path) -> ModuleType:
    """The program as a module; its loop does not run."""
    spec = importlib.util.spec_from_file_location(f"program_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def run(path: Path, record: Path | None = None) -> Report:
    """The report of `fxaudit run`, in a process of its own; the recording is written to `record`."""

    def work() -> str:
        from fxaudit.run.script import run_script

        warnings.simplefilter("ignore")  # what the programs are warned of is their authors' business
        return run_script([str(path)], record=record).to_json()

    answer, why = in_copy(work, seconds=120.0)
    assert answer is not None, why
    return Report.from_json(answer)


def audited(path: Path) -> Report:
    """The report of `audit()`, called by somebody who watched the objects being made, in a process of its own."""

    def work() -> str:
        warnings.simplefilter("ignore")
        module = load(path)
        with fxaudit.watch():
            model, optimizer, batch = module.make()
            return fxaudit.audit(model, lambda: module.loss_fn(model, batch), optimizer).to_json()

    answer, why = in_copy(work, seconds=120.0)
    assert answer is not None, why
    return Report.from_json(answer)


def is_loop(path: Path) -> bool:
    """Whether the mistake is in the loop, or PyTorch refuses the program, so that one step cannot show it."""
    text = path.read_text(encoding="utf-8")
    return 'KIND = "loop"' in text or "\nRAISES" in text


def needs_loop(path: Path) -> bool:
    """Whether one batch cannot show that a healthy program is healthy."""
    return "NEEDS_LOOP" in path.read_text("utf-8")


def modes_of(path: Path) -> list[str]:
    """How the program is judged: under `run`, and by `audit` where one step can show what is true of it."""
    alone = is_loop(path) if path in BUGS else needs_loop(path)
    return ["run"] if alone else ["run", "audit"]


def judged(path: Path, mode: str) -> Report:
    """The report of `path` in one of its modes."""
    return run(path) if mode == "run" else audited(path)


def found(report: Report, name: str) -> str | None:
    """The verdict of the parameter of that name, with or without the prefix of its root."""
    exact = (known for known in report if known.name == name)
    below = (known for known in report if known.name.endswith(f".{name}"))
    return next((known.verdict for known in (*exact, *below)), None)


def expected(module: ModuleType, mode: str) -> dict[str, str]:
    """The verdicts that the program states, as far as `mode` can tell."""
    told = getattr(module, "ONE_BATCH", "") if mode == "audit" else ""
    return {name: told if told and verdict != "trained" else verdict for name, verdict in module.EXPECT.items()}


def wrong_verdicts(report: Report, expect: dict[str, str]) -> dict[str, str | None]:
    """What differs from the truth."""
    wrong: dict[str, str | None] = {}
    verdicts = {parameter.verdict for parameter in report}
    for key, wanted in expect.items():
        if key[0] in "?!":
            # A leaf outside every model is in no optimizer either.
            if not verdicts & ({wanted, "excluded"} if wanted == "unregistered" else {wanted}):
                wrong[key] = None
        elif found(report, key) != wanted:
            wrong[key] = found(report, key)
    return wrong


def marked_lines(path: Path) -> set[int]:
    """The lines that an expert would edit."""
    return {
        n for n, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if text.endswith("# <-- culprit")
    }


def level_of(report: Report, path: Path) -> str:
    """The best of `LEVELS` on which a marked line of the program is named."""
    marked = marked_lines(path)

    def is_marked(source: Any) -> bool:
        return source is not None and Path(source.file).name == path.name and source.line in marked

    culprits = [finding.culprit for finding in report.findings]
    related = [beside.source for finding in report.findings for beside in finding.related]
    if any(map(is_marked, culprits[:1])):
        return "first"
    if any(map(is_marked, culprits)):
        return "culprit"
    if any(map(is_marked, related)):
        return "related"
    frames = [frame for source in (*culprits, *related) if source is not None for frame in source.frames]
    return "frame" if any(map(is_marked, frames)) else "none"


def has_cause(report: Report, cause: str) -> bool:
    """Whether some finding is of a rule that means `cause`."""
    wanted = CODES[cause]
    return wanted is None or any(finding.code in wanted for finding in report.findings)


def alarms(report: Report, module: ModuleType) -> list[str]:
    """Findings above note that concern anything but what rightly does not train."""
    intent = getattr(module, "INTENT", {})
    return [
        f"{finding.code} {finding.message}"
        for finding in report.findings
        if finding.level != "note"
        and not all(any(fnmatch.fnmatch(n, pattern) for pattern in intent) for n in finding.parameters or ("<none>",))
    ]


def answer(report: Report, path: Path) -> dict[str, Any]:
    """What a reader of the report would act on, in few words: verdicts, and each finding with its lines."""

    def place(source: Any) -> str | None:
        if source is None:
            return None
        if Path(source.file).name == Path(__file__).name:
            return "the caller"
        return str(source.line) if Path(source.file).name == path.name else f"{Path(source.file).name}:{source.line}"

    return {
        "verdicts": {p.name: p.verdict for p in report},
        "findings": [
            [f.code, f.level, place(f.culprit), [place(r.source) for r in f.related], f.message]
            for f in report.findings
        ],
    }


def answers_on_record() -> dict[str, dict[str, Any]]:
    """`ANSWERS`: program → mode → answer."""
    known: dict[str, dict[str, Any]] = json.loads(ANSWERS.read_text("utf-8")) if ANSWERS.is_file() else {}
    return known


def lower_levels() -> dict[str, dict[str, dict[str, str]]]:
    """`LOWER_LEVELS`: "lines" and "causes" → mode → program → what is reached today."""
    known: dict[str, dict[str, dict[str, str]]] = json.loads(LOWER_LEVELS.read_text("utf-8"))
    return known
