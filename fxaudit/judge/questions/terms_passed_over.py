"""A term of the loss that a comprehension passes over by its weight: `sum(w[t] * v for t, v in terms if w[t] > 0)`."""

from __future__ import annotations

from fxaudit.judge.questions.births import born_at
from fxaudit.judge.rule import Audit
from fxaudit.program.birth import Birth
from fxaudit.program.decisions import Decisions
from fxaudit.program.plain import readings
from fxaudit.program.source import SourceLine, actual_path

__all__ = ["passed_by_weight", "weight_in"]

Lines = list[tuple[SourceLine | None, str]]


def passed_by_weight(audit: Audit, chosen: SourceLine) -> tuple[SourceLine, Lines] | None:
    """The line of the setting by which the comprehension in the line passes something over, and what is related to it;
    None where it is not known."""
    found = weight_in(audit, actual_path(chosen.file), chosen.line)
    if found is None:
        return None
    birth, text = found
    line, stations = born_at(birth)
    return line, [(chosen, f"`{text}` passes it over here"), *stations]


def weight_in(audit: Audit, file: str, line: int) -> tuple[Birth, str] | None:
    """(the birth of the one setting by which the comprehension in the line passes something over, the test); None where
    it is not known, or there are several."""
    course = audit.record.course
    decisions = Decisions(course)
    found: dict[tuple[str, int], tuple[Birth, str]] = {}
    for test in readings(file).tests_at(line):
        for sight in course.at(file, line):
            decision = decisions.in_pass(sight, test, outcome=False)
            if decision is None or isinstance(decision.value, str):
                continue  # a name that is not there is no weight
            if decision.birth is not None and decision.birth.is_a_setting:
                found[decision.birth.file, decision.birth.line] = (decision.birth, decision.text)
    return next(iter(found.values())) if len(found) == 1 else None
