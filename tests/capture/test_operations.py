"""An operation has one name, whatever form of it a program calls, and one row that tells what torch really does."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.overrides import get_testing_overrides

import fxaudit
from fxaudit.capture.operations import OPERATIONS, Operation, of, plain_name
from tests.operation_samples import SAMPLES, call, method_in_place, tensor

pytestmark = pytest.mark.filterwarnings("ignore")
ALIAS = re.compile(r"Alias (?:for|of) :(?:func|meth):`~?torch\.(\w+)`")
ROWLESS = (Path(__file__).parent / "operations_without_row.txt").read_text().split()
UNTRIED = frozenset(
    """__deepcopy__ __setitem__ data.__set__ swap_tensors rename_ autograd.grad grad Parameter Buffer
    empty_strided""".split()
)
"""Rows that cannot be called like a function of one or two tensors."""
CALLED = [row for row in OPERATIONS if not (row.quiet or row.silent or row.escapes or row.name in UNTRIED)]
OLDER = tuple(map(int, torch.__version__.split(".")[:2])) < (2, 13)
GRID = torch.tensor([-1e3, -100.0, -20.0, -2.5, -1.0, -0.5, -0.25, 0.25, 0.5, 0.75, 1.0, 2.5, 20.0, 100.0, 1e3])
EXTRA: dict[str, tuple[Any, ...]] = {
    "prelu": (torch.tensor([0.25]),),
    "threshold": (0.0, 5.0),
    "clamp": (-1.0, 1.0),
    "clamp_min": (0.0,),
    "clamp_max": (0.0,),
}
ROWS_OF = ("softmax", "log_softmax", "softmin")
"""Not of each element alone: they are tried on rows of their own."""


def having(trait: Callable[[Operation], object]) -> pytest.MarkDecorator:
    """Once for each row of the table that has a trait."""
    rows = [row for row in CALLED if trait(row)]
    assert rows
    return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])


def first(outcome: Any) -> torch.Tensor:
    """The tensor that an operation made, or the first of several."""
    found = outcome[0] if isinstance(outcome, tuple | list) else outcome
    assert isinstance(found, torch.Tensor)
    return found


def inner(seed: int = 0) -> torch.Tensor:
    """A tensor that carries gradient, and that may be written."""
    return tensor(seed).requires_grad_() * 1


def is_switched_off(row: Operation) -> bool:
    """Whether it writes where gradients are switched off, as what initialises parameters does."""
    return hasattr(nn.init, row.name) and not hasattr(torch.Tensor, row.name)


def gradient(made: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """What comes back to `source`; zeros where it has no part in it."""
    found = torch.autograd.grad(made.sum(), source, allow_unused=True)[0] if made.requires_grad else None
    return torch.zeros_like(source) if found is None else found


def alone(row: Operation, x: torch.Tensor) -> torch.Tensor:
    """A function of each element alone."""
    name = row.also[0] if row.name == "logsigmoid" else row.name
    homes = (torch, nn.functional, torch.special)
    function = next(found for home in homes if (found := getattr(home, row.name, getattr(home, name, None))))
    made = function(x, *EXTRA.get(row.name, ()))
    assert isinstance(made, torch.Tensor)
    return made


# -- names -----------------------------------------------------------------------------------------------------------


def test_the_in_place_form_of_every_method_of_a_tensor_is_called_like_the_other() -> None:
    forms = [name for name in dir(torch.Tensor) if name.endswith("_") and not name.startswith("_")]
    pairs = [(name, name[:-1]) for name in forms if callable(getattr(torch.Tensor, name[:-1], None))]
    assert len(pairs) > 100
    assert [name for name, base in pairs if plain_name(name) != plain_name(base)] == []


def test_everything_that_torch_documents_as_an_alias_is_known() -> None:
    texts = {name: getattr(torch, name).__doc__ for name in dir(torch) if callable(getattr(torch, name))}
    documented = {
        name: found[1] for name, text in texts.items() if isinstance(text, str) and (found := ALIAS.search(text[:200]))
    }
    assert len(documented) > 8
    assert {name: base for name, base in documented.items() if plain_name(name) != plain_name(base)} == {}


def test_no_name_stands_in_two_rows() -> None:
    names = [name for row in OPERATIONS for name in (row.name, *row.also)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("operator", ["add", "sub", "mul", "truediv", "pow", "matmul", "mod", "floordiv"])
def test_an_operator_has_the_row_of_its_function_and_writes_in_place(operator: str) -> None:
    row, in_place = of(f"__{operator}__"), of(f"__i{operator}__")
    assert row.is_known and row.name == in_place.name
    assert in_place.writes and not row.writes


def test_lists_and_special_functions_have_the_row_of_the_plain_one() -> None:
    assert of("_foreach_mul_").name == "mul" and of("_foreach_mul_").writes
    assert of("special_expit").name == "sigmoid"


def test_an_operation_without_a_row_is_unknown() -> None:
    assert of("frobnicate").gradient == "unknown"
    assert of("frobnicate_").writes
    assert not of("frobnicate").is_known


@pytest.mark.skipif(OLDER, reason="the list is of the newest torch")
def test_the_table_is_complete_but_for_what_is_listed() -> None:
    names = {_called(function) for function in get_testing_overrides()} - {""}
    without = {plain_name(name) for name in names if not of(name).is_known}
    assert sorted(without - set(ROWLESS)) == [], "new in torch: give them a row, or list them"


def test_the_list_of_what_has_no_row_only_shrinks() -> None:
    assert len(ROWLESS) <= 424
    assert [name for name in ROWLESS if of(name).is_known] == []


def _called(function: Any) -> str:
    """The name under which a recorder sees the function."""
    name = getattr(function, "__name__", "")
    if name in ("__get__", "__set__", "__delete__"):
        name = getattr(getattr(function, "__self__", None), "__name__", "")
    return str(name)


# -- traits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", CALLED, ids=[row.name for row in CALLED])
def test_gradient_goes_back_as_the_row_says(row: Operation) -> None:
    leaf = tensor().requires_grad_()
    made = call(row, leaf.reshape(1, 3, 3) if row.name == "dirac_" else leaf * 1, tensor(1))
    assert made is not NotImplemented, "write a sample"
    found = first(made)
    if row.detaches or row.gradient == "none" or row.rewraps == "always":
        assert not found.requires_grad or _refuses(found, leaf)
    elif row.gradient == "steps" and not is_switched_off(row):
        assert not gradient(found, leaf).any()
    elif row.overwrites != "all":
        assert found.requires_grad


def _refuses(made: torch.Tensor, source: torch.Tensor) -> bool:
    """Whether no backward gets past the operation."""
    try:
        torch.autograd.grad(made.sum(), source)
    except (RuntimeError, NotImplementedError):
        return True
    return False


@having(lambda row: row.bend and row.name not in ROWS_OF)
def test_functions_of_one_number(row: Operation) -> None:
    x = GRID.clone().requires_grad_()
    (slope,) = torch.autograd.grad(alone(row, x).sum(), x, create_graph=True)
    finite = torch.isfinite(slope)
    flat = slope[finite] == 0
    assert row.gradient == ("steps" if flat.all() else "flat" if flat.any() else "passes")
    with_zero = torch.cat([GRID, torch.zeros(1)]).requires_grad_()
    value = alone(row, with_zero)
    (at_zero,) = torch.autograd.grad(value.sum(), with_zero)
    assert bool(row.pole) == (not bool(torch.isfinite(value).all() and torch.isfinite(at_zero).all()))
    if slope.requires_grad and row.name != "hardsigmoid":  # whose second derivative torch has not
        (curve,) = torch.autograd.grad(slope[finite].sum(), x, allow_unused=True)
        assert (row.bend == "curved") == (curve is not None and bool(curve[finite].any()))


@having(lambda row: row.name in ROWS_OF)
def test_functions_of_a_row(row: Operation) -> None:
    x = torch.tensor([900.0, -900.0, 0.5], requires_grad=True)
    made = getattr(nn.functional, row.name)(x, -1)
    assert not bool(gradient(made[0], x)[2])
    assert bool(gradient(getattr(nn.functional, row.name)(x / 900, -1)[0], x).all())


@having(lambda row: row.of_zeros and row.gradient != "none" and row.name not in ("share_memory_", "requires_grad_"))
def test_what_becomes_of_zeros(row: Operation) -> None:
    made = first(call(row, torch.zeros(3, 3), torch.zeros(3, 3))).detach()
    assert bool((made == (1 if row.of_zeros == "ones" else 0)).all())


IN_PLACE = [row for row in CALLED if method_in_place(row) is not None]


@pytest.mark.parametrize("row", IN_PLACE, ids=[row.name for row in IN_PLACE])
def test_the_form_in_place_writes(row: Operation) -> None:
    name = row.name if row.name.endswith("_") else f"{row.name}_"
    write = method_in_place(row)
    x = (tensor() * 9).long() if row.name.startswith("bitwise") else tensor()
    before = x._version
    assert write is not None
    assert write(x, tensor(1)) is not NotImplemented
    assert (x._version > before) == (of(name).writes and not row.detaches)


@having(lambda row: row.view and row.name != "unfold")
def test_a_view_shares_memory(row: Operation) -> None:
    x = tensor()
    pointer = x.untyped_storage().data_ptr()
    if row.name == "imag":
        x = torch.complex(tensor(1), tensor())
        made: torch.Tensor = torch.imag(x)
        pointer = x.untyped_storage().data_ptr()
    elif row.name == "real":
        made = torch.real(x)
    else:
        made = first(call(row, x, tensor(1)))
    if row.name == "share_memory_":
        assert torch.equal(made, x)
    else:
        assert made.untyped_storage().data_ptr() == pointer


@having(lambda row: row.copies)
def test_a_copy_has_the_same_numbers(row: Operation) -> None:
    x = (tensor() * 9).round()
    made = first(call(row, x, tensor(1))).float()
    assert torch.equal(made, x.bool().float() if row.name == "bool" else x)


@having(lambda row: row.takes == "shape")
def test_what_takes_the_shape_only_makes_something_of_its_own(row: Operation) -> None:
    made = first(call(row, inner(), tensor(1)))
    assert made.shape == (3, 3) and not made.requires_grad


@having(lambda row: row.takes == "first")
def test_of_the_second_tensor_only_shape_and_type_are_taken(row: Operation) -> None:
    x, shape = inner(), tensor(1).requires_grad_()
    made = getattr(x, row.name)(shape)
    assert torch.equal(made.reshape(3, 3), x)
    assert not gradient(made, shape).any()


@having(lambda row: row.overwrites and row.name != "set_" and not is_switched_off(row))  # autograd hears of it
def test_what_is_overwritten_gets_no_gradient(row: Operation) -> None:
    leaf = tensor().requires_grad_()
    made = torch.autograd.grad(first(call(row, leaf * 1, tensor(1))).sum(), leaf, allow_unused=True)[0]
    lost = torch.ones(3, 3, dtype=torch.bool) if made is None else made == 0
    assert bool(lost.all()) if row.overwrites == "all" else bool(lost.any() and not lost.all())


@having(lambda row: row.factors and not (row.masks or row.looks_up or row.name in ("rdiv", "bilinear")))
def test_a_factor_of_zeros_annihilates_the_other(row: Operation) -> None:
    x, zeros = inner(), torch.zeros(3, 3)
    made = first(call(row, zeros, x) if row.name == "div" else call(row, x, zeros))
    if row.name.startswith(("add", "badd")):  # what comes first is added to the product of the others
        assert torch.equal(made.detach().reshape(-1), first(call(row, x, zeros)).detach().reshape(-1))
    else:
        assert not gradient(made, x).any()


SCALES: dict[str, Callable[[Callable[..., Any], list[torch.Tensor]], Any]] = {
    "add": lambda f, t: f(t[0], t[1], alpha=0),
    "sub": lambda f, t: f(t[0], t[1], alpha=0),
    "rsub": lambda f, t: f(t[0], t[1], alpha=0),
    "mul": lambda f, t: f(t[0], 0.0) + f(t[1], 0.0),
    "rdiv": lambda f, t: 0.0 / t[0],
    "lerp": lambda f, t: f(t[0], t[1], 0.0),
    "addcmul": lambda f, t: f(t[0], t[1], t[2], value=0),
    "addcdiv": lambda f, t: f(t[0], t[1], t[2], value=0),
    "addmm": lambda f, t: f(t[0], t[1], t[2], alpha=0, beta=0),
    "baddbmm": lambda f, t: f(t[0][None], t[1][None], t[2][None], alpha=0, beta=0),
    "addbmm": lambda f, t: f(t[0], t[1][None], t[2][None], alpha=0, beta=0),
    "addmv": lambda f, t: f(t[0][0], t[1], t[2][0], alpha=0, beta=0),
    "addr": lambda f, t: f(t[0], t[1][0], t[2][0], alpha=0, beta=0),
}


@having(lambda row: row.scaled)
def test_the_number_0_annihilates_what_it_scales_and_nothing_else(row: Operation) -> None:
    tensors = [tensor(seed).requires_grad_() for seed in range(3)]
    made = SCALES[row.name](getattr(torch, row.name, None) or torch.mul, tensors)
    back = torch.autograd.grad(made.sum(), tensors, allow_unused=True)
    dead = tuple(place for place, found in enumerate(back) if found is not None and not found.any())
    assert dead == tuple(place for place in row.scaled if back[place] is not None)


@having(lambda row: row.multiple)
def test_a_multiple_doubles_with_its_tensor(row: Operation) -> None:
    x, y = tensor(), tensor(1)
    once, twice = first(call(row, x, y)), first(call(row, x * 2, y))
    assert torch.allclose(once / 2 if row.name == "rdiv" else once * 2, twice)


@having(lambda row: row.sums)
def test_a_sum_hands_on_what_comes_back(row: Operation) -> None:
    x, y = tensor().requires_grad_(), tensor(1).requires_grad_()
    made = first(call(row, x, y))
    signs = sorted((float(gradient(made, x).mean()), float(gradient(made, y).mean())))
    assert signs == ([-1.0, 1.0] if row.subtracts else [1.0, 1.0])


@having(lambda row: row.totals)
def test_a_total_gives_every_element_the_same_share(row: Operation) -> None:
    x = tensor().requires_grad_()
    assert len(gradient(first(call(row, x, x)), x).unique()) == 1


@having(lambda row: row.reduces)
def test_a_reduction_has_fewer_elements(row: Operation) -> None:
    assert first(call(row, tensor(), tensor(1))).numel() < 9 or row.parts == "choice along"


@having(lambda row: row.drops)
def test_a_dropout_of_everything_leaves_no_gradient(row: Operation) -> None:
    x = tensor()[None].requires_grad_()
    function = getattr(torch, row.name, None) or getattr(nn.functional, row.name)
    shaped = {"dropout2d": x[None], "dropout3d": x[None, None]}.get(row.name, x)
    assert not gradient(function(shaped, 1.0, True), x).any()


@having(lambda row: row.fresh)
def test_fresh_numbers_have_nothing_of_what_was_there(row: Operation) -> None:
    torch.manual_seed(0)
    one = first(call(row, tensor().reshape(3, 3), tensor(1)))
    torch.manual_seed(0)
    other = first(call(row, tensor(2).reshape(3, 3), tensor(1)))
    if row.fresh != "memory" and row.name != "normal":
        assert torch.equal(one, other)
    if row.fresh == "zeros":
        assert not one.any()


@having(lambda row: row.draws)
def test_what_is_drawn_differs_from_draw_to_draw(row: Operation) -> None:
    torch.manual_seed(0)
    draws = [first(call(row, tensor(), tensor(1))).clone() for _ in range(8)]
    assert any(not torch.equal(draws[0], other) for other in draws[1:])


@having(lambda row: row.dtype and row.name not in ("arange", "randint"))  # whole numbers, if they are given such
def test_the_type_of_the_result(row: Operation) -> None:
    assert str(first(call(row, tensor(), tensor(1))).dtype) == f"torch.{row.dtype}"


@having(lambda row: row.pointwise and "dropout" not in row.name)
def test_the_result_has_the_shape_of_the_tensors(row: Operation) -> None:
    assert first(call(row, tensor(), tensor(1))).shape == (3, 3)


@having(lambda row: row.parts and not row.parts.startswith("choice a"))
def test_a_result_of_several_parts(row: Operation) -> None:
    if row.parts == "given":
        x = tensor()[0]
        assert len(getattr(torch, row.name)(x, x)) == 2
        return
    made = call(row, tensor(), tensor(1))
    assert isinstance(made, tuple | list)
    assert not row.parts.startswith(("choice", "two")) or len(made) == 2


@having(lambda row: row.rewraps == "always" and row.factory)
def test_what_is_rewrapped_is_a_new_leaf(row: Operation) -> None:
    assert first(call(row, inner(), tensor(1))).is_leaf


@having(lambda row: row.rewraps == "lists" and not (OLDER and row.name == "asarray"))  # which detached then
def test_a_list_is_rewrapped_and_a_tensor_is_not(row: Operation) -> None:
    x, function = inner(), getattr(torch, row.name)
    assert function(x).requires_grad
    assert not function([x.sum(), x.sum()]).requires_grad


@having(lambda row: row.compares)
def test_a_comparison_makes_a_mask(row: Operation) -> None:
    assert first(call(row, tensor(), tensor(1))).dtype is torch.bool


@having(lambda row: row.counts)
def test_as_many_elements_as_the_numbers_say(row: Operation) -> None:
    if row.name == "masked_select":
        assert tensor().masked_select(tensor() > 0.5).numel() < 9
        return
    sizes = {first(call(row, x, x)).shape for x in (torch.eye(3), torch.zeros(3, 3))}
    assert len(sizes) == 2


@pytest.mark.parametrize("row", [row for row in OPERATIONS if row.escapes], ids=lambda row: row.name)
def test_what_escapes_is_no_tensor(row: Operation) -> None:
    x = torch.ones((), dtype=torch.int64) if row.name == "__index__" else torch.ones(())
    assert not isinstance(getattr(x, row.name)(), torch.Tensor)


def test_what_tells_about_a_tensor_is_no_tensor() -> None:
    x = tensor()
    told = [getattr(x, row.name, None) for row in OPERATIONS if row.about]
    assert not any(isinstance(_asked(found), torch.Tensor) for found in told)


def _asked(found: Any) -> Any:
    try:
        return found() if callable(found) else found
    except (RuntimeError, TypeError):
        return None


def test_samples_are_of_rows() -> None:
    assert sorted(set(SAMPLES) - {row.name for row in OPERATIONS}) == []


# -- a factor of 0, in every form ------------------------------------------------------------------------------------
def by_operator(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    return main + weight * aux


def in_place(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    aux *= weight
    return main + aux


def by_a_synonym(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    return main + torch.multiply(aux, weight)


def by_a_synonym_in_place(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    return main + aux.multiply_(weight)


def as_alpha(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    return torch.add(main, aux, alpha=weight)


def as_alpha_of_a_difference(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    return main.sub(aux, alpha=weight)


def as_a_share(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    return torch.lerp(main, aux, weight)


def as_a_value(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    return torch.addcmul(main, aux, torch.ones(()), value=weight)


def as_the_scale_of_a_product(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    one = torch.ones(1, 1)
    return main + torch.addmm(one, aux.reshape(1, 1), one, alpha=weight).sum()


def as_the_scale_of_what_is_added_to_a_product(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    one = torch.ones(1, 1)
    return main + torch.addmm(aux.reshape(1, 1), one, one, beta=weight).sum()


def as_the_scale_of_products(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    one = torch.ones(1, 1, 1)
    return main + torch.baddbmm(one, aux.reshape(1, 1, 1), one, alpha=weight).sum()


def as_the_scale_of_an_outer_product(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    return main + torch.addr(torch.ones(1, 1), aux.reshape(1), torch.ones(1), alpha=weight).sum()


def as_a_quotient(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    return main + torch.addcdiv(torch.zeros(()), aux, torch.ones(()), value=weight)


def as_a_dividend(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    return main + weight / (aux + 9)


def in_a_list(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    return main + torch._foreach_mul([aux], weight)[0]


def the_other_way_round(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    return torch.rsub(aux, main, alpha=weight)


MIXES = [
    by_operator,
    in_place,
    by_a_synonym,
    by_a_synonym_in_place,
    as_alpha,
    as_alpha_of_a_difference,
    as_a_share,
    as_a_value,
    as_the_scale_of_a_product,
    as_the_scale_of_what_is_added_to_a_product,
    as_the_scale_of_products,
    as_the_scale_of_an_outer_product,
    as_a_quotient,
    as_a_dividend,
    in_a_list,
    the_other_way_round,
]


@pytest.mark.slow
@pytest.mark.parametrize("mix", MIXES)
def test_a_term_that_is_scaled_by_0_is_told_in_the_same_words(
    mix: Callable[[torch.Tensor, torch.Tensor, float], torch.Tensor],
) -> None:
    torch.manual_seed(0)
    body, head, x = nn.Linear(4, 1), nn.Linear(4, 1), torch.randn(8, 4)
    optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)

    def loss() -> torch.Tensor:
        weight = 0.0
        return mix(body(x).square().mean(), head(x).mean(), weight)

    report = fxaudit.audit({"body": body, "head": head}, loss, optimizer)
    finding = report["head.weight"].findings[0]
    assert finding.code == "FXA501"
    assert finding.fact == "it is multiplied by 0"
    assert finding.proved
    assert finding.culprit is not None and finding.culprit.code == "weight = 0.0"
    assert report["body.weight"].verdict == "trained"


def test_zeros_that_are_multiplied_with_the_batch_are_zeros_in_every_batch() -> None:
    model, x = nn.Linear(4, 1), torch.randn(8, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loss() -> torch.Tensor:
        nothing = torch.zeros(8, 1)
        buffer = torch.zeros(8, 1)
        torch.mul(x[:, :1], nothing, out=buffer)
        made: torch.Tensor = (model(x) * buffer).mean()
        return made

    report = fxaudit.audit(model, loss, optimizer)
    finding = report["weight"].findings[0]
    assert report["weight"].verdict == "blocked"
    assert finding.culprit is not None and finding.culprit.code == "nothing = torch.zeros(8, 1)"


# -- what a trace knows by the table ---------------------------------------------------------------------------------


class Body(nn.Module):
    def __init__(self, middle: Callable[[nn.Module, torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.first, self.second, self.middle = nn.Linear(4, 4), nn.Linear(4, 1), middle

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.second(self.middle(self, self.first(x)))
        return made


def detached_in_place(model: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
    hidden.detach_()
    return hidden


def made_a_tensor_again(model: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return torch.as_tensor(hidden)


def made_a_new_tensor(model: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
    return hidden.new_tensor(hidden)


@pytest.mark.parametrize(
    ("middle", "verdict"),
    [(detached_in_place, "unreachable"), (made_a_tensor_again, "trained"), (made_a_new_tensor, "unreachable")],
)
def test_a_trace_and_a_run_say_the_same_of_what_an_operation_does(
    middle: Callable[[nn.Module, torch.Tensor], torch.Tensor], verdict: str
) -> None:
    model = Body(middle)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.randn(8, 4)
    assert fxaudit.audit(model)["first.weight"].verdict == verdict
    assert fxaudit.audit(model, lambda: model(x).square().mean(), optimizer)["first.weight"].verdict == verdict
