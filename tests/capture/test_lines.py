"""Which lines of a program ran is heard, not guessed; and nobody notices that somebody listens."""

from __future__ import annotations

import builtins
import colorsys
import gc
import importlib
import inspect
import sys
import textwrap
import threading
import weakref
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch
from torch import nn

import fxaudit
from fxaudit.capture import lines, monitoring
from fxaudit.capture.course import CourseWriter
from fxaudit.capture.monitoring import sees_its_variables
from fxaudit.capture.recording import Record
from fxaudit.capture.session import Session
from tests.scripts import judged, line_of

TRACES = pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python has sys.monitoring")
MONITORS = pytest.mark.skipif(sys.version_info < (3, 12), reason="this Python has no sys.monitoring")


def heard(session: Session) -> set[str]:
    """The lines of this file that ran, as text."""
    text = Path(__file__).read_text(encoding="utf-8").splitlines()
    return {text[line - 1].strip() for line in session.record.ran().of(__file__)}


def test_lines_of_plain_python_are_heard_without_any_call_of_torch() -> None:
    session = Session()
    count(session, 3)
    assert "number += 1" in heard(session)
    assert "number -= 1" not in heard(session)


def count(session: Session, number: int) -> None:
    """A function without assertions, which pytest rewrites to look at the variables."""
    with session.recording():
        if number > 2:
            number += 1
        else:
            number -= 1


def test_a_block_in_the_middle_of_a_program_never_claims_to_know_all_lines() -> None:
    session = Session()
    with session.recording():
        pass
    assert not session.record.ran().of(__file__).certainly_not(1)


def test_nothing_is_left_behind_not_even_after_an_exception() -> None:
    asking, before, importing = sys.gettrace, sys.gettrace(), vars(importlib)["_bootstrap"]._find_and_load
    frame = sys._getframe()
    with pytest.raises(ZeroDivisionError), Session().recording():
        _ = 1 / 0
    assert sys.gettrace is asking
    assert (sys.gettrace(), frame.f_trace, frame.f_trace_lines) == (before, None, True)
    assert vars(importlib)["_bootstrap"]._find_and_load is importing


def test_a_program_that_asks_whether_it_is_debugged_is_told_no() -> None:
    before = sys.gettrace()
    with Session().recording():
        assert sys.gettrace() is before


@TRACES
def test_where_a_debugger_traces_nothing_is_installed() -> None:
    def debugger(frame: FrameType, event: str, argument: Any) -> None:
        return None

    session, before = Session(), sys.gettrace()
    sys.settrace(debugger)
    try:
        with session.recording():
            inside = lines._GETTRACE()
    finally:
        after = sys.gettrace()
        sys.settrace(before)
    assert inside is debugger and after is debugger
    assert not session.lines.is_whole


@TRACES
def test_a_debugger_that_comes_in_between_is_left_alone() -> None:
    def debugger(frame: FrameType, event: str, argument: Any) -> None:
        return None

    session, before = Session(), sys.gettrace()
    try:
        with session.recording():
            sys.settrace(debugger)
        after = sys.gettrace()
    finally:
        sys.settrace(before)
    assert after is debugger
    assert not session.lines.is_whole


@TRACES
def test_with_another_thread_at_work_nobody_listens() -> None:
    session, done = Session(), threading.Event()
    worker = threading.Thread(target=done.wait)
    worker.start()
    try:
        with session.recording():
            inside = lines._GETTRACE()
    finally:
        done.set()
        worker.join()
    assert inside is None and not session.lines.is_whole


def test_what_a_function_lets_go_of_is_gone() -> None:
    def watched() -> weakref.ref[nn.Module]:
        with fxaudit.watch():
            model = nn.Linear(2, 1)
            kept = weakref.ref(model)
            del model
        gc.collect()
        return kept

    assert watched()() is None


def test_after_the_block_no_frame_keeps_a_copy_of_its_variables() -> None:
    def outer() -> bool:
        tensor = torch.ones(3)
        gone = weakref.ref(tensor)
        with fxaudit.watch():
            inner(tensor)
        del tensor
        return gone() is None

    def inner(tensor: torch.Tensor) -> None:
        tensor.sum()

    assert outer()


