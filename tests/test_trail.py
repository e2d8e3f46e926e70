"""From the text of a program and the lines of it that ran to the line to edit.

In the texts `# idle` marks the lines that did not run; every other line with a number in it did.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from fxaudit.capture.recording import HeardLines, Record
from fxaudit.judge import trail
from fxaudit.program.birth import Birth
from fxaudit.program.course import Entered, Seen, Sight
from fxaudit.program.decisions import Decision
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import FunctionNode, Tree, tree_of


@dataclass
class Program:
    """A text, and the record of a run of it."""

    file: str
    record: Record
    lines: list[str]

    def line(self, mark: str) -> int:
        """The number of the one line that has `# mark`."""
        (number,) = [number for number, text in enumerate(self.lines, 1) if text.endswith(f"# {mark}")]
        return number

    def at(self, mark: str, function: str = "main", base: int = -1) -> int:
        return self.record.stacks.at(self.file, self.line(mark), function, base=base)

    @property
    def tree(self) -> Tree:
        tree = tree_of(self.file)
        assert tree is not None
        return tree

    def scope(self, name: str) -> FunctionNode:
        (found,) = [n for n in self.tree.nodes if isinstance(n, ast.FunctionDef) and n.name == name]
        return found

    def marks(self, found: list[tuple[SourceLine, str]]) -> list[str]:
        """The marks of the lines that were found, and where there is none, the numbers."""
        return [self.mark(line) for line, _ in found]

    def mark(self, line: SourceLine | None) -> str:
        if line is None:
            return ""
        text = self.lines[line.line - 1]
        return text.rpartition("# ")[2] if "# " in text else str(line.line)


Writer = Callable[[str], Program]


@pytest.fixture
def program(tmp_path: Path) -> Writer:
    def write(text: str) -> Program:
        file = tmp_path / f"train{len([*tmp_path.iterdir()])}.py"  # texts are read once
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        lines = file.read_text("utf-8").splitlines()
        ran = {number for number, line in enumerate(lines, 1) if line.strip() and "idle" not in line}
        record = Record(lines=HeardLines({str(file): ran}, is_whole=True))
        record.stacks.at(str(file), 1, "<module>")
        return Program(str(file), record, lines)

    return write


# -- calls that never run ----------------------------------------------------------------------------------------------

WHYS: dict[str, tuple[str, list[str], str]] = {
    "the parentheses are missing": (
        "def main():\n    optimizer.step  # here\nmain()",
        ["here"],
        "named, but not called",
    ),
    "a test that is never true": (
        "def main(go=False):  # default\n    if go:  # test\n        optimizer.step()  # idle call\nmain()",
        ["test", "idle call", "default"],
        "`go` is nothing here",
    ),
    "an early return": (
        "def main():\n    if ready:  # test\n        return\n    optimizer.step()  # idle call\nmain()",
        ["test", "idle call"],
        "the call that never runs",
    ),
    "nobody calls the function": (
        "def work():  # def\n    optimizer.step()  # idle call\nprint()",
        ["def", "idle call"],
        "the call stands in `work`, which never runs",
    ),
    "a test around the call of its function": (
        "def work():\n    optimizer.step()  # idle call\nif False:  # test\n    work()  # idle",
        ["test", "idle call"],
        "which never runs",
    ),
    "it runs": ("def main():\n    optimizer.step()\nmain()", [], ""),
}


@pytest.mark.parametrize("case", WHYS)
def test_why_a_call_that_is_there_never_ran(program: Writer, case: str) -> None:
    text, marks, role = WHYS[case]
    found = program(text)
    if case == "it runs":
        seen = [found.record.stacks.at(found.file, 2, "main")]
        assert trail.why_never_called(found.record, "step", seen) == []
        return
    told = trail.why_never_called(found.record, "step")
    assert found.marks(told) == marks
    assert role in told[-1][1]
    assert trail.let_run("step", told) == f"Make the `step` that is there run: {told[0][1]}."


def test_nothing_is_said_to_be_let_run_where_nothing_keeps_it() -> None:
    assert trail.let_run("step", []) == ""


def test_only_the_calls_on_the_named_receivers_count(program: Writer) -> None:
    found = program(
        """
        def main(go=False):
            if go:  # first
                scheduler.step()  # idle
            if go:  # second
                self.critic.step()  # idle
            if go:  # third
                optimizers["g"].step()  # idle
        main()
        """
    )
    record = found.record
    assert found.marks(trail.why_never_called(record, "step"))[:1] == ["first"]
    assert found.marks(trail.why_never_called(record, "step", receivers=frozenset({"critic"})))[:1] == ["second"]
    assert found.marks(trail.why_never_called(record, "step", receivers=frozenset({"optimizers"})))[:1] == ["third"]
    assert trail.why_never_called(record, "step", receivers=frozenset({"other"})) == []


def test_a_mention_without_a_call_on_another_receiver_is_not_told(program: Writer) -> None:
    found = program("def main():\n    scheduler.step  # here\nmain()")
    assert trail.why_never_called(found.record, "step", receivers=frozenset({"optimizer"})) == []
    assert found.marks(trail.why_never_called(found.record, "step", receivers=frozenset({"scheduler"}))) == ["here"]


def test_a_call_that_runs_and_was_not_seen_is_passed_on_to_nobody(program: Writer) -> None:
    found = program("def main():\n    wrapper.step()  # here\nmain()")
    told = trail.why_never_called(found.record, "step", receivers=frozenset({"wrapper"}))
    assert [(found.mark(line), role) for line, role in told] == [
        ("here", "this call runs, and what it calls passes it on to nobody")
    ]
    assert trail.why_never_called(found.record, "step") == []


def test_a_function_that_would_do_again_what_was_done_is_left_over(program: Writer) -> None:
    found = program("def old():  # def\n    loss.backward()  # idle\n    optimizer.step()  # idle call\nprint()")
    assert found.marks(trail.why_never_called(found.record, "step")) == ["def", "idle call"]
    assert trail.why_never_called(found.record, "step", done=frozenset({"backward"})) == []
    assert trail.why_never_called(found.record, "step", done=frozenset({"zero_grad"})) != []


def test_a_method_whose_place_another_takes_is_told(program: Writer) -> None:
    found = program(
        """
        class Base:
            def finish(self):
                optimizer.step()  # idle call
        class Own(Base):
            def finish(self):  # instead
                print("done")
        Own().finish()
        """
    )
    told = trail.why_never_called(found.record, "step")
    assert found.marks(told) == ["instead", "idle call"]
    assert told[0][1] == "`Own.finish` takes the place of `Base.finish`, and does not call it"
    assert trail.overridden([found.file], found.tree, found.tree.nodes[0], found.record.ran()) == []


@pytest.mark.parametrize(
    ("compared", "at", "marks"),
    [
        pytest.param(False, "test", ["birth", "test"], id="the flag's value comes first"),
        pytest.param(True, "test", ["test", "birth"], id="a test that is asked where it stands is told once"),
        pytest.param(True, "asked", ["test", "asked", "birth"], id="a test in a function that is asked comes first"),
    ],
)
def test_what_is_to_be_edited_of_a_decision_comes_first(
    program: Writer, compared: bool, at: str, marks: list[str]
) -> None:
    found = program(
        """
        LIMIT = 3  # birth
        def late(epoch):
            return epoch > LIMIT  # test
        if late(0):  # asked
            step()
        """
    )
    birth = Birth(found.file, found.line("birth"), "literal", "3", 3)
    decision = Decision(found.file, found.line("test"), "epoch > LIMIT", "LIMIT", 3, birth, is_compared=compared)
    line = trail.source_at(found.file, found.line(at))
    assert found.marks(trail.blamed(decision, [(line, "asked here")])) == marks


def test_the_stations_of_a_value_follow_the_lines_that_ask_for_it(program: Writer) -> None:
    found = program(
        """
        LIMIT = 3  # birth
        first = LIMIT  # first
        last = first  # last
        if last > 5:  # asked
            step()
        """
    )
    stations = [(found.file, found.line(mark), "handed on here") for mark in ("last", "first")]
    birth = Birth(found.file, found.line("birth"), "literal", "3", 3, stations=tuple(stations))
    decision = Decision(found.file, found.line("asked"), "last > 5", "last", 3, birth)
    told = [(trail.source_at(found.file, found.line("asked")), "asked here")]
    assert found.marks(trail.blamed(decision, told)) == ["birth", "asked", "first", "last"]


@pytest.mark.parametrize("inner", ["inner", "idle inner"])
def test_a_loop_that_surely_has_rounds_is_not_blamed(program: Writer, inner: str) -> None:
    found = program(
        f"""
        def main(data=()):
            for epoch in range(3):  # outer
                for batch in data:  # {inner}
                    optimizer.step()  # idle call
        main()
        """
    )
    marks = found.marks(trail.why_never_called(found.record, "step"))
    assert inner in marks and "outer" not in marks


def test_calls_that_did_not_run_are_listed_but_for_those_that_freeze(program: Writer) -> None:
    found = program(
        """
        def main(go=False):
            head.requires_grad_()
            if go:
                body.requires_grad_()  # idle thaw
                body.requires_grad_(True)  # idle too
                body.requires_grad_(False)  # idle freeze
                requires_grad_(body)  # idle function
        main()
        """
    )
    told = trail.calls_not_run(found.record, ["requires_grad_"])
    assert told == [(found.file, found.line("idle thaw")), (found.file, found.line("idle too"))]


# -- functions that never run ------------------------------------------------------------------------------------------


def test_a_function_was_entered_where_a_line_of_its_body_ran(program: Writer) -> None:
    found = program(
        """
        def one():
            return 1
        def other():
            return (
                2)  # idle
        two = lambda: one()
        """
    )
    ran = found.record.ran()
    lines = {name: trail.was_entered(found.tree, found.scope(name), ran) for name in ("one", "other")}
    assert lines == {"one": True, "other": True}
    never = program("def one():\n    a = 1  # idle\n    return a  # idle\nprint()")
    assert not trail.was_entered(never.tree, never.scope("one"), never.record.ran())
    (two,) = [node for node in found.tree.nodes if isinstance(node, ast.Lambda)]
    assert trail.was_entered(found.tree, two, ran)


NEAR = """
class Base:
    def forward_train(self):
        return 1
