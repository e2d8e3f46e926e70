"""Each verdict with its reason, of loops and closures of a few lines.

A loop runs in a function of its own, as in real programs: what it made is gone when it is judged, but for the model.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

import fxaudit
from fxaudit.capture.frozen import Recording
from fxaudit.capture.recording import StepFact
from fxaudit.capture.registry import SlotAssignment
from fxaudit.judge.verdict import Judge, ParameterState
from fxaudit.judge.write_up import Options, judged
from fxaudit.run import examination

torch.manual_seed(0)
X = torch.randn(8, 4)
LAYERS = ("0.weight", "0.bias", "2.weight", "2.bias")
TRAINS = "gradient arrives and the optimizer's step changes the value"
States = dict[str, ParameterState]


@pytest.fixture
def recordings(monkeypatch: pytest.MonkeyPatch) -> list[Recording]:
    """All that was judged in this process."""
    kept: list[Recording] = []

    def keeping(recording: Recording, options: Options) -> Any:
        kept.append(recording)
        return judged(recording, options)

    monkeypatch.setattr(examination, "judged", keeping)
    torch.manual_seed(0)
    return kept


def states_of(recording: Recording) -> States:
    return {state.name: state for state in Judge(recording).judge()}


@pytest.fixture
def states(recordings: list[Recording]) -> Callable[[], States]:
    """The states of the parameters in the last of them."""
    return lambda: states_of(recordings[-1])


def layers() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1))


def sgd(held: Any, **options: Any) -> torch.optim.SGD:
    return torch.optim.SGD(held.parameters() if isinstance(held, nn.Module) else held, **{"lr": 0.1, **options})


def square(model: nn.Module) -> torch.Tensor:
    out: torch.Tensor = model(X).square().mean()
    return out


def train(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss: Callable[[Any], torch.Tensor] = square,
    *,
    after: Callable[[], None] = lambda: None,
    steps: int = 4,
    backward: bool = True,
    step: bool = True,
) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        found = loss(model)
        if backward:
            found.backward()
        if step:
            optimizer.step()
        after()


# -- a loop: what blocks ----------------------------------------------------------------------------------------------


def never_stepped() -> None:
    model = layers()
    train(model, sgd(model), step=False)


def never_backward() -> None:
    model = layers()
    train(model, sgd(model), backward=False)


def cleared_before_the_step() -> None:
    model = layers()
    optimizer = sgd(model)
    for _ in range(4):
        square(model).backward()
        optimizer.zero_grad()
        optimizer.step()


def a_rate_of_zero() -> None:
    model = layers()
    train(model, sgd(model, lr=0.0))


def a_gradient_of_zero() -> None:
    model = layers()
    train(model, sgd(model), lambda model: (model(X) * 0).mean())


def a_gradient_of_infinity() -> None:
    model = layers()
    train(model, sgd(model), lambda model: (model(X) * float("inf")).mean())


def a_rate_too_small() -> None:
    model = layers()
    train(model, sgd(model, lr=1e-30))


def a_rate_that_rises() -> None:
    model = layers()
    optimizer = sgd(model, lr=1e-30)
    train(model, optimizer, after=torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 + epoch).step)


def a_rate_that_rises_and_falls() -> None:
    model = layers()
    optimizer = sgd(model, lr=1e-30)
    train(model, optimizer, after=torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 + epoch % 2).step)


def nothing_at_all() -> None:
    model = layers()
    with fxaudit.watch(model, sgd(model)):
        pass


ALIKE: dict[Callable[[], None], tuple[str, str]] = {
    never_stepped: ("blocked", "`step` is never called on the optimizer that holds it"),
    never_backward: ("blocked", "`backward` is never called"),
    cleared_before_the_step: ("blocked", "it has no gradient whenever the optimizer steps"),
    a_rate_of_zero: ("blocked", "its learning rate is 0 at every step"),
    a_gradient_of_zero: ("blocked", "its gradient is exactly zero at every step"),
    a_gradient_of_infinity: ("blocked", "its gradient is not finite at any step"),
    a_rate_too_small: ("blocked", "the optimizer steps with a gradient, yet the value does not change"),
    a_rate_that_rises: ("unknown", "its learning rate was still rising at the last recorded step (4e-30)"),
    a_rate_that_rises_and_falls: ("blocked", "the optimizer steps with a gradient, yet the value does not change"),
    nothing_at_all: ("unknown", "nothing of the loop was seen"),
}


@pytest.mark.parametrize("loop", ALIKE, ids=lambda loop: loop.__name__)
def test_a_loop_that_trains_nothing(loop: Callable[[], None], states: Callable[[], States]) -> None:
    if loop is nothing_at_all:
        loop()
    else:
        with fxaudit.watch():
            loop()
    assert {name: (state.verdict, state.reason) for name, state in states().items()} == dict.fromkeys(
        LAYERS, ALIKE[loop]
    )


# -- a loop: one parameter beside others -------------------------------------------------------------------------------


class Own(nn.Module):
    """Has a weight beside a layer; what `forward` does to the weight is up to the class."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.w, self.calls = nn.Linear(4, 1), nn.Parameter(torch.ones(1)), 0

    def touch(self, x: torch.Tensor) -> None:
        raise NotImplementedError

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        self.touch(x)
        out: torch.Tensor = self.layer(x) * self.w
        return out


class Refilled(Own):
    def touch(self, x: torch.Tensor) -> None:
        with torch.no_grad():
            self.w.fill_(1.0)


class Drawn(Own):
    def touch(self, x: torch.Tensor) -> None:
        with torch.no_grad():
            self.w.uniform_()


class FromData(Own):
    def touch(self, x: torch.Tensor) -> None:
        if self.calls == 1:
            with torch.no_grad():
                self.w.copy_(x.mean().reshape(1))


class Scaled(Own):
    def touch(self, x: torch.Tensor) -> None:
        with torch.no_grad():
            self.w.copy_(self.w * 0.9)


class Remade(Own):
    def touch(self, x: torch.Tensor) -> None:
        self.w = nn.Parameter(torch.ones(1))


class Keeping(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1)
        self.seen: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.seen is None:
            self.seen = x.clone().requires_grad_()
        out: torch.Tensor = self.layer(self.seen)
        return out


def own(kind: type[Own]) -> Callable[[], None]:
    def loop() -> None:
        model = kind()
        train(model, sgd(model))

    return loop


def after_each_step(change: Callable[[torch.Tensor, torch.Tensor], object]) -> Callable[[], None]:
    def loop() -> None:
        model = layers()
        weight = model[0].weight
        first = weight.detach().clone()

        def after() -> None:
            with torch.no_grad():
                change(weight, first)

        train(model, sgd(model), after=after)

    return loop


def copied_back_before_each_step() -> None:
    model = layers()
    first, optimizer = model[0].weight.detach().clone(), sgd(model)
    for _ in range(4):
        with torch.no_grad():
            model[0].weight.copy_(first)
        optimizer.zero_grad()
        square(model).backward()
        optimizer.step()


def copied_back_once() -> None:
    model = layers()
    first, optimizer = model[0].weight.detach().clone(), sgd(model)
    square(model).backward()
    optimizer.step()
    with torch.no_grad():
        model[0].weight.copy_(first)


def perturbed_and_put_back() -> None:
    model = layers()
    optimizer = sgd(model)
    for _ in range(4):
        optimizer.zero_grad()
        old = model[0].weight.detach().clone()
        with torch.no_grad():
            model[0].weight.add_(0.1)
        square(model).backward()
        optimizer.step()
        with torch.no_grad():
            model[0].weight.copy_(old)


def loaded_every_third_step() -> None:
    model = layers()
    optimizer, old = sgd(model), copy.deepcopy(model.state_dict())
    for number in range(12):
        optimizer.zero_grad()
        square(model).backward()
        optimizer.step()
        if number % 3 == 2:
            model.load_state_dict(old)


def frozen_below() -> None:
    model = layers()
    model[0].requires_grad_(False)
    train(model, sgd(model))


def left_out() -> None:
    model = layers()
    train(model, sgd(model[2]))


def replaced_before_the_loop() -> None:
    model = layers()
    optimizer = sgd(model)
    model[0].weight = nn.Parameter(torch.ones(3, 4))
    train(model, optimizer)


def a_mean_that_takes_all() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
    train(model, sgd(model, lr=0.001))  # with more of it the noise of some processors moves a small value


def not_among_the_inputs() -> None:
    model = layers()
    optimizer = sgd(model)
    for _ in range(4):
        optimizer.zero_grad()
        square(model).backward(inputs=list(model[2].parameters()))
        optimizer.step()


