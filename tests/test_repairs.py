"""Edits of the line to blame."""

from __future__ import annotations

import ast

import pytest

from fxaudit.program import repairs
from fxaudit.program.source import SourceLine


def line(code: str, part: str = "", indent: int = 8) -> SourceLine:
    """The source line `code`, of which the interpreter named `part`."""
    text = " " * indent + code
    columns = (text.index(part), text.index(part) + len(part)) if part else None
    return SourceLine("train.py", 7, "f", code, (), columns, ((6, ""), (7, text)))


@pytest.mark.parametrize(
    ("code", "part", "expected"),
    [
        ("return memory.detach()", "memory.detach()", "return memory"),
        ("return memory.detach()  # why", "", "return memory"),
        ("h = torch.tanh((a + b).detach())", "(a + b).detach()", "h = torch.tanh((a + b))"),
        ("h = self.f(x.data, y.data)", "y.data", "h = self.f(x.data, y)"),
        ("h = x.detach().mean() + y.detach()", "x.detach()", "h = x.mean() + y.detach()"),
        ("é = 'ü', x.detach()", "x.detach()", "é = 'ü', x"),
        ("h = f(x) . detach ( )", "", "h = f(x)"),
        ("x = x.detach()", "x.detach()", None),
        ("x.detach_()", "x.detach_()", None),
    ],
)
def test_a_detach_is_taken_away(code: str, part: str, expected: str | None) -> None:
    old = code.partition("  #")[0]
    assert repairs.without_detach(line(code, part)) == f"\n- {old}" + (f"\n+ {expected}" if expected else "")


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("h = x.detach() + y.detach()", ""),
        ("if x.detach().mean() > 0:", "x.detach()"),
        ("h = torch.detach(x)", "torch.detach(x)"),
        ("weight.data = w", "weight.data"),
        ("h = x.detach(", ""),
        ("\x00", ""),
    ],
)
def test_what_is_not_certain_is_not_edited(code: str, part: str) -> None:
    assert repairs.without_detach(line(code, part)) == ""


def test_without_a_line_there_is_no_edit() -> None:
    assert repairs.without_detach(None) == repairs.added_after(None, "x") == repairs.filled(None, "model") == ""


def test_lists_and_dicts_get_the_container_that_registers() -> None:
    made = "self.layers = [nn.Linear(4, 4) for _ in range(2)]"
    assert repairs.registered(line(made), modules=True).endswith(
        "+ self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(2)])"
    )
    weights = "self.weights = {'a': torch.nn.Parameter(w)}  # here"
    assert repairs.registered(line(weights), modules=False).endswith(
        "+ self.weights = torch.nn.ParameterDict({'a': torch.nn.Parameter(w)})"
    )
    assert repairs.registered(line("self.layers.append(layer)"), modules=True) == ""
    assert repairs.registered(line("self.a = self.b = [layer]"), modules=True) == ""


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("h = checkpoint(f, x, use_reentrant=True)", "h = checkpoint(f, x, use_reentrant=False)"),
        ("h = cp.checkpoint(f, x)", "h = cp.checkpoint(f, x, use_reentrant=False)"),
        ("h = checkpoint(f, x, )", "h = checkpoint(f, x, use_reentrant=False)"),
    ],
)
def test_a_checkpoint_does_not_reenter(code: str, expected: str) -> None:
    assert repairs.non_reentrant(line(code)) == f"\n- {code}\n+ {expected}"


def test_other_lines() -> None:
    assert repairs.called_flag(line("net.body.requires_grad = False")).endswith("+ net.body.requires_grad_(False)")
    assert repairs.called_flag(line("setattr(net, 'requires_grad', False)")) == ""
    assert (
        repairs.filled(line("o = SGD([], lr=1)  # x"), "net")
        == "\n- o = SGD([], lr=1)\n+ o = SGD(net.parameters(), lr=1)"
    )
    assert repairs.filled(line("o = SGD([], [])"), "net") == repairs.filled(line("o = SGD([])"), "") == ""
    assert repairs.added_after(line("loss.backward()  # x"), "o.step()") == "\n  loss.backward()\n+ o.step()"


def test_a_group_is_added_with_the_module_that_holds_exactly_these_parameters() -> None:
    def added(names: list[str], others: list[str]) -> str:
        return repairs.added_group("opt", "net", names, others).removeprefix("\n+ opt.add_param_group({'params': ")

    assert added(["neck.0.weight", "neck.0.bias"], ["neck.1.weight"]) == "net.neck[0].parameters()})"
    assert added(["neck.0.weight", "neck.1.bias"], ["head.weight"]) == "net.neck.parameters()})"
    assert added(["a.weight", "b.weight"], []) == "net.parameters()})"
    assert added(["a.weight", "b.weight"], ["c.weight"]) == "[net.a.weight, net.b.weight]})"
    assert added(["scale"], ["c.weight"]) == "[net.scale]})"
    assert added([f"m{n}.w" for n in range(4)], ["c.weight"]) == ""
    assert added(["a b.weight"], ["c.weight"]) == added(["class.weight"], ["c"]) == ""
    assert repairs.added_group("", "net", ["w"], []) == repairs.added_group("opt", "", ["w"], []) == ""


def test_what_is_edited_is_still_python() -> None:
    edits = repairs.without_detach(line("return f(x.detach(), *y, **z)", "x.detach()")).splitlines()
    assert [ast.parse(edit[2:]) for edit in edits if edit]
