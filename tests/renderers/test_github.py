from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxaudit.answer.finding import Finding
from fxaudit.program.source import SourceLine
from fxaudit.renderers.text.github import render
from fxaudit.report import Report

# As actions/runner reads a command: properties up to the next `::`, values percent-decoded.
COMMAND = re.compile(r"::(\w+) (.*?)::(.*)")


def decoded(text: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def properties(line: str) -> dict[str, str]:
    command = COMMAND.fullmatch(line)
    assert command is not None
    return {key: decoded(value) for key, value in (pair.split("=", 1) for pair in command[2].split(","))}


def test_an_annotation_stands_at_the_culprits_line(reports: dict[str, Report]) -> None:
    first = render(reports["detached"]).splitlines()[0]
    assert properties(first) == {
        "file": "train.py",
        "line": "31",
        "col": "13",
        "endColumn": "33",
        "title": "FXA104 detached-path",
    }
    assert "%0AParameters: `encoder.*` and `norm.*`%0A" in first


def test_the_loudest_come_first_and_the_verdict_last(reports: dict[str, Report]) -> None:
    lines = render(reports["many"]).splitlines()
    assert [line[2 : line.index(" ")] for line in lines] == ["error", "error", "error", "warning", "notice", "notice"]
    assert lines[-1].endswith("::" + reports["many"].summary)


@pytest.mark.slow
@given(st.text(max_size=30))
def test_no_text_can_start_a_command_or_a_property_of_its_own(text: str) -> None:
    source = SourceLine(text, 1, "f", text)
    lines = render(Report(findings=(Finding(text, "n", "error", text, text, (), source),))).split("\n")
    assert len(lines) == 3
    assert set(properties(lines[0])) == {"file", "line", "title"}
    assert all(character.isprintable() for line in lines for character in line)


def test_the_lines_of_an_exception_stay_apart() -> None:
    assert "::error title=fxaudit::The script did not finish: E: a%0Ab\n" in render(Report(script_exit="E: a\nb"))