def zeros_where_none_came() -> None:
    model = layers()
    optimizer = sgd(model)
    for _ in range(4):
        loss = model[2](model[0](X).detach()).square().mean()
        for p, g in zip(
            model.parameters(), torch.autograd.grad(loss, [*model.parameters()], allow_unused=True), strict=True
        ):
            p.grad = torch.zeros_like(p) if g is None else g
        optimizer.step()


def none_from_a_function() -> None:
    class Nothing(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return x * 1

        @staticmethod
        def backward(ctx: Any, gradient: torch.Tensor) -> None:
            return None

    model = layers()
    train(model, sgd(model), lambda model: model[2](Nothing.apply(model[0](X))).square().mean())


def a_leaf_in_between() -> None:
    model = layers()

    def loss(model: Any) -> torch.Tensor:
        hidden = model[0](X).detach().requires_grad_()
        out: torch.Tensor = model[2](hidden).mean()
        return out

    train(model, sgd(model), loss)


def beside(held: bool, **options: float) -> Callable[[], None]:
    def loop() -> None:
        model, extra = nn.Linear(4, 1), nn.Parameter(torch.ones(1))
        groups = [{"params": [*model.parameters()]}, *([{"params": [extra], **options}] if held else [])]
        train(model, sgd(groups), lambda model: (model(X) * extra).mean())

    return loop


def held_and_not_used() -> None:
    model, extra = nn.Linear(4, 1), nn.Parameter(torch.ones(1))
    train(model, sgd([*model.parameters(), extra]))


class Listed(nn.Module):
    def __init__(self, cut: bool) -> None:
        super().__init__()
        self.layer, self.cut = nn.Linear(4, 1), cut
        self.more = [nn.Linear(4, 1)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        more = self.more[0](x)
        out: torch.Tensor = self.layer(x) + (more.detach() if self.cut else more)
        return out


def in_a_list(cut: bool) -> Callable[[], None]:
    def loop() -> None:
        model = Listed(cut)
        train(model, sgd(model))

    return loop


def in_a_list_and_held() -> None:
    model = Listed(cut=False)
    train(model, sgd([*model.parameters(), *model.more[0].parameters()]))


def updated_by_hand() -> None:
    model = nn.Linear(4, 1)
    for _ in range(4):
        model.zero_grad()
        square(model).backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= 0.1 * p.grad  # type: ignore[operator]


def through_masters() -> None:
    model = nn.Linear(4, 1)
    masters = [p.detach().clone().requires_grad_() for p in model.parameters()]
    optimizer = sgd(masters)
    for _ in range(4):
        model.zero_grad()
        square(model).backward()
        for master, p in zip(masters, model.parameters(), strict=True):
            master.grad = p.grad.clone()  # type: ignore[union-attr]
        optimizer.step()
        with torch.no_grad():
            for master, p in zip(masters, model.parameters(), strict=True):
                p.copy_(master)


def an_input_that_wants_its_gradient() -> None:
    model = nn.Linear(4, 1)
    x = X.clone().requires_grad_()

    def loss(model: Any) -> torch.Tensor:
        out: torch.Tensor = model(x).square().mean()
        return out

    train(model, sgd(model), loss, after=lambda: print(x.grad.abs().max()))  # type: ignore[union-attr]


Told = tuple[str, str, str]
"""(verdict, reason, mechanism)."""
EVERY = "before every step it is again bit for bit what it was before the last one"
UNREGISTERED = "a loss reaches it, but no model registers it and no optimizer holds it"
CUT = ("unreachable", "no gradient path leads from a loss to it", "")
GONE = ("stale", "an optimizer holds it, but no model has it and no loss reaches it", "")
BESIDE: dict[str, tuple[Callable[[], None], dict[str, Told]]] = {
    "refilled in forward": (own(Refilled), {"w": ("replaced", EVERY, "overwritten")}),
    "drawn in forward": (
        own(Drawn),
        {
            "w": (
                "replaced",
                "before every step it is overwritten with a value that does not depend on it",
                "overwritten",
            )
        },
    ),
    "initialised by the first batch": (own(FromData), {}),
    "scaled in forward": (own(Scaled), {}),
    "an input that forward keeps, for its gradient": (own(Keeping), {}),
    "remade in forward": (
        own(Remade),
        {
            "w": ("replaced", "a new Parameter takes its place in every round", "remade"),
            "w (old)": GONE,
            "w.w": (
                "unregistered",
                "made anew in each forward: a loss reaches it, but it never outlives the call",
                "remade",
            ),
        },
    ),
    "copied back after each step": (
        after_each_step(lambda weight, first: weight.copy_(first)),
        {"0.weight": ("replaced", "after every step it gets the value back that it had before it", "rewritten")},
    ),
    "copied back once": (copied_back_once, {}),
    "copied back before each step": (
        copied_back_before_each_step,
        {"0.weight": ("replaced", "after every step it gets the value back that it had before it", "rewritten")},
    ),
    "drawn after each step": (
        after_each_step(lambda weight, _: weight.normal_()),
        {
            "0.weight": (
                "replaced",
                "before every step it is overwritten with a value that does not depend on it",
                "rewritten",
            )
        },
    ),
    "clamped after each step": (after_each_step(lambda weight, _: weight.clamp_(-1, 1)), {}),
    "perturbed and put back": (
        perturbed_and_put_back,
        {"0.weight": ("replaced", "after every step it gets the value back that it had before it", "undone")},
    ),
    "loaded every third step": (
        loaded_every_third_step,
        dict.fromkeys(LAYERS, ("replaced", "its old value came back 3 times, after 3 steps", "put_back")),
    ),
    "frozen": (frozen_below, dict.fromkeys(LAYERS[:2], ("frozen", "`requires_grad` is False", ""))),
    "left out": (
        left_out,
        dict.fromkeys(LAYERS[:2], ("excluded", "gradient arrives, but no optimizer holds it", "")),
    ),
    "replaced before the loop": (
        replaced_before_the_loop,
        {"0.weight": ("excluded", "gradient arrives, but no optimizer holds it", ""), "0.weight (old)": GONE},
    ),
    "a mean that takes all": (
        a_mean_that_takes_all,
        {
            "0.bias": (
                "unknown",
                "its gradient is rounding noise: mathematically it is zero, and nothing depends on the value",
                "",
            )
        },
    ),
    "not among the inputs": (
        not_among_the_inputs,
        dict.fromkeys(LAYERS[:2], ("blocked", "it has no gradient whenever the optimizer steps", "")),
    ),
    "zeros where none came": (zeros_where_none_came, dict.fromkeys(LAYERS[:2], CUT)),
    "none from a function": (none_from_a_function, dict.fromkeys(LAYERS[:2], CUT)),
    "a leaf in between": (
        a_leaf_in_between,
        {
            **dict.fromkeys(LAYERS[:2], CUT),
            "hidden": (
                "unregistered",
                "made anew in each forward from a parameter's value: the gradient stays with it",
                "remade",
            ),
        },
    ),
    "beside the model": (beside(held=False), {"extra": ("unregistered", UNREGISTERED, "")}),
    "beside the model, and held": (beside(held=True), {"extra": ("trained", TRAINS, "")}),
    "beside the model, and held with a rate of 0": (
        beside(held=True, lr=0.0),
        {"extra": ("blocked", "its learning rate is 0 at every step", "")},
    ),
    "held and not used": (held_and_not_used, {"extra": GONE}),
    "in a list": (
        in_a_list(cut=False),
        dict.fromkeys(("more[0].weight", "more[0].bias"), ("unregistered", UNREGISTERED, "")),
    ),
    "in a list, and cut off": (
        in_a_list(cut=True),
        dict.fromkeys(
            ("more[0].weight", "more[0].bias"),
            (
                "unregistered",
                "kept where `parameters()` does not look, and what is computed from it is cut off",
                "cut off",
            ),
        ),
    ),
    "in a list, and held": (
        in_a_list_and_held,
        dict.fromkeys(("more[0].weight", "more[0].bias"), ("trained", TRAINS, "")),
    ),
    "updated by hand": (
        updated_by_hand,
        dict.fromkeys(("weight", "bias"), ("trained", "the program updates it by hand from its gradient", "")),
    ),
    "through masters": (
        through_masters,
        {
            **dict.fromkeys(("weight", "bias"), ("trained", "the program updates it by hand from its gradient", "")),
            **dict.fromkeys(
                ("masters[0]", "masters[1]"),
                ("trained", "the optimizer's step changes it, and it is copied to a parameter", ""),
            ),
        },
    ),
    "an input that wants its gradient": (an_input_that_wants_its_gradient, {}),
}


@pytest.mark.parametrize("case", BESIDE)
def test_all_train_but_those_that_do_not(case: str, states: Callable[[], States]) -> None:
    loop, expected = BESIDE[case]
    with fxaudit.watch():
        loop()
    found = {name: (state.verdict, state.reason, state.mechanism) for name, state in states().items()}
    assert {name: told for name, told in found.items() if told != ("trained", TRAINS, "")} == {
        name: told for name, told in expected.items() if told != ("trained", TRAINS, "")
    }
    assert expected.keys() <= found.keys()


def test_the_first_operation_of_all_may_overwrite_what_is_never_stepped(states: Callable[[], States]) -> None:
    model = Refilled()
    with fxaudit.watch(model):
        for _ in range(2):
            square(model).backward()
    w = states()["w"]
    assert [op.index for op in w.writers][:1] == [0]
    assert (w.verdict, w.reason, w.mechanism) == (
        "replaced",
        "forward overwrites it in every round with a value that does not depend on it",
        "overwritten",
    )


def test_what_a_state_rests_on(states: Callable[[], States]) -> None:
    with fxaudit.watch():
        own(Refilled)()
    found = states()
    w, weight = found["w"], found["layer.weight"]
    assert [op.name for op in w.writers] == ["fill_"] * 4 and weight.writers == ()
    assert (w.module_type, weight.module_type) == ("Refilled", "Linear")
    assert (w.reached_in, w.held, w.arrived, w.swapped, w.is_starved) == (4, ((0, 0),), "finite", False, False)
    assert w.norm == max(fact.norm for fact in w.facts)
    assert [fact.changed for fact in weight.facts] == [True] * 4


def test_names_that_are_taken_get_numbers(states: Callable[[], States]) -> None:
    def loop() -> None:
        model = nn.Linear(4, 1)
        old = nn.Parameter(torch.ones(1))
        optimizer = sgd([*model.parameters(), old])
        weight = nn.Parameter(torch.ones(1))
        optimizer.add_param_group({"params": [weight]})
        train(model, optimizer)

    with fxaudit.watch():
        loop()
    assert [*states()] == ["weight", "bias", "old", "weight #2"]


@pytest.mark.parametrize("steps", [1, 2])
def test_a_leaf_beside_the_model_is_meant_to_learn_where_a_second_batch_reaches_it(
    steps: int, states: Callable[[], States]
) -> None:
    with fxaudit.watch():
        model, extra = nn.Linear(4, 1), torch.ones(1, requires_grad=True)
        train(model, sgd(model), lambda model: (model(X) * extra).square().mean(), steps=steps)
    found = {name: state.verdict for name, state in states().items() if name not in ("weight", "bias")}
    assert found == ({"extra": "unregistered"} if steps == 2 else {})


ANEW = "made anew in each forward: a loss reaches it, but it never outlives the call"


@pytest.mark.parametrize("steps", [1, 4])
def test_what_is_made_anew_for_each_loss_is_told_once(steps: int, states: Callable[[], States]) -> None:
    def loss(model: nn.Module) -> torch.Tensor:
        extra = nn.Parameter(torch.ones(1))
        out: torch.Tensor = (model(X) * extra).mean()
        return out

    with fxaudit.watch():
        model = nn.Linear(4, 1)
        train(model, sgd(model), loss, steps=steps)
    found = {name: (state.verdict, state.reason) for name, state in states().items()}
    assert {name: told for name, told in found.items() if name not in ("weight", "bias")} == {
        "extra": ("unregistered", ANEW)
    }


def test_what_one_line_makes_for_the_whole_loop_is_not_made_anew(states: Callable[[], States]) -> None:
    def loop() -> None:
        model, extras = nn.Linear(4, 1), [nn.Parameter(torch.ones(1)) for _ in range(2)]
        train(model, sgd(model), lambda model: (model(X) * extras[0] * extras[1]).mean())

    with fxaudit.watch():
        loop()
    found = {name: (state.verdict, state.reason, state.mechanism) for name, state in states().items()}
    told = ("unregistered", UNREGISTERED, "")
    assert found["extras"] == told and found["extras #2"] == told and len(found) == 4


def test_a_teacher_that_is_hidden_in_a_list_is_told_nowhere(states: Callable[[], States]) -> None:
    class Taught(Listed):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            with torch.no_grad():
                told = self.more[0](x)
            out: torch.Tensor = self.layer(x) - told
            return out

    with fxaudit.watch():
        model = Taught(cut=False)
        train(model, sgd(model))
    assert {name: state.verdict for name, state in states().items()} == {
        "layer.weight": "trained",
        "layer.bias": "trained",
    }


def test_a_value_that_came_back_after_each_of_two_steps_is_put_back(states: Callable[[], States]) -> None:
    with fxaudit.watch():
        model = layers()
        weight, optimizer = model[0].weight, sgd(model)
        for _ in range(2):
            optimizer.zero_grad()
            old = weight.detach().clone()
            square(model).backward()
            optimizer.step()
            with torch.no_grad():
                weight.copy_(old)
    found = {name: (state.verdict, state.mechanism) for name, state in states().items()}
    assert found == {**dict.fromkeys(LAYERS, ("trained", "")), "0.weight": ("replaced", "rewritten")}


def test_a_leaf_into_which_a_loss_is_written_takes_the_gradient(states: Callable[[], States]) -> None:
    with fxaudit.watch():
        model = nn.Linear(4, 1)
        optimizer = sgd(model)
        for _ in range(3):
            optimizer.zero_grad()
            total = torch.zeros((), requires_grad=True)
            total.data += square(model).data
            (total * 2).backward()
            optimizer.step()
    found = {name: (state.verdict, state.explained) for name, state in states().items()}
    assert found == {
        "weight": ("unreachable", []),
        "bias": ("unreachable", []),
        "total.data": ("unregistered", ["FXA104"]),
    }


def test_a_leaf_whose_gradient_is_read_is_an_input(states: Callable[[], States]) -> None:
    with fxaudit.watch():
        model, x = nn.Linear(4, 1), X.clone().requires_grad_()
        train(model, sgd(model), lambda model: model(x).square().mean(), after=lambda: x.grad.abs())  # type: ignore[union-attr]
    assert [*states()] == ["weight", "bias"]


# -- one batch ---------------------------------------------------------------------------------------------------------

Loss = Callable[[nn.Module], torch.Tensor]


def mean(model: nn.Module) -> torch.Tensor:
    out: torch.Tensor = model(X).mean()
    return out


BATCH: dict[str, tuple[Loss, float | None, tuple[str, str]]] = {
    "a gradient, and nothing that holds": (
        mean,
        None,
        ("trained", "gradient arrives; it trains if an optimizer holds it"),
    ),
    "zero, and nothing that holds": (
        lambda model: mean(model) * 0,
        None,
        (
            "unknown",
            "its gradient is exactly zero at this step, and without an optimizer nothing can be rehearsed",
        ),
    ),
    "infinity, and nothing that holds": (
        lambda model: mean(model) * float("inf"),
        None,
        ("unknown", "its gradient is not finite at this step"),
    ),
    "a gradient": (mean, 0.1, ("trained", "gradient arrives and an optimizer holds it")),
    "a rate of 0": (mean, 0.0, ("blocked", "its learning rate is 0")),
    "zero": (lambda model: mean(model) * 0, 0.1, ("unknown", "its gradient is exactly zero at this step")),
    "infinity": (lambda model: mean(model) * float("inf"), 0.1, ("blocked", "its gradient is not finite")),
}


@pytest.mark.parametrize("case", BATCH)
def test_what_one_batch_says(case: str, states: Callable[[], States]) -> None:
    loss, rate, told = BATCH[case]
    model = layers()
    given = [] if rate is None else [sgd(model, lr=rate)]
    fxaudit.audit(model, lambda: loss(model), given, steps=0, prove=False)
    found = states()
    assert {name: (state.verdict, state.reason) for name, state in found.items()} == dict.fromkeys(LAYERS, told)


def test_a_warm_up_is_waited_for() -> None:
    model = layers()
    optimizer = sgd(model)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: min(1.0, epoch / 10))
    report = fxaudit.audit(model, lambda: mean(model), optimizer, steps=0, prove=False)
    assert {(p.verdict, p.reason) for p in report} == {
        ("unknown", "its learning rate is 0 now, and the scheduler raises it later")
    }
    assert scheduler.last_epoch == 0


def test_a_loss_at_rest_asks_for_another_batch_and_one_of_zero_does_not() -> None:
    model = layers()
    at_rest = fxaudit.audit(model, lambda: torch.relu(mean(model) - 100), sgd(model), prove=False)
    zero = fxaudit.audit(model, lambda: mean(model) * 0, sgd(model), prove=False)
    raised = fxaudit.audit(model, lambda: torch.relu(mean(model) - 100) + 1, sgd(model), prove=False)
    assert {(p.verdict, p.reason) for p in at_rest} == {
        ("unknown", "the loss is exactly zero on this batch, and every gradient with it; give it another batch")
    }
    assert {(p.verdict, p.reason) for p in zero} == {("blocked", "its gradient is exactly zero at every step")}
    assert {p.verdict for p in raised} == {"blocked"}


def test_what_another_optimizer_holds_is_left_open_and_what_none_holds_is_not() -> None:
    with fxaudit.watch():
        model = layers()
        given, _other = sgd(model[2]), sgd([model[0].weight])
        report = fxaudit.audit(model, lambda: mean(model), given, prove=False)
    assert {p.name: (p.verdict, p.reason) for p in report} == {
        "0.weight": ("unknown", "another `SGD` holds it, which the audit was not given"),
        "0.bias": ("excluded", "gradient arrives, but no optimizer holds it"),
        "2.weight": ("trained", TRAINS),
        "2.bias": ("trained", TRAINS),
    }


def test_a_slot_that_forward_assigns_to_holds_nothing_that_trains(recordings: list[Recording]) -> None:
    with fxaudit.watch():
        a_rate_too_small()
    recording = recordings[-1]
    assigned = SlotAssignment(module=0, slot="weight", stack=-1, track=0, time=3, value=0, refused=False)
    told = ("replaced", "forward assigns another tensor to its slot", "slot")
    found = states_of(replace(recording, assignments=(assigned,)))
    assert {name: (state.verdict, state.reason, state.mechanism) for name, state in found.items()}["0.weight"] == told
    assert {state.verdict for name, state in found.items() if name != "0.weight"} == {"blocked"}
    # Once the tensor is there the model has no such parameter any more; the report has it at its place.
    model = recording.models[0]
    left = replace(model, parameters=tuple(one for one in model.parameters if one[1] != assigned.track))
    found = states_of(replace(recording, models=(left,), assignments=(assigned,)))
    assert tuple(found) == LAYERS
    assert (found["0.weight"].verdict, found["0.weight"].reason, found["0.weight"].mechanism) == told


# -- what was not seen -------------------------------------------------------------------------------------------------

BACKWARD = ("blocked", "`backward` is never called")
STEP = ("blocked", "`step` is never called on the optimizer that holds it")
IN_A_CHILD = ("unknown", "a process that the program starts may train it; only this process is recorded")
UNSEEN: dict[str, tuple[Callable[[], None], dict[str, Any], tuple[str, str]]] = {
    "stepped in another thread": (
        never_stepped,
        {"stepped_elsewhere": frozenset({0, 1, 2, 3})},
        ("unknown", "its optimizer steps in another thread; only the thread that started the audit is recorded"),
    ),
    "handed to a process": (never_backward, {"elsewhere": frozenset({0, 1, 2, 3})}, IN_A_CHILD),
    "handed to a process, and reached here": (never_stepped, {"elsewhere": frozenset({0, 1, 2, 3})}, STEP),
    "a process of which nothing is known": (never_backward, {"blind_children": True}, BACKWARD),
    "compiled": (
        never_stepped,
        {"compiled_writes": frozenset({0, 1, 2, 3})},
        ("unknown", "compiled code trains it, and what happens inside is not recorded"),
    ),
    "compiled, and seen to be stepped": (
        a_rate_of_zero,
        {"compiled_writes": frozenset({0, 1, 2, 3})},
        ("blocked", "its learning rate is 0 at every step"),
    ),
    "dead before its first step": (
        lambda: train(model := layers(), sgd(model), backward=False, step=False),
        {"died": True},
        ("unknown", "the script died before its first backward"),
    ),
    "dead after a step": (never_backward, {"died": True}, BACKWARD),
}


@pytest.mark.parametrize("case", UNSEEN)
def test_what_may_have_happened_unseen_is_left_open(case: str, recordings: list[Recording]) -> None:
    loop, unseen, told = UNSEEN[case]
    with fxaudit.watch():
        loop()
    found = states_of(replace(recordings[-1], **unseen))
    assert {name: (state.verdict, state.reason) for name, state in found.items()} == dict.fromkeys(LAYERS, told)


def test_a_process_of_which_nothing_is_known_may_train_all_where_nothing_runs_here(recordings: list[Recording]) -> None:
    with fxaudit.watch():
        model = layers()
        train(model, sgd(model), backward=False, step=False)
    found = states_of(replace(recordings[-1], blind_children=True))
    assert {(state.verdict, state.reason) for state in found.values()} == {IN_A_CHILD}


def test_what_another_process_holds_is_left_to_it(recordings: list[Recording]) -> None:
    with fxaudit.watch():
        a_rate_too_small()
    recording = recordings[-1]
    recording.record.tracks[1].is_elsewhere = True
    found = states_of(recording)
    assert found["0.bias"].reason == "it is sharded over several processes, and this one holds no element of it"
    assert (found["0.bias"].verdict, found["0.weight"].verdict) == ("unknown", "blocked")


def test_an_optimizer_of_a_library_may_look_for_its_step_size_first(recordings: list[Recording]) -> None:
    with fxaudit.watch():
        a_rate_too_small()
    recording = recordings[-1]
    recording.optimizers[0].is_library = True
    assert {(state.verdict, state.reason) for state in states_of(recording).values()} == {
        (
            "unknown",
            "`SGD`, which comes from an installed package, did not change it in 4 steps; it may look for its step size "
            "first",
        )
    }


# -- what a program hides, keeps and makes anew ------------------------------------------------------------------------


def told(recording: Recording) -> dict[str, Told]:
    return {name: (state.verdict, state.reason, state.mechanism) for name, state in states_of(recording).items()}


def verdicts(recording: Recording) -> dict[str, str]:
    return {name: state.verdict for name, state in states_of(recording).items()}


SLOT = ("replaced", "forward assigns another tensor to its slot", "slot")


@pytest.mark.parametrize("track", range(4))
def test_what_lost_its_slot_stands_where_the_model_had_it(track: int, recordings: list[Recording]) -> None:
    with fxaudit.watch():
        a_rate_too_small()
    recording = recordings[-1]
    model = recording.models[0]
    assigned = SlotAssignment(module=0, slot="weight", stack=-1, track=track, time=3, value=0, refused=False)
    left = replace(model, parameters=tuple(one for one in model.parameters if one[1] != track), prefix="net.")
    found = told(replace(recording, models=(left,), assignments=(assigned, assigned, replace(assigned, track=-1))))
    assert tuple(found) == tuple(f"net.{name}" for name in LAYERS)
    assert [name for name, one in found.items() if one == SLOT] == [f"net.{LAYERS[track]}"]
    nameless = told(replace(recording, models=(left,), assignments=(assigned,), names={}))
    assert nameless["net.weight"] == SLOT
    rootless = states_of(replace(recording, models=(), assignments=(assigned,)))
    assert rootless[LAYERS[track]].mechanism == "slot" and rootless[LAYERS[track]].root is None


def test_what_lost_its_slot_belongs_to_the_model_that_had_it(recordings: list[Recording]) -> None:
    with fxaudit.watch():
        first, second = nn.Linear(4, 4), nn.Linear(4, 1)
        train(first, sgd([*first.parameters(), *second.parameters()]), lambda model: second(model(X)).mean())
    recording = recordings[-1]
    one, other = recording.models
    name, track = other.parameters[0]
    left = replace(other, parameters=other.parameters[1:])
    assigned = SlotAssignment(module=0, slot=name, stack=-1, track=track, time=3, value=0, refused=False)
    found = states_of(replace(recording, models=(one, left), assignments=(assigned,)))
    state = found[other.prefix + name]
    assert (state.root, state.mechanism) == (other.root, "slot")
    assert [*found] == [m.prefix + local for m in recording.models for local, _ in m.parameters]


def test_what_an_optimizer_of_no_account_holds_is_not_told(recordings: list[Recording]) -> None:
    with fxaudit.watch():
        held_and_not_used()
    recording = recordings[-1]
    optimizer = recording.optimizers[0]
    assert verdicts(recording) == {"weight": "trained", "bias": "trained", "extra": "stale"}
    optimizer.is_part = True  # another optimizer built it for its own use
    assert verdicts(recording) == {"weight": "trained", "bias": "trained"}
    optimizer.is_part, optimizer.is_abandoned = False, True
    assert verdicts(replace(recording)) == {"weight": "trained", "bias": "trained"}
    optimizer.is_abandoned, optimizer.is_asked_about = False, False
    assert verdicts(replace(recording)) == {"weight": "trained", "bias": "trained"}


def test_what_a_model_hides_is_told_only_where_it_takes_part(recordings: list[Recording]) -> None:
    with fxaudit.watch():
        model = layers()
        train(model, sgd(model[2]), lambda model: model[2](model[0](X).detach()).mean())
    recording = recordings[-1]
    hiding = replace(recording.models[0], unlisted=frozenset(range(4)))
    assert [*states_of(recording)] == [*LAYERS]
    assert [*states_of(replace(recording, models=(hiding,)))] == [*LAYERS[2:]]
    with fxaudit.watch():
        left_out()
    reached = recordings[-1]
    hiding = replace(reached.models[0], unlisted=frozenset(range(4)))
    assert [*states_of(replace(reached, models=(hiding,)))] == [*LAYERS]
    with fxaudit.watch():
        model = layers()
        train(model, sgd(model), lambda model: model[2](model[0](X).detach()).mean())
    held = recordings[-1]
    hiding = replace(held.models[0], unlisted=frozenset(range(4)))
    assert [*states_of(replace(held, models=(hiding,)))] == [*LAYERS]


class Holder:
    def __init__(self, weight: torch.Tensor) -> None:
        self.weight = weight


class Kept(nn.Module):
    """Computes with a tensor that it keeps beside its parameters, and cuts that off."""

    def __init__(self, kept: Any = None) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1)
        self.kept = [nn.Parameter(torch.ones(1))] if kept is None else kept

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = self.kept.weight if isinstance(self.kept, Holder) else self.kept[0]
        out: torch.Tensor = self.layer(x) + (kept * 2).detach()
        return out


