"""Questions of the judge that the text of a program and the lines of it that ran answer.

In the texts `# idle` marks the lines that did not run, and `# asked` the line of the operation that is asked about.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fxaudit.answer.finding import Finding
from fxaudit.capture.recording import HeardLines, Op, Record
from fxaudit.judge.questions.handler_order import order_of_handlers
from fxaudit.judge.questions.put_backs import put_back_at
from fxaudit.judge.questions.registered_twice import with_shadowed_registration
from fxaudit.judge.questions.unreached_reads import read_only_in_an_overridden_method
from fxaudit.judge.questions.zeros import factor_origins, integer_zero, zero_number, zeros_given
from fxaudit.judge.trail import source_at
from fxaudit.program.source import SourceLine


@dataclass
class Asked:
    """A program, and an audit of it that knows the lines that ran and one operation."""

    file: str
    lines: list[str]
    audit: Any

    def line(self, mark: str) -> int:
        (number,) = [number for number, text in enumerate(self.lines, 1) if text.endswith(f"# {mark}")]
        return number

    def at(self, mark: str, function: str, base: int = -1) -> int:
        found: int = self.audit.record.stacks.at(self.file, self.line(mark), function, base=base)
        return found

    def mark(self, line: SourceLine | None) -> str:
        """What is marked there; the text of the line where nothing is."""
        text = self.lines[line.line - 1] if line is not None else ""
        return text.rpartition("# ")[2] if "# " in text else text.strip()


Writer = Callable[[str], Asked]


@pytest.fixture
def program(tmp_path: Path) -> Writer:
    def write(text: str) -> Asked:
        file = tmp_path / f"train{len([*tmp_path.iterdir()])}.py"  # texts are read once
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        lines = file.read_text("utf-8").splitlines()
        ran = {number for number, line in enumerate(lines, 1) if line.strip() and "idle" not in line}
        record = Record(lines=HeardLines({str(file): ran}, is_whole=True))
        asked = [number for number, line in enumerate(lines, 1) if line.endswith("# asked")]
        stack = record.stacks.at(str(file), asked[0] if asked else 1, "main")
        record.ops.append(Op(0, "mul", stack, -1, "forward", ()))
        audit = SimpleNamespace(record=record, project_files=[str(file)], source=record.stacks.source)
        return Asked(str(file), lines, audit)

    return write


# -- where a 0 is written ----------------------------------------------------------------------------------------------

NUMBERS = {
    "a name": "weight = 0.0  # zero\ny = weight * x  # asked",
    "an attribute": "self.weight = 0  # zero\ny = self.weight * x  # asked",
    "in a dict": "weights = {\n    'aux': 0.0,  # zero\n}\ny = weights['aux'] * x  # asked",
    "in a tensor": "weights = torch.tensor([1.0,\n    0.0])  # zero\ny = weights * x  # asked",
    "a default": "def main(x, *, weight=0.0):  # zero\n    y = weight * x  # asked",
    "a keyword": "def main(x, weight):\n    y = weight * x  # asked\nmain(1, weight=0)  # zero",
    "a whole number": "share = epoch // 100  # zero\ny = share * x  # asked",
    "rounding": "share = int(rate)  # zero\ny = share * x  # asked",
    "a whole number in an attribute": "self.share = epoch // 100  # zero\ny = self.share * x  # asked",
    "nothing": "weight = 1.0\ny = weight * x  # asked",
}


@pytest.mark.parametrize("case", NUMBERS)
def test_the_line_that_makes_a_number_0(program: Writer, case: str) -> None:
    found = program(NUMBERS[case])
    found.audit.recording = SimpleNamespace(modules=[])
    assert found.mark(zero_number(found.audit, 0)) == ("zero" if case != "nothing" else "")
    assert zero_number(found.audit, -1) is None


def test_a_whole_number_is_told_apart_from_a_0_that_is_written(program: Writer) -> None:
    found = program(NUMBERS["a whole number"])
    assert found.mark(integer_zero(found.audit, 0)) == "zero"
    assert integer_zero(program(NUMBERS["a name"]).audit, 0) is None
    assert integer_zero(found.audit, -1) is None


FILLED = {
    "made of zeros": "self.gate = torch.zeros(3)  # filled",
    "a parameter of zeros": "self.gate = nn.Parameter(torch.zeros(3))  # filled",
    "a buffer": "self.register_buffer('gate', torch.zeros(3))  # filled",
    "zeroed": "nn.init.zeros_(self.gate)  # filled",
    "zeroed in place": "self.gate.data.zero_()  # filled",
    "filled with 0": "self.gate.data.fill_(0)  # filled",
    "initialised with 0": "nn.init.constant_(self.gate, 0.0)  # filled",
    "filled with 1": "self.gate.data.fill_(1)",
    "made of ones": "self.gate = torch.ones(3)",
    "a buffer of ones": "self.register_buffer('gate', torch.ones(3))",
    "another one": "self.other = torch.zeros(3)",
}


@pytest.mark.parametrize("case", FILLED)
def test_the_statement_that_fills_an_attribute_with_zeros(program: Writer, case: str) -> None:
    text = f"class Net:\n    def __init__(self):\n        {FILLED[case]}\n    def forward(self, x):\n"
    found = program(f"{text}        return self.gate * x  # asked\n")
    marks = [found.mark(line) for line in zeros_given(found.audit, 0)]
    assert marks == (["filled"] if "# filled" in text else [])
    assert zeros_given(found.audit, -1) == []


def test_where_the_factors_of_a_line_come_from(program: Writer) -> None:
    found = program("scale = 1.0\nrate = None  # nothing\ny = scale * x / rate  # asked")
    told = factor_origins(found.audit, 0)
    assert found.mark(told[0][0]) == "nothing"
    assert {role for _, role in told} == {"`scale` gets its value here", "`rate` gets its value here"}
    assert factor_origins(program("y = 0.0 * x  # asked").audit, 0) == []
    assert factor_origins(found.audit, -1) == []


# -- who takes whose place ---------------------------------------------------------------------------------------------

TWICE = """
LOSSES = {{}}
def register(name):
    def wrap(function):
        LOSSES[name] = function
        return function
    return wrap