def test_a_function_that_takes_its_variables_as_a_dictionary_may_change_it() -> None:
    def build(width: int, depth: int) -> dict[str, int]:
        settings = locals()
        settings.pop("depth")
        width += depth
        return settings

    with fxaudit.watch():
        found = build(3, 2)
    assert found == {"width": 3}


@TRACES
def test_a_function_that_runs_the_same_lines_for_long_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "IDLE_EVENTS", 50)
    session = Session()

    def hot() -> int:
        total = 0
        for number in range(1000):
            total += number
        return total

    events = 0
    listen = lines.Lines._listener

    def counting(self: lines.Lines, code: Any) -> Any:
        trace = listen(self, code)

        def count(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal events
            events += 1
            trace(frame, event, argument)
            return count

        return count if trace is not None and code.co_name == "hot" else trace

    monkeypatch.setattr(lines.Lines, "_listener", counting)
    with session.recording():
        hot()
    assert events < 100
    assert not session.lines.is_whole


@TRACES
def test_making_data_for_long_runs_at_full_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LOOK_EVERY", 10)
    monkeypatch.setattr(lines, "IDLE_SECONDS", 0.0)
    session = Session()
    with session.recording():
        for number in range(100):
            str(abs(number)), Record(), Record()
        paused = lines._GETTRACE()
        monkeypatch.setattr(lines, "LOOK_EVERY", 10_000)
        torch.ones(2).sum()
        again = lines._GETTRACE()
    assert paused is None and again is not None
    assert not session.lines.is_whole


@TRACES
def test_a_library_is_imported_at_full_speed_and_a_module_of_ones_own_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "own_module_of_the_test.py").write_text("VALUE = 1\nif VALUE > 1:\n    VALUE = 2\n", encoding="utf-8")
    seen: list[object] = []

    class Finder:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> None:
            seen.append((name, lines._GETTRACE()))

    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    monkeypatch.delitem(sys.modules, "this", raising=False)
    monkeypatch.delitem(sys.modules, "colorsys")
    session = Session()
    with session.recording():
        importlib.import_module("colorsys")
        own = importlib.import_module("own_module_of_the_test")
    traces = dict(seen)  # type: ignore[call-overload]
    assert "colorsys" not in traces or traces["colorsys"] is None
    assert session.record.ran().of(str(own.__file__)) >= {1, 2}
    assert 3 not in session.record.ran().of(str(own.__file__))


def test_a_failed_import_shows_the_traceback_that_it_always_shows() -> None:
    with Session().recording(), pytest.raises(ModuleNotFoundError) as caught:
        import nothing_of_this_name  # type: ignore[import-not-found] # noqa: F401
    assert [entry.name for entry in caught.traceback] == [
        "test_a_failed_import_shows_the_traceback_that_it_always_shows"
    ]


HEAD = """
import torch
from torch import nn
torch.manual_seed(0)
model, x = nn.Linear(4, 1), torch.randn(8, 4)
"""


@pytest.mark.parametrize(
    ("body", "blamed"),
    [
        (
            """
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for count in range(5):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                if count >= 0:
                    count += 1
                    if count > 99:
                        optimizer.step()
            """,
            "if count > 99:",
        ),
        (
            """
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            ready = False
            def update(loss):
                if loss is None:
                    return
                loss.backward()
                if ready:
                    optimizer.step()
            for count in range(5):
                optimizer.zero_grad()
                update(model(x).square().mean())
            """,
            "ready = False",
        ),
        (
            """
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            history = [{"age": 1}, {"age": 3}]
            for count in range(5):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                for entry in history:
                    if entry["age"] % 2 == 0:
                        optimizer.step()
            """,
            'if entry["age"] % 2 == 0:',
        ),
        (
            """
            def warm_up(optimizer, rate):
                for group in optimizer.param_groups:
                    group["lr"] = rate
            optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
            for count in range(4):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()
            """,
            "optimizer = torch.optim.SGD(model.parameters(), lr=0.0)",
        ),
        (
            """
            def old_round(optimizer):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()
            def new_round(optimizer):
                model(x).square().mean().backward()
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for count in range(4):
                new_round(optimizer)
            """,
            "model(x).square().mean().backward()",
        ),
    ],
)
def test_the_line_that_decides_is_the_one_that_did_not_let_it_run(tmp_path: Path, body: str, blamed: str) -> None:
    report = judged(tmp_path, HEAD + textwrap.dedent(body))
    assert line_of(report.findings[0]) == blamed


