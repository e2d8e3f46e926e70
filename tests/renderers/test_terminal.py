from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from fxaudit.answer.answer import Event, Gradient, Holder, ParameterReport, StepReport
from fxaudit.answer.finding import Finding, Related
from fxaudit.program.source import Frame, SourceLine
from fxaudit.renderers.text.code_frame import CodeFrame
from fxaudit.renderers.text.terminal import render
from fxaudit.renderers.text.wording import events_text
from fxaudit.report import Report


def frame_text(source: SourceLine, width: int = 80) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with console.capture() as capture:
        console.print(CodeFrame(source, 2))
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_is_wider_than_the_terminal(case: tuple[str, Report], width: int) -> None:
    assert max(cell_len(line) for line in render(case[1], width=width).splitlines()) <= width


def test_without_colour_there_is_no_control_character(case: tuple[str, Report]) -> None:
    text = render(case[1])
    assert [character for character in text if not character.isprintable() and character != "\n"] == []


def test_with_colour_only_colours_are_added(reports: dict[str, Report]) -> None:
    colored = render(reports["detached"], color=True)
    assert "\x1b[" in colored
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    with console.capture() as capture:
        console.print(reports["detached"])
    assert "\x1b" not in capture.get()
    assert capture.get().split() == render(reports["detached"]).split()


@given(st.text(max_size=40))
def test_any_name_appears_as_inert_text(name: str) -> None:
    source = SourceLine(name, 1, name, name, (), (0, 3), ((1, name),))
    finding = Finding(name, name, "error", name, name, (name,), source)
    parameter = ParameterReport(name, "unreachable", name, held_by=(Holder(name, 0),), findings=(finding,))
    text = render(Report({name: parameter}, (finding,), title=name))
    assert all(character.isprintable() or character == "\n" for character in text)


def test_markup_in_a_name_is_printed_and_not_obeyed() -> None:
    report = Report({"[bold]w[/bold]": ParameterReport("[bold]w[/bold]", "trained", "")})
    assert "[bold]w[/bold]" in render(report)


def test_carets_stand_under_the_columns_of_the_line_as_it_is_in_the_file() -> None:
    text = "        y = f(x).detach()"
    source = SourceLine("a.py", 7, "f", text.strip(), (), (12, 25), ((7, text),))
    assert frame_text(source)[2:4] == [" 7 | y = f(x).detach()", "   |     ^^^^^^^^^^^^^"]


def test_carets_stand_under_the_whole_code_where_no_columns_are_known() -> None:
    source = SourceLine("a.py", 7, "f", "x.item()", context=((6, "if x:"), (7, "    x.item()")))
    assert frame_text(source)[3:5] == [" 7 |     x.item()", "   |     ^^^^^^^^"]


def test_carets_end_before_a_comment_that_is_no_part_of_what_is_meant() -> None:
    source = SourceLine("a.py", 7, "f", "", context=((7, 'run("#1", [  # later'),))
    assert frame_text(source)[2:4] == [' 7 | run("#1", [  # later', "   | ^^^^^^^^^^^"]
    alone = SourceLine("a.py", 7, "f", "", context=((7, "    # nothing else"),))
    assert frame_text(alone)[3] == "   | ^^^^^^^^^^^^^^"


def test_a_long_place_and_role_hang_under_their_beginning() -> None:
    console = Console(file=io.StringIO(), width=40, color_system=None)
    with console.capture() as capture:
        console.print(CodeFrame(SourceLine("package/module.py", 7, "f", ""), 2, role="the optimizer is built here"))
    first, second = [line.rstrip() for line in capture.get().splitlines()][:2]
    assert first.startswith("  ::: package/module.py:7 in f: the") and second.startswith(" " * 6 + "optimizer")


def test_carets_are_aligned_under_wide_characters() -> None:
    text = "漢字 = x.detach()"
    source = SourceLine("a.py", 7, "f", text, (), (5, 15), ((7, text),))
    assert frame_text(source)[3] == "   |        ^^^^^^^^^^"


def test_the_meant_part_of_a_long_line_stays_in_sight() -> None:
    text = f"y = f({'a, ' * 60}x.detach())"
    source = SourceLine("a.py", 7, "f", text, (), (len(text) - 11, len(text) - 1), ((7, text),))
    code, carets = frame_text(source)[2:4]
    assert code.startswith(" 7 | …")
    assert code.endswith("x.detach())")
    assert code[carets.index("^") : carets.rindex("^") + 1] == "x.detach()"


def test_a_culprit_in_an_unreadable_file_still_names_its_place() -> None:
    assert frame_text(SourceLine("<string>", 7, "f", "")) == ["  --> <string>:7 in f"]