class Own(Base):
    def {name}(self):  # def
        return 2  # idle
Own().forward_train()
"""


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("forward_trian", "nobody calls `forward_trian`; `Base.forward_train` runs"),
        ("prepare", "nobody calls `prepare`"),
    ],
)
def test_a_method_that_nobody_calls_may_be_meant_for_another(program: Writer, name: str, role: str) -> None:
    found = program(NEAR.format(name=name))
    found.record.course.frames.append(Entered(found.file, "Base.forward_train", 3, -1, 8, 0))
    told = trail.never_called(found.record, found.tree, found.scope(name))
    assert [(found.mark(line), text) for line, text in told] == [("def", role)]


def test_what_is_mentioned_or_has_run_is_not_said_to_be_called_by_nobody(program: Writer) -> None:
    found = program("def one():\n    return 1  # idle\nhooks = [one]\ndef two():\n    return 2\ntwo()")
    for name in ("one", "two"):
        assert trail.never_called(found.record, found.tree, found.scope(name)) == []


def test_what_keeps_the_calls_of_a_function_from_running(program: Writer) -> None:
    found = program(
        "def one():\n    return 1  # idle\nif False:  # test\n    one()  # idle\ndef two():\n    return\ntwo()"
    )
    ran = found.record.ran()
    (told,) = trail.obstacles_to_entering([found.file], found.tree, found.scope("one"), ran)
    assert told.line == found.line("test")
    assert trail.obstacles_to_entering([found.file], found.tree, found.scope("two"), ran) == []


# -- frames ------------------------------------------------------------------------------------------------------------

CALLS = """
def inner(x):
    made = x * 2  # made
    return made

