"""Whole programs, broken and healthy, judged as a user would have them judged: under `run`, and by `audit`.

Each file in tests/programs says what is true of it: `EXPECT` gives the verdict of every parameter (`?name` a tensor
that no model registers, `!name` one that an optimizer holds for nothing), lines that an expert would edit end with the
comment `# <-- culprit`, and in healthy programs `INTENT` names what rightly does not train.
"""

from __future__ import annotations

import fnmatch
import importlib.util
import sys
import warnings
from pathlib import Path
from types import ModuleType

import pytest
import torch

import fxaudit
from fxaudit.forking import in_copy
from fxaudit.report import Report

FOLDER = Path(__file__).parent / "programs"
BUGS = sorted((FOLDER / "bugs").glob("*.py"))
HEALTHY = sorted((FOLDER / "healthy").glob("*.py"))


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """The first optimizer of a process pays a second for torch's imports; pay it once, before the copies are made."""
    weight = torch.zeros(1, requires_grad=True)
    weight.grad = torch.ones(1)
    torch.optim.SGD([weight], lr=0.1).step()


def load(path: Path) -> ModuleType:
    """The program as a module; its loop does not run."""
    spec = importlib.util.spec_from_file_location(f"program_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def run(path: Path) -> Report:
    """The report of `fxaudit run`, in a process of its own."""

    def work() -> str:
        from fxaudit.runner import run_script

        warnings.simplefilter("ignore")  # what the programs are warned of is their authors' business
        return run_script([str(path)]).to_json()

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


def found(report: Report, name: str) -> str | None:
    """The verdict of the parameter of that name, with or without the prefix of its root."""
    exact = (known for known in report if known.name == name)
    below = (known for known in report if known.name.endswith(f".{name}"))
    return next((known.verdict for known in (*exact, *below)), None)


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


def named_lines(report: Report, path: Path) -> set[int]:
    """The lines of the program that the findings name: culprits with the frames above them, and related lines."""
    lines = set()
    for finding in report.findings:
        sources = [finding.culprit, *(related.source for related in finding.related)]
        for source in sources:
            if source is not None:
                lines |= {f.line for f in (source, *source.frames) if Path(f.file).name == path.name}
    return lines


def marked_lines(path: Path) -> set[int]:
    """The lines that an expert would edit."""
    return {
        n for n, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if text.endswith("# <-- culprit")
    }


def is_loop(path: Path) -> bool:
    """Whether the mistake is in the loop, or PyTorch refuses the program, so that one step cannot show it."""
    text = path.read_text(encoding="utf-8")
    return 'KIND = "loop"' in text or "\nRAISES" in text


def assert_right(report: Report, path: Path) -> None:
    """Verdicts and line are those that the program states."""
    module = load(path)
    assert wrong_verdicts(report, module.EXPECT) == {}
    assert named_lines(report, path) & marked_lines(path), [str(f.culprit) for f in report.findings]
    assert any(finding.level != "note" for finding in report.findings) or module.CAUSE == "frozen"


def alarms(report: Report, module: ModuleType) -> list[str]:
    """Findings above note that concern anything but what rightly does not train."""
    intent = getattr(module, "INTENT", {})
    return [
        f"{finding.code} {finding.message}"
        for finding in report.findings
        if finding.level != "note"
        and not all(any(fnmatch.fnmatch(n, pattern) for pattern in intent) for n in finding.parameters or ("<none>",))
    ]


@pytest.mark.parametrize("path", BUGS, ids=lambda path: path.stem)
def test_a_broken_program_is_judged_right_under_run(path: Path) -> None:
    assert_right(run(path), path)


@pytest.mark.parametrize("path", [p for p in BUGS if not is_loop(p)], ids=lambda path: path.stem)
def test_a_broken_program_is_judged_right_by_audit(path: Path) -> None:
    assert_right(audited(path), path)


@pytest.mark.parametrize("path", HEALTHY, ids=lambda path: path.stem)
def test_a_healthy_program_raises_no_alarm_under_run(path: Path) -> None:
    module = load(path)
    report = run(path)
    assert wrong_verdicts(report, module.EXPECT) == {}
    assert alarms(report, module) == []


@pytest.mark.parametrize("path", [p for p in HEALTHY if "NEEDS_LOOP" not in p.read_text("utf-8")], ids=lambda p: p.stem)
def test_a_healthy_program_raises_no_alarm_in_audit(path: Path) -> None:
    assert alarms(audited(path), load(path)) == []