def test_a_long_loop_takes_at_most_twelve_lines() -> None:
    steps = tuple(StepReport((Event("step", f"step {number}"),)) for number in range(40))
    text = render(Report(steps=steps))
    lines = text[text.index("The loop") :].split("\n\n")[0].splitlines()
    assert len(lines) <= 12
    assert lines[-1].strip() == "… and 31 lines more"


def test_a_table_of_many_different_parameters_is_cut_and_says_so() -> None:
    parameters = {f"m{n}.w": ParameterReport(f"m{n}.w", "trained", "", numel=1) for n in range(100)}
    assert "… and 88 parameters in 88 rows more" in " ".join(render(Report(parameters)).split())


def test_parameters_that_no_finding_explains_come_with_their_reason() -> None:
    lonely = ParameterReport("w", "unknown", "No optimizer was given.", gradient=Gradient("zero"))
    assert "- `w` unknown: No optimizer was given." in render(Report({"w": lonely}))


def test_the_path_names_the_place_of_a_cut_that_is_not_the_culprit(reports: dict[str, Report]) -> None:
    finding = reports["detached"].findings[0]
    moved = replace(finding, culprit=replace(finding.culprit, line=3)) if finding.culprit else finding
    assert "detach ✂ (gradient ends at train.py:31)" in render(Report(findings=(moved,)), width=200)


def test_a_report_prints_itself_without_colour(reports: dict[str, Report]) -> None:
    assert str(reports["many"]) == render(reports["many"])


def test_an_edit_stands_below_the_help_line_ready_to_paste(reports: dict[str, Report]) -> None:
    edited = replace(reports["detached"].findings[0], fix="Delete it.\n- x = y.detach()\n+ x = y")
    assert "help: Delete it.\n      - x = y.detach()\n      + x = y\n" in render(Report(findings=(edited,)))


def test_an_exception_of_several_lines_is_printed_line_by_line() -> None:
    traceback = 'Traceback (most recent call last):\n  File "a.py", line 3, in f\n    g()\nValueError: first\nsecond\n'
    text = render(Report(script_exit="ValueError: first\nsecond", traceback=traceback))
    lines = text.splitlines()
    start = lines.index("The script did not finish: ValueError: first")
    assert lines[start + 1 : start + 5] == ["  second", '  File "a.py", line 3, in f', "    g()", ""]


def test_the_continuation_of_a_long_traceback_line_hangs_under_it() -> None:
    traceback = f'Traceback (most recent call last):\n  File "/{"d/" * 20}a.py", line 3, in f\n    g()\nValueError: x\n'
    text = render(Report(script_exit="ValueError: x", traceback=traceback), width=60)
    assert f'\n  File "/{"d/" * 20}a.py", line\n  3, in f\n    g()\n' in text


def test_an_exit_status_is_no_exception() -> None:
    assert "\nThe script ended with exit status 7.\n" in render(Report(script_exit="7"))


def test_a_very_long_line_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from fxaudit.renderers.text import code_frame

    measured = 0
    width = code_frame.cell_len

    def counting(text: str) -> int:
        nonlocal measured
        measured += len(text)
        return width(text)

    monkeypatch.setattr(code_frame, "cell_len", counting)
    code = "x = " + "a + " * 10_000 + "b.detach()"
    source = SourceLine("train.py", 3, "f", code, (), (len(code) - 10, len(code)), ((3, code),))
    text = render(Report(findings=(Finding("FXA104", "detached-path", "error", "cut", "Mend it.", (), source),)))
    assert "b.detach()" in text and "^" * 10 in text
    assert measured < 4 * len(code)


def test_a_frozen_parameter_says_where_it_was_frozen() -> None:
    source = SourceLine("train.py", 9, "main", "model.body.requires_grad_(False)", (), None, ())
    parameters = {
        name: ParameterReport(name, verdict, "because", frozen_at=source if verdict == "frozen" else None)
        for name, verdict in (("body.weight", "frozen"), ("body.bias", "frozen"), ("head.weight", "trained"))
    }
    text = " ".join(render(Report(parameters=parameters)).split())  # type: ignore[arg-type]
    assert "frozen body.* at train.py:9 in main: model.body.requires_grad_(False)" in text


def test_the_margin_is_as_wide_as_the_longest_number_that_is_shown(reports: dict[str, Report]) -> None:
    near = tuple((number, f"line {number}") for number in range(7, 12))
    culprit = SourceLine("a.py", 9, "f", "line 9", context=near)
    finding = replace(reports["detached"].findings[0], culprit=culprit, related=())
    text = render(replace(reports["detached"], findings=(finding,)), width=80)
    assert " 9 | line 9\n" in text and "\n10 | line 10\n" in text
    assert len({line.index("|") for line in text.splitlines() if re.match(r" *\d* \|", line)}) == 1