def test_what_is_edited_and_loaded_again_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    file = tmp_path / "edited_module_of_the_test.py"
    text = textwrap.dedent(
        """\
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b, self.use = nn.Linear(4, 4), nn.Linear(4, 1), False
            def forward(self, x):
                if self.use:
                    x = self.a(x)
                return self.b(x)
        """
    )
    file.write_text(text, encoding="utf-8")
    module = importlib.import_module("edited_module_of_the_test")

    def blamed() -> tuple[int, str]:
        with fxaudit.watch():
            model = module.Net()
            report = fxaudit.audit(model, lambda: model(torch.ones(2, 4)).sum(), prove=False)
        culprit = report["a.weight"].findings[0].culprit
        assert culprit is not None
        return culprit.line, culprit.code

    flags = "self.a, self.b, self.{} = nn.Linear(4, 4), nn.Linear(4, 1), False"
    assert blamed() == (6, flags.format("use"))
    file.write_text("# one\n# two\n" + text.replace("self.use", "self.enabled"), encoding="utf-8")
    importlib.reload(module)
    assert blamed() == (8, flags.format("enabled"))


@TRACES
def test_of_what_records_a_call_next_to_nothing_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    entered = 0
    enter = lines.Lines._entered

    def counting(self: lines.Lines, frame: FrameType, event: str, argument: object) -> Any:
        nonlocal entered
        entered += 1
        return enter(self, frame, event, argument)

    monkeypatch.setattr(lines.Lines, "_entered", counting)
    value = torch.ones(3, requires_grad=True)
    session = Session()
    with session.recording():
        before = entered
        for number in range(100):
            value = value * (number + 2.0)
    assert entered > before, "the calls are heard at all"
    assert (entered - before) / 100 < 12, "recording one call makes nearly thirty"


# -- with sys.monitoring -----------------------------------------------------------------------------------------


def left_in(*codes: Any) -> list[tuple[object, ...]]:
    """What the two tools that fxaudit may be have left behind in the interpreter and in the code."""
    api: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
    found: list[tuple[object, ...]] = []
    for tool in (3, 4):
        name = api.get_tool(tool)
        if name is None:
            api.use_tool_id(tool, "asking")
        found.append((name, api.get_events(tool), *(api.get_local_events(tool, code) for code in codes)))
        if name is None:
            api.free_tool_id(tool)
    return found


@MONITORS
@pytest.mark.parametrize("number", [3, 0])
def test_the_tool_is_given_back_and_no_code_is_watched_any_more(number: int) -> None:
    def divided(number: int) -> list[float]:
        return [one / number for one in range(3)]

    codes = (divided.__code__, sys._getframe().f_code)
    before = left_in(*codes)
    try:
        with Session().recording():
            divided(number)
            during = left_in(*codes)
    except ZeroDivisionError:
        during = []
    assert left_in(*codes) == before == [(None, 0, 0, 0)] * 2
    assert during != before


@MONITORS
def test_a_failure_of_its_own_at_the_start_gives_the_tool_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: CourseWriter, frame: FrameType, caller: FrameType | None) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(CourseWriter, "enter", broken)
    before = left_in()
    with pytest.raises(RuntimeError, match="a defect"), Session().recording():
        pass
    assert left_in() == before


@MONITORS
def test_where_others_have_taken_all_tools_nothing_is_installed_and_theirs_stay() -> None:
    api: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
    for tool in (3, 4):
        api.use_tool_id(tool, "another")
    session = Session()
    try:
        count(session, 3)
        assert [api.get_tool(tool) for tool in (3, 4)] == ["another"] * 2
    finally:
        for tool in (3, 4):
            api.free_tool_id(tool)
    assert not session.lines.is_whole and not session.record.course.sights
    assert heard(session) == set()


@MONITORS
def test_what_another_tool_has_silenced_in_a_library_stays_silent() -> None:
    api: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
    told: list[int] = []

    def once(code: object, line: int) -> object:
        told.append(line)
        return api.DISABLE

    api.use_tool_id(2, "another")
    try:
        api.register_callback(2, api.events.LINE, once)
        api.set_local_events(2, colorsys.rgb_to_yiq.__code__, api.events.LINE)
        colorsys.rgb_to_yiq(0.1, 0.2, 0.3)
        with Session().recording():
            colorsys.rgb_to_yiq(0.1, 0.2, 0.3)
        colorsys.rgb_to_yiq(0.1, 0.2, 0.3)
    finally:
        api.set_local_events(2, colorsys.rgb_to_yiq.__code__, 0)
        api.register_callback(2, api.events.LINE, None)
        api.free_tool_id(2)
    assert told and len(told) == len(set(told))


