"""Bad input of the public functions: each message says what was given, what was expected, and what to do."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import fxaudit
from fxaudit.errors import (
    FxauditError,
    InvalidExpectationError,
    InvalidLossError,
    InvalidModelError,
    InvalidOptimizerError,
)

ROOT = Path(__file__).parents[1]
X = torch.ones(2, 3)


@pytest.fixture
def model() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(3, 1)


def says(*parts: str) -> str:
    """A pattern that finds the parts in this order."""
    return "(?s)" + ".*".join(map(re.escape, parts))


# -- the model ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        (nn.Linear, ["`model` is the class Linear", "Expected: a torch.nn.Module", "Pass the instance"]),
        (None, ["`model` is", "None", "Expected: a torch.nn.Module, or a dict of named modules"]),
        ("net", ["`model` is a str ('net')", "Expected: a torch.nn.Module"]),
        (torch.ones(2), ["`model` is a Tensor", "Expected: a torch.nn.Module"]),
        ([nn.Linear(1, 1)], ["`model` is a list", "Expected: a torch.nn.Module, or a dict of named modules"]),
        ({}, ["`model` is an empty dict", "Expected: a torch.nn.Module, or a dict of named modules"]),
        ({"a": nn.Linear(1, 1), "b": 3}, ["`model['b']` is a int (3)", "Expected: a torch.nn.Module under every name"]),
        ({"a": nn.Linear}, ["`model['a']` is the class Linear", "Expected: a torch.nn.Module under every name"]),
    ],
    ids=["class", "None", "str", "tensor", "list", "empty dict", "dict with a number", "dict with a class"],
)
def test_what_is_no_module_is_refused(given: Any, parts: list[str]) -> None:
    with pytest.raises(InvalidModelError, match=says(*parts)):
        fxaudit.audit(given, lambda: X.sum())


def test_the_parameters_instead_of_the_model_are_refused(model: nn.Linear) -> None:
    with pytest.raises(InvalidModelError, match=says("`model` is a generator", "not its class or its parameters")):
        fxaudit.audit(model.parameters(), lambda: model(X).sum())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "arguments", [{}, {"inputs": (X,)}, {"loss": lambda: X.sum()}], ids=["alone", "inputs", "loss"]
)
def test_a_module_without_any_parameter_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(
        InvalidModelError, match=says("`model` is a ReLU without any parameter", "Expected: a module with parameters")
    ):
        fxaudit.audit(nn.ReLU(), **arguments)


# -- the loss ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (
            lambda m: lambda: None,
            ["closure returned None", "Expected: a scalar tensor", "`return loss` may be missing"],
        ),
        (lambda m: lambda: m(X).sum().item(), ["closure returned float", "Expected: a scalar tensor"]),
        (lambda m: lambda: (m(X).sum(), 1), ["closure returned tuple", "Expected: a scalar tensor"]),
        (lambda m: lambda: m(X), ["tensor of shape (2, 1)", "Expected: a scalar", "`.mean()`"]),
        (lambda m: m(X), ["`loss` is a tensor of shape (2, 1)", "Expected: a scalar tensor", "`.mean()`"]),
        (lambda m: 0.5, ["`loss` is a float (0.5)", "Expected: a callable", "or that tensor"]),
        (lambda m: "mse", ["`loss` is a str ('mse')", "Expected: a callable"]),
    ],
    ids=["None", "float", "tuple", "vector closure", "vector", "number", "str"],
)
def test_what_is_no_scalar_tensor_is_refused(
    model: nn.Linear, make: Callable[[nn.Module], Any], parts: list[str]
) -> None:
    with pytest.raises(InvalidLossError, match=says(*parts)):
        fxaudit.audit(model, make(model))


def test_inputs_do_for_one_model_only(model: nn.Linear) -> None:
    with pytest.raises(InvalidLossError, match=says("`inputs`", "single model", "Expected: a `loss` closure")):
        fxaudit.audit({"one": model}, inputs=(X,))


def test_a_model_without_a_floating_output_needs_a_loss() -> None:
    class Labels(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(3, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.linear(x).argmax(1)

    with pytest.raises(InvalidLossError, match=says("no floating-point tensor", "Give `loss=` a closure")):
        fxaudit.audit(Labels(), inputs=(X,))


@pytest.mark.parametrize("inputs", [(X,), [X], {"input": X}, X], ids=["tuple", "list", "dict", "tensor"])
def test_inputs_may_be_given_in_any_form(model: nn.Linear, inputs: Any) -> None:
    report = fxaudit.audit(model, inputs=inputs)
    assert {p.verdict for p in report.parameters.values()} == {"trained"}


@pytest.mark.parametrize("returns", [True, False])
def test_a_closure_may_run_the_backward_itself(model: nn.Linear, returns: bool) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def closure() -> torch.Tensor | None:
        optimizer.zero_grad()
        loss = model(X).sum()
        loss.backward()
        return loss if returns else None

    report = fxaudit.audit(model, closure, optimizer)
    assert {name: p.verdict for name, p in report.parameters.items()} == {"weight": "trained", "bias": "trained"}
    assert report.findings == ()


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_a_loss_of_one_element_is_a_scalar(model: nn.Linear, shape: tuple[int, ...]) -> None:
    assert fxaudit.audit(model, lambda: model(X).sum().view(shape)).ok


def test_what_the_closure_raises_comes_out_as_it_is(model: nn.Linear) -> None:
    def closure() -> torch.Tensor:
        raise LookupError("no such batch")

    with pytest.raises(LookupError, match="no such batch") as caught:
        fxaudit.audit(model, closure)
    assert caught.value.__cause__ is None
    assert caught.traceback[-1].name == "closure"


# -- optimizers --------------------------------------------------------------------------------------------------------


class Plain:
    """An optimizer that knows nothing of torch's."""

    def __init__(self, parameters: Any, lr: float = 0.1) -> None:
        self.param_groups = [{"params": list(parameters), "lr": lr}]

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter -= group["lr"] * parameter.grad