def test_no_colour_is_plain_blue_which_a_dark_ground_swallows(reports: dict[str, Report]) -> None:
    assert "\x1b[34m" not in render(reports["detached"], width=80, color=True)


@pytest.mark.parametrize(("width", "same_line"), [(80, True), (40, False)])
def test_a_line_beside_the_culprit_is_told_where_it_is_shown(
    reports: dict[str, Report], width: int, same_line: bool
) -> None:
    near = ((7, "    model.zero_grad()"), (8, "    optimizer.step()"), (9, "    return"))
    culprit = SourceLine("a.py", 7, "f", "model.zero_grad()", context=near)
    step = Related(SourceLine("a.py", 8, "f", "optimizer.step()"), "the step that finds no gradient")
    other = Related(SourceLine("b.py", 8, "g", "optimizer.step()"), "another file")
    finding = replace(reports["detached"].findings[0], culprit=culprit, related=(step, other))
    text = render(replace(reports["detached"], findings=(finding,)), width=width)
    told = "  | ---------------- the step that finds no gradient\n"
    parts = "  | ----------------\n  | the step that finds no gradient\n"
    assert (told if same_line else parts) in text
    assert text.count("the step that finds no gradient") == 1 and "::: b.py:8 in g: another file" in text


@pytest.mark.parametrize(("variable", "has_color"), [("FORCE_COLOR", True), ("NO_COLOR", False)])
def test_the_customary_variables_decide_on_colour(
    variable: str, has_color: bool, reports: dict[str, Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv(variable, "1")
    stream = io.StringIO()
    Console(file=stream, width=80).print(reports["detached"])
    assert ("\x1b[1;31m" in stream.getvalue()) is has_color


def test_the_loop_is_told_where_a_cause_lies_there_and_on_request(reports: dict[str, Report]) -> None:
    report = reports["detached"]
    text = render(report)
    assert "\nOptimizers\n" not in text and "\nThe loop\n" not in text
    assert text.endswith("Optimizers and the loop: --verbose\n")
    assert "\nOptimizers\n" in render(report, verbose=True) and "--verbose" not in render(report, verbose=True)
    in_loop = replace(report, findings=(replace(report.findings[0], code="FXA402"),))
    assert "\nOptimizers\n" in render(in_loop)
    assert "\nThe loop\n" in render(reports["healthy"])


def test_one_cause_takes_one_screen(reports: dict[str, Report]) -> None:
    assert len(render(reports["detached"], width=100).splitlines()) <= 40


def test_a_place_is_a_link_where_the_file_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b.py").write_text("x = 1\n")
    finding = Finding("FXA104", "cut", "error", "cut", "", (), SourceLine("a b.py", 1, "f", "x = 1"))
    shown = render(Report(findings=(finding,)), color=True)
    assert "]8;id=" in shown and f"{(tmp_path / 'a b.py').as_uri()}#1" in shown
    assert "\x1b" not in render(Report(findings=(finding,)))
    (tmp_path / "a b.py").unlink()
    assert "]8;" not in render(Report(findings=(finding,)), color=True)


@pytest.mark.parametrize(("name", "colored"), [("FORCE_COLOR", True), ("NO_COLOR", False)])
def test_the_environment_decides_on_colours(
    name: str, colored: bool, reports: dict[str, Report], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fxaudit.cli.delivery import print_report

    for other in ("FORCE_COLOR", "NO_COLOR", "TERM", "COLORTERM"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    out = io.StringIO()
    print_report(reports["detached"], "terminal", out)
    assert bool(re.search(r"\x1b\[[\d;]*31m", out.getvalue())) is colored


def test_what_a_library_does_goes_by_its_hook() -> None:
    private = SourceLine(
        "lib/loop.py", 9, "_Loop._step", "", (Frame("lib/module.py", 3, "Module.optimizer_step"),), library=True
    )
    events = (
        Event("backward", "backward", SourceLine("lib/module.py", 7, "Module.backward", "", library=True)),
        Event("step", "opt.step", private),
        Event("zero_grad", "cleared", SourceLine("train.py", 4, "main", "")),
    )
    assert events_text(events) == "backward in Module.backward → opt.step in Module.optimizer_step → cleared train.py:4"
    nameless = SourceLine("lib/run.py", 2, "<module>", "", library=True)
    assert events_text([Event("step", "opt.step", nameless)]) == "opt.step lib/run.py:2"