@MONITORS
def test_what_has_been_noted_costs_no_event_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a branch is never taken; and without the function's lines becoming uncertain."""
    monkeypatch.setattr(monitoring, "IDLE_EVENTS", 200)
    events = 0

    def counting(name: str) -> None:
        asked = getattr(monitoring.Monitor, name)

        def count(self: monitoring.Monitor, *given: Any) -> Any:
            nonlocal events
            events += 1
            return asked(self, *given)

        monkeypatch.setattr(monitoring.Monitor, name, count)

    for name in ("_is_told", "_writes"):
        counting(name)

    def hot(number: int) -> list[int]:
        if number < 0:
            number = -number
        return [number + one for one in range(3)]

    def cold(rounds: int) -> None:
        for number in range(rounds):
            hot(number)

    session = Session()
    with session.recording():
        cold(1000)
        first = events
        cold(1000)
    assert first < 2000 and events - first < 10
    assert "number = -number" not in heard(session)
    assert "return [number + one for one in range(3)]" in heard(session)


@MONITORS
def test_of_another_thread_the_lines_are_heard_and_only_they() -> None:
    session = Session()

    def work() -> int:
        elsewhere = 1
        return elsewhere

    def here() -> int:
        near = 2
        return near

    worker = threading.Thread(target=work)
    with session.recording():
        worker.start()
        worker.join()
        here()
    bound = {target for sight in session.record.course.sights for target in sight.bound}
    assert "elsewhere = 1" in heard(session)
    assert "near" in bound and "elsewhere" not in bound


@MONITORS
def test_while_the_recording_rests_nothing_is_heard_and_a_call_that_goes_on_is_another() -> None:
    session = Session()

    def wake() -> None:
        session.lines.resume(sys._getframe(1))

    def work() -> int:
        before = 1
        session.lines.pause()
        meanwhile = 2
        wake()
        after = before + meanwhile
        return after

    with session.recording():
        work()
    assert "meanwhile = 2" not in heard(session) and "after = before + meanwhile" in heard(session)
    course = session.record.course
    assert [frame.function.rpartition(".")[2] for frame in course.frames].count("work") == 2
    assert [sight.bound["after"].value for sight in course.sights if "after" in sight.bound] == [3]


@MONITORS
def test_looking_at_variables_keeps_none_of_them_alive_while_the_function_runs() -> None:
    def work() -> bool:
        tensor = torch.ones(3)
        kept = weakref.ref(tensor)
        again = tensor
        del tensor, again
        return kept() is None

    with Session().recording():
        gone = work()
    assert gone


def _stacks(model: Any, parts: Any) -> Any:
    model.eval()
    return torch.stack(parts), model.dir, model.exec


def _looks() -> Any:
    return locals()


def _looks_at_frames() -> Any:
    return inspect.stack()


def _looks_outwards(frame: Any) -> Any:
    return frame.f_locals


def _evaluates(text: str) -> Any:
    return eval(text)


def _looks_by_the_module() -> Any:
    return builtins.locals()


def _imports_what_looks() -> Any:
    from os import path
    from sys import byteorder, _getframe as frame  # fmt: skip # isort: skip

    return path, byteorder, frame()


def _imports_a_namesake(parts: Any) -> Any:
    from torch import stack

    return stack(parts)


@pytest.mark.parametrize(
    ("function", "looks"),
    [
        (_stacks, False),
        (_looks, True),
        (_looks_at_frames, True),
        (_looks_outwards, True),
        (_evaluates, True),
        (_looks_by_the_module, True),
        (_imports_what_looks, True),
        (_imports_a_namesake, False),
    ],
)
def test_only_what_looks_at_its_variables_is_left_alone(function: Any, looks: bool) -> None:
    """`model.eval()` and `torch.stack(…)` have the names of functions that do, and are methods of something else."""
    assert sees_its_variables(function.__code__) is looks