class Wrapper:
    """What accelerate and its kin put around an optimizer."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer

    @property
    def param_groups(self) -> Any:
        return self.optimizer.param_groups

    def step(self, closure: Any = None) -> None:
        self.optimizer.step(closure)

    def zero_grad(self) -> None:
        self.optimizer.zero_grad()


def test_a_plain_class_with_param_groups_and_step_will_do(model: nn.Linear) -> None:
    report = fxaudit.audit(model, lambda: model(X).sum(), Plain([model.weight]))
    assert {name: p.verdict for name, p in report.parameters.items()} == {"weight": "trained", "bias": "excluded"}


def test_a_plain_class_can_be_rehearsed_with(model: nn.Linear) -> None:
    head = nn.Linear(1, 1)
    nn.init.zeros_(head.weight)
    models = nn.ModuleDict({"body": model, "head": head})
    optimizer = Plain(models.parameters())
    report = fxaudit.audit(models, lambda: (head(model(X)) - 1).square().sum(), optimizer)
    assert {p.verdict for p in report.parameters.values()} == {"trained"}


def test_a_wrapper_around_an_optimizer_will_do(model: nn.Linear) -> None:
    inner = torch.optim.Adam(model.parameters())
    report = fxaudit.audit(model, lambda: model(X).sum(), Wrapper(inner))
    assert {p.verdict for p in report.parameters.values()} == {"trained"}
    assert report.findings == ()


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (
            lambda m: torch.optim.SGD,
            ["`optimizer` is the class SGD", "no `param_groups`", "Expected: a torch optimizer"],
        ),
        (
            lambda m: "sgd",
            ["`optimizer` is a str ('sgd')", "no `param_groups` and `step`", "Expected: a torch optimizer"],
        ),
        (lambda m: m.parameters(), ["`optimizer` is a generator", "no `param_groups` and `step`"]),
        (lambda m: [torch.optim.SGD(m.parameters()), 0.1], ["`optimizer` is a float (0.1)", "or a list of them"]),
        (
            lambda m: torch.optim.lr_scheduler.StepLR(torch.optim.SGD(m.parameters()), 1),
            ["`optimizer` is a StepLR", "no `param_groups`", "Expected: a torch optimizer"],
        ),
    ],
    ids=["class", "str", "parameters", "list with a number", "scheduler"],
)
def test_what_is_no_optimizer_is_refused(model: nn.Linear, make: Callable[[nn.Module], Any], parts: list[str]) -> None:
    with pytest.raises(InvalidOptimizerError, match=says(*parts)):
        fxaudit.audit(model, lambda: model(X).sum(), make(model))
    with pytest.raises(InvalidOptimizerError, match=says(*parts)):
        fxaudit.watch(model, make(model))


@pytest.mark.parametrize("wrap", [lambda o: [o], lambda o: (o,), lambda o: {"main": o}, lambda o: [[o]]])
def test_optimizers_may_come_in_lists_and_dicts(model: nn.Linear, wrap: Callable[[Any], Any]) -> None:
    optimizer = torch.optim.SGD([model.bias], lr=0.1)
    report = fxaudit.audit(model, lambda: model(X).sum(), wrap(optimizer))
    assert {name: p.verdict for name, p in report.parameters.items()} == {"weight": "excluded", "bias": "trained"}


# -- expectations ------------------------------------------------------------------------------------------------------


def test_an_expected_verdict_must_be_one(model: nn.Linear) -> None:
    with pytest.raises(
        InvalidExpectationError,
        match=says("`expect['weight']` is 'fronzen'", "no verdict", "Expected one of: ", "frozen"),
    ):
        fxaudit.audit(model, lambda: model(X).sum(), expect={"weight": "fronzen"})
    with pytest.raises(InvalidExpectationError, match="no verdict"):
        fxaudit.watch(model, expect={"weight": "fronzen"})


def test_an_expectation_must_match_something(model: nn.Linear) -> None:
    with pytest.raises(
        InvalidExpectationError, match=says("'backbone.*' matches no parameter", "There are: weight, bias")
    ):
        fxaudit.audit(model, lambda: model(X).sum(), expect={"backbone.*": "frozen"})


def test_expectations_that_are_met_are_no_findings_and_broken_ones_are(model: nn.Linear) -> None:
    model.weight.requires_grad_(False)
    optimizer = torch.optim.SGD([model.bias], lr=0.1)
    met = fxaudit.audit(model, lambda: model(X).sum(), optimizer, expect={"weight": "frozen", "b*": "trained"})
    assert met.ok and not met.findings
    broken = fxaudit.audit(model, lambda: model(X).sum(), optimizer, expect={"weight": "trained", "bias": "frozen"})
    assert {(f.code, f.parameters) for f in broken.findings} >= {("FXA602", ("weight",)), ("FXA601", ("bias",))}
    assert not broken.ok


# -- the other functions -----------------------------------------------------------------------------------------------


def test_why_wants_tensors(model: nn.Linear) -> None:
    with pytest.raises(InvalidModelError, match=says("`tensor` is a str ('weight')", "Expected: a tensor")):
        fxaudit.why("weight", model(X).sum())  # type: ignore[arg-type]
    with pytest.raises(
        InvalidLossError, match=says("`loss` is a function", "Expected: a tensor; call the closure first")
    ):
        fxaudit.why(model.weight, lambda: model(X).sum())  # type: ignore[arg-type]


def test_explain_wants_a_rule_that_exists() -> None:
    with pytest.raises(FxauditError, match=says("no rule 'FXA199'", "`fxaudit rules` lists all")):
        fxaudit.explain("FXA199")


def test_an_unknown_parameter_of_a_report_is_named(model: nn.Linear) -> None:
    report = fxaudit.audit(model, lambda: model(X).sum())
    with pytest.raises(FxauditError, match=says("wieght")):
        report["wieght"]


@pytest.mark.parametrize("error", [InvalidModelError, InvalidLossError, InvalidOptimizerError])
def test_wrong_types_are_type_errors_too(error: type[Exception]) -> None:
    assert issubclass(error, FxauditError) and issubclass(error, TypeError)


# -- size --------------------------------------------------------------------------------------------------------------

DEEP = """
    import gc, torch, fxaudit
    from torch import nn

    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.ones(()))

        def forward(self):
            x = self.w
            for _ in range(100_000):
                x = x + 1
            return x

    model = Deep()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "use",
    [
        "print(fxaudit.audit(model, model, optimizer)['w'].verdict == 'trained')",
        "loss = model(); print(fxaudit.why(model.w, loss).reaches); del loss",
    ],
    ids=["audit", "why"],
)
def test_a_chain_of_a_hundred_thousand_nodes_is_walked_and_its_end_survived(use: str) -> None:
    program = f"{textwrap.dedent(DEEP)}{use}; gc.collect(); print('survived')"
    process = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
    )
    assert (process.returncode, process.stdout) == (0, "True\nsurvived\n"), process.stderr[-2000:]


def test_a_watch_that_saw_nothing_accuses_nobody(model: nn.Linear) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with fxaudit.watch(model, optimizer) as watching:
        early = watching.report
    for report in (early, watching.report):
        assert {p.verdict for p in report.parameters.values()} == {"unknown"}
        assert ([f.code for f in report.findings], report.exit_code) == (["FXA902"], 3)