def outer(x):
    for number in range(3):
        y = inner(x)  # call
        z = y + 1  # beside
    for number in range(3):
        last = y  # after
    return inner(x)  # handed

def main():
    result = outer(1)  # main
    outer(2)  # again
main()
"""


def test_stacks_meet_in_the_innermost_function_that_both_come_through(program: Writer) -> None:
    found = program(CALLS)
    stacks = found.record.stacks
    main = found.at("main")
    outer = found.at("call", "outer", main)
    inner = found.at("made", "inner", outer)
    assert trail.common_frame(stacks, inner, main) == main
    assert trail.common_frame(stacks, inner, outer) == outer
    assert trail.common_frame(stacks, inner, inner) == inner
    other = found.at("again")
    assert trail.common_frame(stacks, inner, other) == inner  # nothing in common


def test_a_value_is_bound_where_the_returns_lead(program: Writer) -> None:
    found = program(CALLS)
    stacks = found.record.stacks
    main = found.at("main")
    handed = found.at("handed", "outer", main)
    returned = stacks.at(found.file, found.line("made") + 1, "inner", base=handed)
    assert trail.binding_stack(stacks, returned) == main
    assert trail.binding_stack(stacks, found.at("made", "inner", handed)) == len(stacks.codes) - 1
    assert trail.binding_stack(stacks, -1) == -1
    alone = found.at("handed", "outer")
    assert trail.binding_stack(stacks, alone) == alone
    within = stacks.at(found.file, found.line("made") + 1, "inner", base=alone)
    assert trail.binding_stack(stacks, within) == alone  # nobody binds it: the outermost


def test_the_innermost_frame_of_the_project_is_told_apart_from_libraries(program: Writer) -> None:
    found = program(CALLS)
    stacks = found.record.stacks
    main = found.at("main")
    library = stacks.at(textwrap.__file__, 10, "wrap", base=main)
    assert trail.project_stack(stacks, library) == main
    assert trail.project_stack(stacks, main) == main
    alone = stacks.at(textwrap.__file__, 10, "wrap")
    assert trail.project_stack(stacks, alone) == alone
    assert trail.project_files(found.record) == [found.file]


# -- returns -----------------------------------------------------------------------------------------------------------

RETURNS = """
class Net:
    def forward(self, x):
        hidden = x * 2  # hidden
        aux = x * 3  # aux
        if self.fast:  # fast
            return hidden
        side = []
        side.append(aux)
        return hidden, aux  # last
    def loss(self):
        self.forward(1)  # call
        pass
    def early(self, x):
        if x:
            return 1
        made = x  # made
        return