class KeptCopy(Kept):
    def __init__(self) -> None:
        super().__init__()
        self.kept = [copy.deepcopy(self.layer).bias]


class KeptHolder(Kept):
    def __init__(self) -> None:
        super().__init__(Holder(nn.Parameter(torch.ones(1))))


class KeptTensor(Kept):
    def __init__(self) -> None:
        super().__init__([torch.ones(1, requires_grad=True)])


class KeptFrozen(Kept):
    def __init__(self) -> None:
        super().__init__([nn.Parameter(torch.ones(1), requires_grad=False)])


KEPT: dict[str, tuple[Callable[[], nn.Module], bool]] = {
    "a parameter": (Kept, True),
    "a parameter from outside": (lambda: Kept([nn.Parameter(torch.ones(1))]), False),
    "a copy": (KeptCopy, False),
    "in an object": (KeptHolder, False),
    "a tensor": (KeptTensor, False),
    "frozen": (KeptFrozen, False),
}


@pytest.mark.parametrize("case", KEPT)
def test_what_a_constructor_made_and_keeps_in_a_list_is_told_where_it_is_cut_off(
    case: str, states: Callable[[], States]
) -> None:
    make, is_told = KEPT[case]
    with fxaudit.watch():
        model = make()
        train(model, sgd(model))
    found = {name: state.mechanism for name, state in states().items() if not name.startswith("layer")}
    assert found == ({"kept[0]": "cut off"} if is_told else {})