@register("main")
def with_aux(model, x):  # first
    return model.{used}(x)  # idle
@register("main")  # second
def plain(model, x):
    return model.head(x)
LOSSES["main"](1, 2)
model = Net()  # culprit
"""


@pytest.mark.parametrize(("used", "code", "blamed"), [("aux", "FXA101", True), ("head", "FXA101", False)])
def test_what_is_registered_under_a_name_that_another_takes(
    program: Writer, used: str, code: str, blamed: bool
) -> None:
    found = program(TWICE.format(used=used))
    line = source_at(found.file, found.line("culprit"))
    finding = Finding(code, "never-called", "error", "unused", "", ("aux.weight", "aux.bias"), line)
    told = with_shadowed_registration(found.audit, finding)
    assert (told is not finding) == blamed
    if blamed:
        assert [found.mark(r.source) for r in told.related] == ["first", "culprit"]
        assert told.fact == "`plain` takes the place of `with_aux`: both are registered as 'main'"
        assert told.fix == "Register each under a name of its own."


HANDLERS = {
    "a number": """
        class Clear:
            priority = 1  # order
            def run(self):
                optimizer.zero_grad()  # earlier
        class Step:
            priority: int = 2
            def run(self):
                optimizer.step()  # later
        handlers = sorted([Step(), Clear()], key=lambda one: one.priority)
        for handler in handlers:
            handler.run()  # call
        """,
    "a list": """
        class Clear:
            def run(self):
                optimizer.zero_grad()  # earlier
        class Step:
            def run(self):
                optimizer.step()  # later
        handlers = [
            Clear(),  # order
            Step(),
        ]
        for handler in handlers:
            handler.run()  # call
        """,
    "nothing": """
        class Clear:
            def run(self):
                optimizer.zero_grad()  # earlier
        class Step:
            def run(self):
                optimizer.step()  # later
        for handler in registered():
            handler.run()  # call
        """,
}


@pytest.mark.parametrize("case", HANDLERS)
def test_what_sets_the_order_of_two_handlers(program: Writer, case: str) -> None:
    found = program(HANDLERS[case])
    call = found.at("call", "<module>")
    earlier, later = found.at("earlier", "Clear.run", call), found.at("later", "Step.run", call)
    assert found.mark(order_of_handlers(found.audit, earlier, later)) == ("order" if case != "nothing" else "")
    assert order_of_handlers(found.audit, earlier, earlier) is None
    assert order_of_handlers(found.audit, earlier, found.at("later", "Step.run")) is None


def test_what_puts_values_back_is_found_in_the_text_where_no_write_was_recorded(program: Writer) -> None:
    found = program(
        """
        best = model.state_dict()
        for epoch in range(9):
            train(model)
            model.load_state_dict(best)  # idle write
        """
    )
    line, related = put_back_at(found.audit, None)
    assert (found.mark(line), related) == ("idle write", [])
    assert put_back_at(program("train(model)").audit, None) == (None, [])


OVERRIDDEN = """
class Base:
    def loss(self, out):
        return out["main"] + out["aux"]  # idle read
class Own(Base):
    def loss(self, out):  # instead
        return out["main"]
def forward(x):
    return {
        "main": x,
        "aux": x * 2,  # asked
    }
out = forward(1)  # bound
Own().loss(out)
"""


def test_a_key_that_only_a_method_reads_whose_place_another_takes(program: Writer) -> None:
    found = program(OVERRIDDEN)
    bound = found.at("bound", "<module>")
    made = found.at("asked", "forward", bound)
    told = read_only_in_an_overridden_method(found.audit, made, bound)
    assert [found.mark(line) for line, _ in told] == ["instead", "idle read"]
    assert told[-1][1] == "`aux` is read here, and this never runs"
    other = program(OVERRIDDEN.replace("# idle read", "# read"))
    bound = other.at("bound", "<module>")
    assert read_only_in_an_overridden_method(other.audit, other.at("asked", "forward", bound), bound) == []