class Other:
    def forward(self, x):
        return x
def alone(x):
    made = x  # alone
    self.forward(1)
"""


def test_the_last_return_of_a_method_and_its_first_call(program: Writer) -> None:
    found = program(RETURNS)
    files = [found.file]
    assert found.mark(trail.return_of(files, "models.Net", "forward")) == "last"
    assert trail.return_of(files, "Net", "loss") == trail.source_at(found.file, found.scope("loss").lineno, "Net.loss")
    assert trail.return_of(files, "Net", "missing") is None
    assert trail.return_of(["missing.py", found.file], "Net", "forward") is not None
    assert found.mark(trail.method_call_of(files, "models.Net", "forward")) == "call"
    assert trail.method_call_of(files, "Other", "forward") is None


def test_what_a_function_returns_after_a_line(program: Writer) -> None:
    found = program(RETURNS)

    def after(mark: str) -> tuple[str, str]:
        line, role = trail.return_after(found.file, found.line(mark))
        return found.mark(line), role

    assert after("aux") == ("last", "it is returned here, and not used by the loss")
    assert after("fast")[0] == "last"
    assert after("made") == ("", "")
    assert after("last") == ("", "")
    assert after("alone") == ("", "")
    assert trail.return_after("missing.py", 1) == (None, "")


def test_of_several_returns_one_that_ran_is_told(program: Writer) -> None:
    found = program(
        """
        def forward(x):
            gate = x > 0  # gate
            if gate:
                return x  # ran
            return -x  # idle last
        """
    )
    line = found.line("gate")
    ran = found.record.ran().of(found.file)
    assert found.mark(trail.return_after(found.file, line, ran)[0]) == "ran"
    assert found.mark(trail.return_after(found.file, line)[0]) == "idle last"


def test_what_is_not_in_the_return_is_said_not_to_be(program: Writer) -> None:
    found = program("def forward(x):\n    aux = x * 3  # aux\n    return x  # last\n")
    line, role = trail.return_after(found.file, found.line("aux"))
    assert (found.mark(line), role) == ("last", "what is returned here does not contain it")


def test_a_branch_that_returns_without_the_value(program: Writer) -> None:
    found = program(RETURNS)
    stacks = found.record.stacks
    assert found.mark(trail.skipping_return(stacks, found.at("aux", "Net.forward"))) == "fast"
    assert trail.skipping_return(stacks, found.at("hidden", "Net.forward")) is None
    assert trail.skipping_return(stacks, found.at("alone", "alone")) is None


def test_two_stacks_share_a_loop_where_both_lie_in_its_body(program: Writer) -> None:
    found = program(
        """
        def main():
            for number in range(3):
                one = number  # one
                two = number  # two
            for number in range(3):
                three = number  # three
            four = 4  # four
        main()
        """
    )
    main = compile("def main(): pass", found.file, "exec").co_consts[0]
    stacks, index = found.record.stacks, {}
    for mark in ("one", "two", "three", "four"):
        index[mark] = found.at(mark)
        stacks.codes[index[mark]] = main
    for at in index.values():
        stacks.lasti[at] = -2
    lines = {at: found.line(mark) for mark, at in index.items()}
    stacks.line = lines.__getitem__  # type: ignore[method-assign]
    assert trail.share_a_loop(stacks, index["one"], index["two"])
    assert not trail.share_a_loop(stacks, index["one"], index["three"])
    assert not trail.share_a_loop(stacks, index["one"], index["four"])


def test_a_line_knows_its_function(program: Writer, tmp_path: Path) -> None:
    found = program(CALLS)
    assert trail.source_at(found.file, found.line("made")).function == "inner"
    assert trail.source_at(found.file, found.line("made"), "Net.inner").function == "Net.inner"
    assert trail.source_at(found.file, len(found.lines)).function == "<module>"
    assert trail.source_at(found.file, len(found.lines) + 10).function == "<module>"
    settings = tmp_path / "settings.json"
    settings.write_text("{}", encoding="utf-8")
    assert trail.source_at(str(settings), 1).function == ""


def test_at_the_top_of_a_file_nothing_is_returned(program: Writer) -> None:
    found = program("def forward(x):\n    return x\nmade = 1  # made\nif made:\n    print()\n")
    assert trail.return_after(found.file, found.line("made")) == (None, "")
    assert trail.return_after(found.file, 100) == (None, "")
    assert trail.skipping_return(found.record.stacks, found.at("made", "<module>")) is None


def test_a_decision_whose_value_is_of_unknown_birth_is_told_by_the_test_alone(program: Writer) -> None:
    found = program("def late(epoch):\n    return epoch > 3  # test\nif late(0):  # asked\n    step()\n")
    decision = Decision(found.file, found.line("test"), "epoch > 3", "epoch", 0, None)
    assert trail.decided_from(decision) == []
    told = [(trail.source_at(found.file, found.line("asked")), "asked here")]
    assert found.marks(trail.blamed(decision, told)) == ["test", "asked"]
    assert found.marks(trail.blamed(decision, [])) == ["test"]


def test_at_most_two_of_the_things_in_the_way_are_told(program: Writer) -> None:
    found = program(
        """
        def main(a=(), b=(), c=()):
            for one in a:  # first
                for two in b:  # idle second
                    for three in c:  # idle third
                        optimizer.step()  # idle call
        main()
        """
    )
    marks = found.marks(trail.why_never_called(found.record, "step"))
    assert marks[-1] != "idle third" and marks.count("idle call") == 1 and "idle third" not in marks


def test_a_method_in_whose_place_nothing_runs_is_overridden_by_nothing(program: Writer) -> None:
    found = program(
        """
        class Base:
            def finish(self):
                optimizer.step()  # idle call
        class Own(Base):
            def finish(self):
                print("done")  # idle
        print(1)
        """
    )
    (method,) = [n for n in found.tree.nodes if isinstance(n, ast.FunctionDef) and n.lineno < 5]
    assert trail.overridden([found.file], found.tree, method, found.record.ran()) == []
    alone = program("def finish():\n    optimizer.step()  # idle call\nprint()")
    assert trail.overridden([alone.file], alone.tree, alone.scope("finish"), alone.record.ran()) == []


def test_a_test_that_waits_for_what_it_keeps_from_running_is_told_with_the_line_that_would_end_it(
    program: Writer,
) -> None:
    found = program(
        """
        def main():
            updates = 0
            for batch in range(3):
                if updates > 0:  # test
                    optimizer.step()  # idle call
                    updates += 1  # idle raised
        main()
        """
    )
    course = found.record.course
    course.frames.append(Entered(found.file, "main", 2, -1, 8, 0))
    for index in range(3):
        read = {"updates": Seen("plain", 0)}
        course.sights.append(Sight(0, found.line("test"), index, read=read, index=index))
    told = trail.why_never_called(found.record, "step")
    assert found.marks(told) == ["test", "idle call", "idle raised"]
    assert told[0][1] == "`updates` stays 0: only what this keeps from running raises it"
    assert told[2][1] == "it would be raised here"


def test_a_test_that_was_seen_is_told_with_what_decided(program: Writer) -> None:
    found = program(
        """
        def main(every=100):  # default
            for batch in range(3):
                if batch > every:  # test
                    optimizer.step()  # idle call
        main()
        """
    )
    course = found.record.course
    course.frames.append(Entered(found.file, "main", 2, -1, 6, 0))
    for index in range(3):
        read = {"batch": Seen("plain", index), "every": Seen("plain", 100)}
        course.sights.append(Sight(0, found.line("test"), index, read=read, index=index))
    told = trail.why_never_called(found.record, "step")
    assert found.marks(told)[:2] == ["test", "idle call"]


def test_of_what_a_test_may_go_by_what_is_surely_nothing_comes_first(program: Writer) -> None:
    found = program(
        """
        def main(flag=True):
            go = False  # surely
            if flag:
                go = 0  # perhaps
            else:
                go = compute()  # idle computed
            if go:  # test
                optimizer.step()  # idle call
        main()
        """
    )
    told = trail.why_never_called(found.record, "step")
    marks = found.marks(told)
    assert marks[:2] == ["test", "idle call"]
    assert marks[2] == "surely" and "perhaps" in marks[3:]
    assert told[2][1] == "`go` is nothing here"


def test_a_call_whose_receiver_has_no_name_counts_only_where_all_do(program: Writer) -> None:
    found = program(
        """
        def main(go=False):
            if go:  # test
                make().step()  # idle call
                makers[0]().step()  # idle
        main()
        """
    )
    assert found.marks(trail.why_never_called(found.record, "step"))[:2] == ["test", "idle call"]
    assert trail.why_never_called(found.record, "step", receivers=frozenset({"make", "makers"})) == []