class Slope(nn.Module):
    """The derivative of a layer with respect to an input that it keeps."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1)
        self.x: torch.Tensor | None = None

    def forward(self) -> torch.Tensor:
        assert self.x is not None
        (slope,) = torch.autograd.grad(torch.tanh(self.layer(self.x)).sum(), self.x, create_graph=True)
        return slope.square() + self.layer(self.x).square()


@pytest.mark.parametrize("first", ["the input", "the optimizer"])
def test_an_input_that_stays_on_the_model_is_known_by_being_made_after_the_optimizer(
    first: str, states: Callable[[], States]
) -> None:
    with fxaudit.watch():
        model = Slope()
        if first == "the input":
            model.x = X.clone().requires_grad_()
        optimizer = sgd(model)
        if first == "the optimizer":
            model.x = X.clone().requires_grad_()
        train(model, optimizer, lambda model: model().mean())
    found = [name for name in states() if not name.startswith("layer")]
    assert found == (["x"] if first == "the input" else [])


def test_an_input_with_respect_to_which_the_loss_differentiates_is_no_parameter(states: Callable[[], States]) -> None:
    def loss(model: Any) -> torch.Tensor:
        (slope,) = torch.autograd.grad(torch.tanh(model(x)).sum(), x, create_graph=True)
        out: torch.Tensor = (slope.square() + model(x).square()).mean()
        return out

    with fxaudit.watch():
        model, x = nn.Linear(4, 1), X.clone().requires_grad_()
        train(model, sgd(model), loss)
    assert [*states()] == ["weight", "bias"]


def test_what_two_rounds_use_is_not_made_anew(states: Callable[[], States]) -> None:
    def loop() -> None:
        model, extras = nn.Linear(4, 1), [nn.Parameter(torch.ones(1)) for _ in range(2)]
        train(model, sgd(model), lambda model: (model(X) * extras[0] * extras[1]).mean(), steps=2)

    with fxaudit.watch():
        loop()
    assert {name: state.mechanism for name, state in states().items()} == dict.fromkeys(
        ("weight", "bias", "extras", "extras #2"), ""
    )


def test_a_leaf_that_is_made_where_gradients_are_off_is_not_a_parameter_made_anew(states: Callable[[], States]) -> None:
    def loss(model: Any) -> torch.Tensor:
        with torch.no_grad():
            hidden = model[0](X)
        out: torch.Tensor = model[2](hidden.requires_grad_()).mean()
        return out

    with fxaudit.watch():
        model = layers()
        train(model, sgd(model), loss)
    found = {name: state.mechanism for name, state in states().items()}
    assert "remade" not in found.values() and [*found][:2] == [*LAYERS[:2]]


def test_a_loss_that_is_made_a_leaf_is_no_parameter(states: Callable[[], States]) -> None:
    with fxaudit.watch():
        model = layers()
        train(model, sgd(model), lambda model: square(model).detach().requires_grad_())
    assert {name: state.verdict for name, state in states().items()} == dict.fromkeys(LAYERS, "unreachable")


def test_what_is_computed_on_the_way_into_a_leaf_changes_nothing(states: Callable[[], States]) -> None:
    with fxaudit.watch():
        model = nn.Linear(4, 1)
        optimizer = sgd(model)
        for _ in range(3):
            optimizer.zero_grad()
            total = torch.zeros((), requires_grad=True)
            seen = square(model).data
            seen.mul_(2)
            total.data = total.data + seen * seen
            (total * 2).backward()
            optimizer.step()
    found = {name: (state.verdict, state.explained) for name, state in states().items()}
    assert found == {
        "weight": ("unreachable", []),
        "bias": ("unreachable", []),
        "total.data": ("unregistered", ["FXA104"]),
    }


# -- what overwrites ---------------------------------------------------------------------------------------------------


class Assigned(Own):
    """Puts something in the place of the whole weight, through an index."""

    def value(self, x: torch.Tensor) -> torch.Tensor | float:
        raise NotImplementedError

    def touch(self, x: torch.Tensor) -> None:
        with torch.no_grad():
            self.w[:] = self.value(x)


class AssignedNumber(Assigned):
    def value(self, x: torch.Tensor) -> float:
        return float(self.calls)


class AssignedData(Assigned):
    def value(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean() + self.calls


class AssignedOwn(Assigned):
    def value(self, x: torch.Tensor) -> torch.Tensor:
        return (self.w * 0.9).sum()


class AssignedByMask(Assigned):
    def value(self, x: torch.Tensor) -> torch.Tensor:
        return (x.mean() + self.calls) * (self.w > 0)


class Masked(Own):
    def touch(self, x: torch.Tensor) -> None:
        with torch.no_grad():
            self.w[self.w < 1000] = float(self.calls)


DATA = ("replaced", "before every step it is overwritten with a value that does not depend on it", "overwritten")
ASSIGNED: dict[type[Own], Told] = {
    AssignedNumber: DATA,
    AssignedData: DATA,
    AssignedByMask: DATA,
    AssignedOwn: ("trained", TRAINS, ""),
}


@pytest.mark.parametrize("kind", ASSIGNED, ids=lambda kind: kind.__name__)
def test_what_is_assigned_through_an_index_overwrites_where_nothing_of_the_weight_is_in_it(
    kind: type[Own], recordings: list[Recording]
) -> None:
    with fxaudit.watch():
        own(kind)()
    assert told(recordings[-1])["w"] == ASSIGNED[kind]


@pytest.mark.parametrize("steps", [19, 20, 21])
def test_a_mask_that_is_true_in_twenty_rounds_is_said_to_be_so_always(steps: int, recordings: list[Recording]) -> None:
    with fxaudit.watch():
        model = Masked()
        train(model, sgd(model), steps=steps)
    verdict, reason, _ = told(recordings[-1])["w"]
    rounds = steps - 1
    if rounds < 20:
        assert verdict == "unknown"
        assert (
            reason
            == f"in all of {rounds} rounds a mask that is true everywhere overwrites it, and may leave some later"
        )
    else:
        assert verdict == "replaced"


def test_what_an_optimizer_writes_where_it_calls_the_forward_is_no_overwriting(recordings: list[Recording]) -> None:
    with fxaudit.watch():
        model = layers()
        optimizer = sgd(model)

        def closure() -> float:
            optimizer.zero_grad()
            loss = square(model)
            loss.backward()
            return loss.item()

        for _ in range(4):
            optimizer.step(closure)
    judge = Judge(recordings[-1])
    assert {state.verdict for state in judge.judge()} == {"trained"}
    written = {vid for op in judge.record.ops if op.phase == "optimizer" for vid in op.mutates}
    assert written & set(judge.record.tracks[0].values)
    backward = judge.graph.backwards[0].time
    assert [op for op in judge.writers(judge.record.tracks[0]) if op.index >= backward] == []


def test_what_is_put_back_after_a_step_may_be_the_copy_that_was_made_first_of_all(states: Callable[[], States]) -> None:
    model = layers()
    optimizer, weight = sgd(model), model[0].weight
    with fxaudit.watch(model, optimizer):
        first = weight.detach()
        kept = first.clone()
        for _ in range(4):
            optimizer.zero_grad()
            square(model).backward()
            optimizer.step()
            with torch.no_grad():
                weight.copy_(kept)
    found = states()["0.weight"]
    assert (found.verdict, found.mechanism) == ("replaced", "rewritten")
    assert [op.name for op in found.writers] == ["copy_"] * 4


# -- what the steps and their gradients were like ----------------------------------------------------------------------


def fact(gradient: Any = "finite", changed: bool = True, change: float = 1.0) -> StepFact:
    return StepFact(0, 0, 0, 0.1, gradient, 1.0, changed, change)


GOOD, STILL, NAN, LATER = fact(), fact(changed=False, change=math.nan), fact(change=math.nan), fact(change=math.inf)
BY_NAN = fact(gradient="nonfinite")
SPOILING: dict[str, tuple[list[StepFact], StepFact | None]] = {
    "nothing": ([], None),
    "good steps": ([GOOD, GOOD], None),
    "one that changed nothing": ([STILL], None),
    "the first of two": ([GOOD, NAN, LATER], NAN),
    "other values afterwards": ([NAN, GOOD], None),
    "other values, and again": ([NAN, GOOD, LATER], LATER),
    "a step that changed nothing afterwards": ([NAN, fact(changed=False, change=0.0)], NAN),
    "a step by no finite gradient afterwards": ([NAN, BY_NAN], NAN),
}


@pytest.mark.parametrize("case", SPOILING)
def test_the_step_that_spoilt_a_value_for_good(case: str, recordings: list[Recording]) -> None:
    facts, spoiling = SPOILING[case]
    with fxaudit.watch():
        never_stepped()
    state = states_of(recordings[-1])["0.weight"]
    state.track.facts[:] = facts
    assert state.spoiling is spoiling


def test_the_best_of_all_gradients_counts_and_the_largest_of_those(states: Callable[[], States]) -> None:
    factors = iter([1.0, 0.0, 3.0, float("inf")])
    with fxaudit.watch():
        model = nn.Linear(4, 1)
        train(model, sgd(model), lambda model: model(X).mean() * next(factors), step=False)
    found = states()["bias"]
    assert (found.arrived, found.norm, found.reached_in) == ("finite", 3.0, 4)


def test_a_gradient_that_is_never_finite_is_worse_than_one_that_once_was_zero(states: Callable[[], States]) -> None:
    factors = iter([0.0, float("inf")])
    with fxaudit.watch():
        model = nn.Linear(4, 1)
        train(model, sgd(model, lr=0.0), lambda model: model(X).mean() * next(factors), steps=2)
    found = states()["bias"]
    assert (found.arrived, found.norm) == ("nonfinite", None)


@pytest.mark.parametrize(
    ("rates", "rises"),
    [
        ((1.0,), False),
        ((1.0, 2.0), True),
        ((1.0, 2.0, 2.0), True),
        ((1.0, 1.0, 2.0), True),
        ((1.0, 1.0), False),
        ((1.0, 3.0, 2.0), False),
        ((None, 1.0, 2.0), True),
        ((), False),
    ],
)
def test_a_rate_rises_where_it_never_falls_and_ends_higher(
    rates: tuple[float | None, ...], rises: bool, recordings: list[Recording]
) -> None:
    with fxaudit.watch():
        never_stepped()
    judge = Judge(recordings[-1])
    state = judge.judge()[0]
    state.track.facts[:] = [replace(fact(), lr=rate) for rate in rates]
    assert judge.is_rising(state) == rises


def test_steps_of_an_optimizer_that_is_gone_need_a_backward_too(recordings: list[Recording]) -> None:
    with fxaudit.watch():
        never_backward()
    recording = recordings[-1]
    recording.optimizers[0].is_abandoned = True
    assert {one[:2] for one in told(recording).values()} == {BACKWARD}


def test_what_was_seen_of_a_part_of_a_loop_counts(states: Callable[[], States]) -> None:
    model = layers()
    optimizer = sgd(model, lr=0.0)
    with fxaudit.watch(model, optimizer):
        train(model, optimizer)
    assert {(state.verdict, state.reason) for state in states().values()} == {
        ("blocked", "its learning rate is 0 at every step")
    }


def test_a_parameter_knows_the_class_of_its_module(states: Callable[[], States]) -> None:
    with fxaudit.watch():
        model = nn.Sequential(nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3)), nn.Linear(3, 1))
        train(model, sgd(model))
    found = {name: state.module_type for name, state in states().items()}
    assert found == {
        "0.0.weight": "Linear",
        "0.0.bias": "Linear",
        "0.1.weight": "LayerNorm",
        "0.1.bias": "LayerNorm",
        "1.weight": "Linear",
        "1.bias": "Linear",
    }


def masters_that_end(copied: Callable[[torch.Tensor, torch.Tensor, list[torch.Tensor]], object]) -> Callable[[], None]:
    def loop() -> None:
        model = nn.Linear(4, 1)
        masters = [p.detach().clone().requires_grad_() for p in model.parameters()]
        optimizer, beside = sgd(masters), [torch.zeros_like(p) for p in model.parameters()]
        for _ in range(4):
            model.zero_grad()
            square(model).backward()
            for master, p in zip(masters, model.parameters(), strict=True):
                master.grad = p.grad.clone()  # type: ignore[union-attr]
            optimizer.step()
            with torch.no_grad():
                for master, p, other in zip(masters, model.parameters(), beside, strict=True):
                    copied(p, master, [other])

    return loop


MASTERS: dict[str, tuple[Callable[[torch.Tensor, torch.Tensor, list[torch.Tensor]], object], str]] = {
    "into the parameter": (lambda p, master, beside: p.copy_(master), "trained"),
    "computed before": (lambda p, master, beside: p.copy_(master * 2), "trained"),
    "into something else": (lambda p, master, beside: beside[0].copy_(master), "stale"),
    "something else": (lambda p, master, beside: p.copy_(p * 0.9), "stale"),
    "nothing": (lambda p, master, beside: None, "stale"),
}


@pytest.mark.parametrize("case", MASTERS)
def test_a_master_stands_for_a_parameter_where_it_is_copied_there(case: str, recordings: list[Recording]) -> None:
    copied, verdict = MASTERS[case]
    with fxaudit.watch():
        masters_that_end(copied)()
    found = verdicts(recordings[-1])
    assert {one for name, one in found.items() if name not in ("weight", "bias")} == {verdict}


def test_a_tensor_that_is_stepped_with_gradients_of_its_own_is_no_master(recordings: list[Recording]) -> None:
    with fxaudit.watch():
        through_masters()
    recording = recordings[-1]
    for track in recording.record.tracks:
        track.hand_gradient = False
    assert [one for name, one in verdicts(recording).items() if "masters" in name] == ["stale"] * 2


def test_what_came_back_is_told_with_how_often_and_after_how_long(recordings: list[Recording]) -> None:
    with fxaudit.watch():
        loaded_every_third_step()
    recording = recordings[-1]
    tracks = recording.record.tracks

    def reasons() -> set[str]:
        return {reason for _, reason, _ in told(recording).values()}

    assert {state.writers[0].name for state in states_of(recording).values()} == {"copy_"}
    for track in tracks:
        track.put_back = (2, 1, True)
    assert reasons() == {"its old value came back 2 times, after one step"}
    for track in tracks:
        track.drawn_anew = True
    assert reasons() == {"it was drawn anew 2 times, after one step"}
    for track in tracks:
        track.put_back = (0, 0, False)
    assert reasons() == {TRAINS}


@pytest.mark.parametrize("kind", ["nothing", "an index"])
def test_a_batch_that_starves_all_is_none_that_anybody_would_choose(kind: str) -> None:
    class Chosen(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(4, 1), nn.Linear(4, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            mask = x[:, 0] > 1000
            out = self.first(x[mask]).sum()
            return out if kind == "nothing" else out + self.second(x).sum()

    model = Chosen()
    report = fxaudit.audit(model, lambda: model(X), sgd(model), prove=False)
    found = {p.name: p.verdict for p in report if p.name.startswith("first")}
    assert found == dict.fromkeys(("first.weight", "first.bias"), "blocked" if kind == "nothing" else "unknown")


def test_an_answer_that_never_came_tells_against_a_hand_written_zero(states: Callable[[], States]) -> None:
    with fxaudit.watch():
        zeros_where_none_came()
    found = {name: state.verdict for name, state in states().items()}
    assert found == {**dict.fromkeys(LAYERS[:2], "unreachable"), **dict.fromkeys(LAYERS[2:], "trained")}


def test_what_is_updated_by_hand_without_a_gradient_does_not_train(recordings: list[Recording]) -> None:
    with fxaudit.watch():
        updated_by_hand()
    recording = recordings[-1]
    track = recording.record.tracks[0]
    assert verdicts(recording)["weight"] == "trained"
    track.hand_updates = 0
    assert verdicts(recording)["weight"] == "excluded"


def test_what_a_module_beside_the_model_has_is_told_as_that(recordings: list[Recording]) -> None:
    with fxaudit.watch():
        model, head = nn.Linear(4, 3), nn.Linear(3, 1)
        fxaudit.audit(model, lambda: head(model(X)).mean(), sgd(model), prove=False)
    found = told(next(one for one in recordings if one.mode.seen == "one step"))
    reason = "a loss reaches it; it belongs to a module beside the model, and no optimizer holds it"
    assert {name: found[name] for name in found if name not in ("weight", "bias")} == dict.fromkeys(
        ("head.weight", "head.bias"), ("unregistered", reason, "elsewhere")
    )


def test_a_parameter_beside_the_model_may_be_updated_by_hand(states: Callable[[], States]) -> None:
    with fxaudit.watch():
        model, extra = nn.Linear(4, 1), nn.Parameter(torch.ones(1))

        def after() -> None:
            with torch.no_grad():
                extra.sub_(0.1 * extra.grad)  # type: ignore[operator]
            extra.grad = None

        train(model, sgd(model), lambda model: (model(X) * extra).square().mean(), after=after)
    found = states()
    assert found["weight"].verdict == "trained"
    assert (found["extra"].verdict, found["extra"].reason) == ("trained", "the program updates it by hand")


def test_what_has_trained_and_is_gone_is_told_nowhere(states: Callable[[], States]) -> None:
    def loop() -> None:
        model = layers()
        optimizer = sgd(model)
        train(model, optimizer, steps=2)
        model[0] = nn.Linear(4, 3)
        optimizer.param_groups[0]["params"][:2] = model[0].parameters()
        train(model, optimizer, steps=2)

    with fxaudit.watch():
        loop()
    assert {name: state.verdict for name, state in states().items()} == dict.fromkeys(LAYERS, "trained")


def test_zeros_that_the_program_writes_itself_without_having_asked_are_a_gradient(states: Callable[[], States]) -> None:
    with fxaudit.watch():
        model = layers()
        optimizer = sgd(model)
        for _ in range(4):
            optimizer.zero_grad()
            model[2](model[0](X).detach()).square().mean().backward()
            for p in model[0].parameters():
                p.grad = torch.zeros_like(p)
            optimizer.step()
    found = {name: (state.verdict, state.reason) for name, state in states().items()}
    assert {found[name] for name in LAYERS[:2]} == {("blocked", "its gradient is exactly zero at every step")}


class MadeAtFirst(Own):
    def __init__(self) -> None:
        super().__init__()
        del self.w

    def touch(self, x: torch.Tensor) -> None:
        if self.calls == 1:
            self.w = nn.Parameter(torch.ones(1))


def replaced_after(*rounds: int) -> Callable[[], None]:
    def loop() -> None:
        model = layers()
        optimizer, number = sgd(model), iter(range(10))

        def after() -> None:
            if next(number) in rounds:
                model[0].weight = nn.Parameter(torch.ones(3, 4))

        train(model, optimizer, after=after)

    return loop


REMADE = ("replaced", "a new Parameter takes its place in every round", "remade")
NEW = ("excluded", "gradient arrives, but no optimizer holds it", "")
PLACES: dict[str, tuple[Callable[[], None], str, Told, bool]] = {
    "made in the first forward": (own(MadeAtFirst), "w", NEW, False),
    "made in each forward": (own(Remade), "w", REMADE, True),
    "replaced before the loop": (replaced_before_the_loop, "0.weight", NEW, True),
    "replaced once in the loop": (replaced_after(1), "0.weight", NEW, True),
    "replaced twice in the loop": (replaced_after(0, 1), "0.weight", REMADE, True),
    "never replaced": (left_out, "0.weight", NEW, False),
}


@pytest.mark.parametrize("case", PLACES)
def test_one_new_parameter_is_excluded_and_one_in_every_round_replaced(case: str, states: Callable[[], States]) -> None:
    loop, name, expected, swapped = PLACES[case]
    with fxaudit.watch():
        loop()
    state = states()[name]
    assert (state.verdict, state.reason, state.mechanism) == expected
    assert state.swapped == swapped


@pytest.mark.parametrize(("steps", "verdict"), [(1, "blocked"), (2, "unknown"), (19, "unknown"), (20, "replaced")])
def test_a_mask_may_leave_some_of_what_is_never_stepped_too(
    steps: int, verdict: str, recordings: list[Recording]
) -> None:
    with fxaudit.watch():
        model = Masked()
        train(model, sgd(model), steps=steps, step=False)
    found = told(recordings[-1])["w"]
    assert found[0] == verdict
    if verdict == "unknown":
        assert found[1].startswith(f"in all of {steps} rounds a mask that is true everywhere overwrites it")


def test_zeros_and_then_infinity_make_no_good_beginning(states: Callable[[], States]) -> None:
    factors = iter([0.0, float("inf")])
    with fxaudit.watch():
        model = nn.Linear(4, 1)
        train(model, sgd(model), lambda model: model(X).mean() * next(factors), steps=2)
    assert {state.reason for state in states().values()} == {"its gradient is not finite at any step"}


def test_good_gradients_and_then_infinity_destroy_the_value(states: Callable[[], States]) -> None:
    factors = iter([1.0, float("inf")])
    with fxaudit.watch():
        model = nn.Linear(4, 1)
        train(model, sgd(model), lambda model: model(X).mean() * next(factors), steps=2)
    found = {(state.reason, state.arrived, state.norm) for state in states().values()}
    assert {reason for reason, _, _ in found} <= {
        "a step made its value NaN, and it stays so",
        "a step made its value infinite, and it stays so",
    }
    assert {(arrived, norm) for _, arrived, norm in found} == {("nonfinite", None)}


def test_zero_at_one_step_and_nothing_at_another_is_zero_at_every_step(states: Callable[[], States]) -> None:
    rounds = iter([True, False, True])

    def loss(model: Any) -> torch.Tensor:
        hidden = model[0](X) * 0 if next(rounds) else X[:, :3]
        out: torch.Tensor = model[2](hidden).mean()
        return out

    with fxaudit.watch():
        model = layers()
        train(model, sgd(model), loss, steps=3)
    found = states()["0.weight"]
    assert {fact.gradient for fact in found.facts} == {"zero", "none"}
    assert (found.verdict, found.reason) == ("blocked", "its gradient is exactly zero at every step")


@pytest.mark.parametrize("updated", [True, False])
def test_a_gradient_that_was_asked_for_arrives_where_the_program_updates_by_it(
    updated: bool, states: Callable[[], States]
) -> None:
    with fxaudit.watch():
        model = layers()
        optimizer = sgd(model[2])
        for _ in range(4):
            optimizer.zero_grad()
            found = torch.autograd.grad(square(model), [*model[0].parameters()])
            if updated:
                with torch.no_grad():
                    for p, g in zip(model[0].parameters(), found, strict=True):
                        p -= 0.1 * g
            else:
                model[2](torch.tanh(model[0](X)).detach()).square().mean().backward()
                optimizer.step()
    weight = states()["0.weight"]
    assert weight.arrived == ("finite" if updated else "none")
    assert weight.verdict == ("trained" if updated else "unreachable")


BACK = ("replaced", "after every step it gets the value back that it had before it", "rewritten")
AGAIN = ("replaced", EVERY, "rewritten")
COPIES: dict[str, tuple[Callable[[torch.Tensor, torch.Tensor], object], Told]] = {
    "of the beginning": (lambda weight, first: weight.copy_(first), BACK),
    "of the beginning, through views": (lambda weight, first: weight.copy_(first.view(-1).view(3, 4)), AGAIN),
    "of the beginning, cloned again": (lambda weight, first: weight.copy_(first.detach().clone()), AGAIN),
    "of the beginning, through its data": (lambda weight, first: weight.data.copy_(first.data), AGAIN),
    "of the moment": (lambda weight, first: weight.copy_(weight.detach().clone()), ("trained", TRAINS, "")),
    "of the moment, scaled": (lambda weight, first: weight.copy_(weight * 0.9), ("trained", TRAINS, "")),
    "of a mean": (lambda weight, first: weight.copy_(0.5 * weight + 0.5 * first), ("trained", TRAINS, "")),
}


@pytest.mark.parametrize("case", COPIES)
def test_a_copy_gives_the_value_back_where_it_is_of_the_beginning(case: str, recordings: list[Recording]) -> None:
    change, expected = COPIES[case]
    with fxaudit.watch():
        after_each_step(change)()
    found = told(recordings[-1])
    assert found["0.weight"] == expected
    assert {found[name] for name in LAYERS[1:]} == {("trained", TRAINS, "")}


@pytest.mark.parametrize("writes", [0, 1, 2])
def test_what_is_given_back_after_each_step_but_one_trains_at_that_one(
    writes: int, states: Callable[[], States]
) -> None:
    with fxaudit.watch():
        model = layers()
        weight, optimizer = model[0].weight, sgd(model)
        first = weight.detach().clone()
        for number in range(3):
            optimizer.zero_grad()
            square(model).backward()
            optimizer.step()
            if number < writes:
                with torch.no_grad():
                    weight.copy_(first)
    state = states()["0.weight"]
    assert state.mechanism == ("rewritten" if writes == 2 else "")
    assert [op.name for op in state.writers] == (["copy_"] * 2 if writes == 2 else [])


def test_an_optimizer_of_a_library_whose_change_was_lost_has_found_its_step_size(recordings: list[Recording]) -> None:
    with fxaudit.watch():
        a_rate_too_small()
    recording = recordings[-1]
    recording.optimizers[0].is_library = True
    recording.record.tracks[0].facts[1].lost = True
    assert verdicts(recording) == {**dict.fromkeys(LAYERS, "unknown"), "0.weight": "blocked"}


def test_what_compiled_code_trains_may_have_its_backward_there(recordings: list[Recording]) -> None:
    with fxaudit.watch():
        never_backward()
    found = told(replace(recordings[-1], compiled_writes=frozenset({0})))
    assert found["0.weight"][:2] == ("unknown", "compiled code trains it, and what happens inside is not recorded")
    assert {found[name][:2] for name in LAYERS[1:]} == {BACKWARD}


META = "a loss reaches it and an optimizer steps it; on the meta device there is no value to change"


@pytest.mark.parametrize(("loop", "expected"), [(a_rate_too_small, ("unknown", META)), (never_stepped, STEP)])
def test_on_the_meta_device_no_value_could_change(
    loop: Callable[[], None], expected: tuple[str, str], recordings: list[Recording]
) -> None:
    with fxaudit.watch():
        loop()
    recording = recordings[-1]
    for track in recording.record.tracks:
        track.is_meta = True
    assert {one[:2] for one in told(recording).values()} == {expected}


@pytest.mark.parametrize("cut", [True, False])
def test_a_loss_that_is_asked_whether_it_carries_gradient_tells_without_a_backward(
    cut: bool, recordings: list[Recording]
) -> None:
    def loop() -> None:
        model = layers()
        optimizer = sgd(model)
        for _ in range(3):
            optimizer.zero_grad()
            hidden = model[0](X)
            loss = (model[2](hidden).detach() if cut else model[2](hidden.detach())).square().mean()
            if loss.requires_grad and cut:
                loss.backward()
            optimizer.step()

    with fxaudit.watch():
        loop()
    found = told(recordings[-1])
    if cut:
        assert set(found.values()) == {CUT}
    else:
        assert {found[name] for name in LAYERS[:2]} == {CUT}
        assert {found[name][:2] for name in LAYERS[2:]} == {BACKWARD}


def test_a_program_that_died_before_its_first_backward_may_have_been_about_to(recordings: list[Recording]) -> None:
    with fxaudit.watch():
        model = layers()
        train(model, sgd(model), steps=1, backward=False, step=False)
    died = replace(recordings[-1], died=True)
    assert {one[:2] for one in told(died).values()} == {("unknown", "the script died before its first backward")}
    with fxaudit.watch():
        never_stepped()
    died = replace(recordings[-1], died=True)
    assert {one[:2] for one in told(died).values()} == {STEP}


class RefilledLater(Own):
    def touch(self, x: torch.Tensor) -> None:
        if self.calls > 1:
            with torch.no_grad():
                self.w.fill_(1.0)


class RefilledTwice(Own):
    def touch(self, x: torch.Tensor) -> None:
        if self.calls < 3:
            with torch.no_grad():
                self.w.fill_(1.0)


@pytest.mark.parametrize(("kind", "rounds"), [(RefilledLater, 2), (RefilledLater, 3), (RefilledTwice, 3)])
def test_what_is_overwritten_in_some_rounds_is_not_in_each(
    kind: type[Own], rounds: int, states: Callable[[], States]
) -> None:
    model = kind()
    with fxaudit.watch(model):
        for _ in range(rounds):
            square(model).backward()
    assert states()["w"].verdict != "replaced"


def test_one_round_shows_nothing_that_happens_in_each(states: Callable[[], States]) -> None:
    model = Refilled()
    with fxaudit.watch(model):
        square(model).backward()
    assert states()["w"].verdict != "replaced"


def test_what_writes_right_after_the_first_backward_is_a_writer_and_what_initialises_is_not(
    recordings: list[Recording],
) -> None:
    with fxaudit.watch():
        model = layers()
        with torch.no_grad():
            model[0].weight.fill_(1.0)
        square(model).backward()
        with torch.no_grad():
            model[0].weight.mul_(2.0)
        square(model).backward()
    judge = Judge(recordings[-1])
    judge.judge()
    writers = judge.writers(judge.record.tracks[0])
    assert [op.name for op in writers] == ["mul_"]
    assert writers[0].index == judge.graph.backwards[0].time


def test_before_any_backward_only_forward_writes(recordings: list[Recording]) -> None:
    with fxaudit.watch():
        model = Refilled()
        with torch.no_grad():
            model.w.mul_(2.0)
        square(model)
    judge = Judge(recordings[-1])
    judge.judge()
    (w,) = [state.track for state in judge.states if state.name == "w"]
    assert [op.name for op in judge.writers(w)] == ["fill_"]


def test_what_was_handed_to_a_process_and_is_reached_by_no_backward_here_may_train_there(
    recordings: list[Recording],
) -> None:
    with fxaudit.watch():
        model = layers()
        train(model, sgd(model), lambda model: model[2](X[:, :3]).square().mean())
    found = told(replace(recordings[-1], elsewhere=frozenset({0, 1})))
    assert {found[name][:2] for name in LAYERS[:2]} == {IN_A_CHILD}
    assert {found[name][0] for name in LAYERS[2:]} == {"trained"}
    found = told(replace(recordings[-1], elsewhere=frozenset({0, 1, 2})))
    assert {found[name] for name in LAYERS[:2]} == {CUT}


def test_a_copy_may_have_been_handed_on_several_times_before_the_loop(states: Callable[[], States]) -> None:
    with fxaudit.watch():
        model = layers()
        weight, optimizer = model[0].weight, sgd(model)
        first = weight.detach().clone().clone().view_as(torch.ones(3, 4))
        for _ in range(3):
            optimizer.zero_grad()
            square(model).backward()
            optimizer.step()
            with torch.no_grad():
                weight.copy_(first)
    found = states()["0.weight"]
    assert (found.verdict, found.reason, found.mechanism) == BACK
