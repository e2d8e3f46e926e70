"""fxaudit leaves no trace: whatever the user owns is bit for bit what it was, and so is torch."""

from __future__ import annotations

import contextlib
import gc
import random
import sys
import warnings
import weakref
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import optimizer as optimizer_module

import fxaudit
from fxaudit.capture.recording import LiveRecord
from tests.zoo import ZOO, Specimen, Training

HOOKS = [name for name in vars(nn.Linear(1, 1)) if name.endswith("hooks") or "hooks_" in name]


def bits(value: Any) -> Any:
    """Something that is equal exactly when the numbers are, bit for bit; objects stand for themselves."""
    if isinstance(value, torch.Tensor):
        if nn.parameter.is_lazy(value):
            return id(value), type(value)
        plain = value.detach()
        if plain.is_sparse:
            plain = plain.to_dense()
        return str(plain.dtype), tuple(plain.shape), plain.clone().reshape(-1).view(torch.uint8).numpy().tobytes()
    if isinstance(value, dict):
        return [(key if isinstance(key, str | int) else id(key), bits(part)) for key, part in value.items()]
    if isinstance(value, list | tuple):
        return [bits(part) for part in value]
    return value if isinstance(value, str | int | float | bool | bytes | None) else id(value)


def random_states() -> list[Any]:
    name, keys, *rest = np.random.get_state()
    return [bits(torch.get_rng_state()), random.getstate(), name, keys.tobytes(), rest]


def tensor_state(tensor: torch.Tensor | None) -> Any:
    if tensor is None:
        return None
    if nn.parameter.is_lazy(tensor):
        return id(tensor), type(tensor), tensor.requires_grad, tensor.data.shape
    grad = tensor.grad if tensor.is_leaf else None
    hooks = tensor._backward_hooks, tensor._post_accumulate_grad_hooks
    return (
        *(id(tensor), type(tensor), tensor.data_ptr(), tensor.requires_grad, bits(tensor)),
        *(id(grad), None if grad is None else (bits(grad), grad.data_ptr())),
        *(None if each is None else dict(each) for each in hooks),
    )


def module_state(module: nn.Module) -> Any:
    scripted = isinstance(module, torch.jit.ScriptModule)
    slots = {
        name: [
            (key, tensor_state(part) if isinstance(part, torch.Tensor) else id(part))
            for key, part in vars(module)[name].items()
        ]
        for name in ("_parameters", "_buffers", "_modules")
    }
    hooks = (
        []
        if scripted
        else [(name, list(vars(module)[name].items())) for name in HOOKS if isinstance(vars(module).get(name), dict)]
    )
    attributes = [key for key in vars(module) if key not in ("_parameters", "_buffers", "_modules")]
    return id(module), type(module), module.training, slots, hooks, attributes


def everything(training: Training) -> dict[str, Any]:
    """All of the user's that an audit could touch."""
    roots = training.model.values() if isinstance(training.model, dict) else [training.model]
    optimizers = [(o, o.param_groups, o.state) for o in training.optimizers]
    return {
        "modules": [module_state(module) for root in roots for module in root.modules()],
        "optimizers": [(bits(groups), bits(state), id(state)) for _, groups, state in optimizers],
        "state tensors": [
            id(value)
            for _, _, state in optimizers
            for entry in state.values()
            for value in entry.values()
            if isinstance(value, torch.Tensor)
        ],
        "random": random_states(),
        "modes": (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_dtype()),
        "autocast": [(torch.is_autocast_enabled(d), torch.get_autocast_dtype(d)) for d in ("cpu", "cuda")],
        "argv and path": (list(sys.argv), list(sys.path)),
    }


def torch_itself() -> dict[tuple[str, str], object]:
    """Every function and class of torch under every name that it has, and the registries of global hooks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of deprecated names that are merely looked at
        return _torch_itself()


def _torch_itself() -> dict[tuple[str, str], object]:
    found: dict[tuple[str, str], object] = {}
    owners: dict[int, tuple[str, dict[str, Any]]] = {}
    for name, module in list(sys.modules.items()):
        if isinstance(module, ModuleType) and (name == "torch" or name.startswith("torch.")):
            owners[id(module)] = (name, vars(module))
            for key, value in list(vars(module).items()):
                if issubclass(type(value), type) and value.__module__.startswith("torch"):
                    owners[id(value)] = (f"{value.__module__}.{key}", vars(value))
    for name, attributes in owners.values():
        for key, value in list(attributes.items()):
            if isinstance(value, FunctionType | type | classmethod | staticmethod | property) or callable(value):
                found[name, key] = value
    for registry in (optimizer_module, nn.modules.module):
        for key, value in vars(registry).items():
            if key.startswith("_global") and isinstance(value, dict):
                found[registry.__name__, key] = tuple(value.items())
    found["torch", "function modes"] = torch._C._len_torch_function_stack()
    return found


def what_changed_in_torch(before: dict[tuple[str, str], object]) -> set[tuple[str, str]]:
    after = torch_itself()
    return {key for key, value in before.items() if after.get(key) is not value and after.get(key) != value}


@contextlib.contextmanager
def torch_untouched() -> Iterator[None]:
    before = torch_itself()
    yield
    assert what_changed_in_torch(before) == set()


def warmed_up(specimen: Specimen) -> Training:
    """After one real step, so that optimizers have state; then every second parameter has a gradient."""
    training = specimen.make()
    training.model if isinstance(training.model, dict) else training.model.train()
    with warnings.catch_warnings(), contextlib.suppress(TypeError):
        warnings.simplefilter("ignore")
        lazy = any(nn.parameter.is_lazy(p) for p in training.named_parameters().values())
        loss = None if lazy else training.loss()
        if isinstance(loss, torch.Tensor) and loss.requires_grad and loss.grad_fn is not None:
            with contextlib.suppress(RuntimeError):
                loss.backward()
        for optimizer in training.optimizers:
            if not isinstance(optimizer, torch.optim.LBFGS) and not lazy:
                optimizer.step()
    for number, parameter in enumerate(training.named_parameters().values()):
        if not nn.parameter.is_lazy(parameter):
            parameter.grad = torch.full_like(parameter, 7.0) if number % 2 and parameter.requires_grad else None
    return training


# -- what the user owns ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("specimen", [pytest.param(one, id=name) for name, one in ZOO.items()])
def test_an_audit_leaves_no_trace(specimen: Specimen) -> None:
    training = warmed_up(specimen)
    random.seed(3)
    np.random.seed(3)
    before = everything(training)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fxaudit.audit(training.model, training.loss, training.optimizers)
    after = everything(training)
    for key, value in before.items():
        assert after[key] == value, key


class Busy(nn.Module):
    """A model that touches everything it can reach while it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.norm = nn.BatchNorm1d(4)
        self.dropout = nn.Dropout(0.5)
        self.register_buffer("seen", torch.zeros(()))
        self.out = nn.Linear(4, 1)
        self.fail = ""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen += 1
        self.seen = self.seen + 1
        random.random()
        np.random.rand()
        self.norm.eval()
        self.linear.weight.data.mul_(0.9)
        self.out.bias.requires_grad_(False)
        self.out.weight.register_hook(lambda gradient: gradient * 2)
        self.out.register_forward_hook(lambda module, args, output: None)
        torch.set_grad_enabled(True)
        if self.fail == "forward":
            torch.set_grad_enabled(False)
            torch.set_autocast_enabled("cpu", True)
            raise ZeroDivisionError("in forward")
        if self.fail == "interrupt":
            raise KeyboardInterrupt
        h = self.dropout(self.norm(self.linear(x)))
        if self.fail == "backward":
            h.register_hook(_raise)
        return self.out(h).square().mean()


def _raise(gradient: torch.Tensor) -> torch.Tensor:
    raise ZeroDivisionError("in backward")


def busy(fail: str = "") -> Training:
    torch.manual_seed(0)
    model = Busy()
    x = torch.randn(8, 4)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    model.out(model.norm(model.linear(x))).sum().backward()
    optimizer.step()
    model.linear.bias.grad = None
    model.fail = fail

    def loss() -> torch.Tensor:
        with torch.autocast("cpu", enabled=fail == ""):
            return model(x)

    return Training(model, loss, [optimizer])


def test_a_model_that_touches_everything_is_put_back() -> None:
    training = busy()
    before = everything(training)
    fxaudit.audit(training.model, training.loss, training.optimizers)
    assert everything(training) == before


@pytest.mark.parametrize(
    ("fail", "error"),
    [("forward", ZeroDivisionError), ("backward", ZeroDivisionError), ("interrupt", KeyboardInterrupt)],
)
def test_a_closure_that_raises_leaves_no_trace(fail: str, error: type[BaseException]) -> None:
    training = busy(fail)
    before = everything(training)
    with torch_untouched(), pytest.raises(error):
        fxaudit.audit(training.model, training.loss, training.optimizers)
    after = everything(training)
    for key, value in before.items():
        assert after[key] == value, key


def test_a_closure_that_steps_the_optimizer_itself_leaves_no_trace() -> None:
    training = busy()
    loss = training.loss
    (optimizer,) = training.optimizers

    def closure() -> torch.Tensor:
        optimizer.zero_grad(set_to_none=False)
        value = loss()
        value.backward()
        optimizer.step()
        optimizer.param_groups[0]["lr"] = 0.5
        return value

    before = everything(training)
    fxaudit.audit(training.model, closure, training.optimizers)
    assert everything(training) == before


def test_a_loss_that_was_computed_already_can_still_be_used() -> None:
    training = ZOO["lora"].make()
    loss = training.loss()
    before = everything(training)
    fxaudit.audit(training.model, loss, training.optimizers)
    assert everything(training) == before
    loss.backward()
    assert training.model.b.grad.any()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "inside", [torch.no_grad, torch.enable_grad, lambda: torch.autocast("cpu"), lambda: torch.random.fork_rng()]
)
def test_the_modes_around_an_audit_are_still_on_after_it(inside: Callable[[], Any]) -> None:
    training = ZOO["zero_initialised_head"].make()
    with inside():
        before = everything(training)
        fxaudit.audit(training.model, training.loss, training.optimizers)
        assert everything(training) == before


def test_a_symbolic_audit_and_one_of_inputs_leave_no_trace() -> None:
    training = ZOO["convolutions_and_batch_norm"].make()
    before = everything(training)
    fxaudit.audit(training.model)
    fxaudit.audit(training.model, inputs=(torch.randn(4, 1, 6, 6, generator=torch.Generator().manual_seed(1)),))
    assert everything(training) == before


def test_why_leaves_no_trace_and_the_loss_whole() -> None:
    training = ZOO["detached"].make()
    loss = training.loss()
    before = everything(training)
    with torch_untouched():
        assert fxaudit.why(training.model.out.weight, loss).reaches  # type: ignore[union-attr, arg-type]
        assert not fxaudit.why(training.model.into.weight, loss).reaches  # type: ignore[union-attr, arg-type]
    assert everything(training) == before
    loss.backward()
    assert training.model.out.weight.grad is not None  # type: ignore[union-attr]


def test_watching_a_loop_that_only_looks_changes_nothing() -> None:
    training = busy()
    before = everything(training)
    with fxaudit.watch(training.model, *training.optimizers):
        [p.grad.norm() for p in training.model.parameters() if p.grad is not None]  # type: ignore[union-attr]
    assert everything(training) == before


# -- torch -------------------------------------------------------------------------------------------------------------


def test_the_comparison_of_torch_sees_what_fxaudit_replaces() -> None:
    before = torch_itself()
    with fxaudit.watch():
        changed = what_changed_in_torch(before)
    names = {key[1] for key in changed}
    assert {
        "__call__",
        "__setattr__",
        "__new__",
        "zero_grad",
        "_engine_run_backward",
        "has_torch_function",
        "apply",
    } <= names
    assert ("torch", "function modes") in changed
    assert any(name.startswith("_global_optimizer") for name in names)


def audit_something() -> None:
    training = ZOO["detached"].make()
    fxaudit.audit(training.model, training.loss, training.optimizers)


def watch_something() -> None:
    training = ZOO["plain_mlp"].make()
    with fxaudit.watch():
        training.loss().backward()
        training.optimizers[0].step()


def watch_something_that_raises() -> None:
    with pytest.raises(KeyboardInterrupt), fxaudit.watch():
        ZOO["plain_mlp"].make().loss().backward()
        raise KeyboardInterrupt


def audit_inside_a_watch() -> None:
    with fxaudit.watch():
        audit_something()


def give_bad_input() -> None:
    with pytest.raises(fxaudit.errors.FxauditError):  # type: ignore[attr-defined]
        fxaudit.audit(nn.Linear(1, 1), lambda: None)


@pytest.mark.parametrize(
    "use", [audit_something, watch_something, watch_something_that_raises, audit_inside_a_watch, give_bad_input]
)
def test_torch_is_afterwards_what_it_was_before(use: Callable[[], None]) -> None:
    use()  # so that whatever is imported late is there
    with torch_untouched():
        use()


def test_what_somebody_else_replaces_meanwhile_stays_and_a_wrapper_put_back_late_does_nothing() -> None:
    def mine(self: nn.Module, mode: bool = True) -> nn.Module:
        return self

    original = vars(nn.Module)["train"]
    with pytest.MonkeyPatch.context() as outer, torch_untouched():
        outer.setattr(nn.Module, "train", original)
        with pytest.MonkeyPatch.context() as patch:
            with fxaudit.watch() as watching:
                patch.setattr(nn.Module, "train", mine)
            assert vars(nn.Module)["train"] is mine
        # By now our wrapper is back, and so it is wherever somebody bound it while watching.
        module = nn.Linear(1, 1)
        assert module.eval() is module and not module.training
        assert module not in [info.ref() for info in watching._observation.session.modules]
        nn.Module.train = original  # type: ignore[method-assign]


# -- nothing is kept alive ---------------------------------------------------------------------------------------------


class Saved:
    """What autograd saves for backward; it lives as long as the graph does."""

    alive: ClassVar[weakref.WeakSet[Saved]] = weakref.WeakSet()

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor.detach()  # an output would hold its own graph in a circle
        Saved.alive.add(self)


def made(make: Callable[[], Training], kept: list[weakref.ref[Any]]) -> Training:
    """A training whose model, optimizers and parameters are noted in `kept`."""
    training = make()
    kept += map(weakref.ref, [training.model, *training.optimizers, *training.named_parameters().values()])
    return training


def what_lives(kept: list[weakref.ref[Any]]) -> list[str]:
    """What is still alive of what was noted, and of what autograd saved."""
    gc.collect()
    return [type(alive).__name__ for ref in kept if (alive := ref()) is not None] + ["Saved" for _ in Saved.alive]


def remembering(forward: Callable[..., Any], kept: list[weakref.ref[Any]]) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        with torch.autograd.graph.saved_tensors_hooks(Saved, lambda saved: saved.tensor):
            result = forward(*args)
        kept.append(weakref.ref(result))
        return result

    return call


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["plain_mlp", "detached", "lora", "hook_that_zeroes", "slot_reassigned_in_forward", "through_tolist"]
)
def test_an_audit_keeps_no_model_activation_or_graph(name: str) -> None:
    kept: list[weakref.ref[Any]] = []

    def audited() -> fxaudit.Report:
        training = made(ZOO[name].make, kept)
        return fxaudit.audit(training.model, remembering(training.loss, kept), training.optimizers)

    assert audited().parameters
    assert what_lives(kept) == []


def test_an_audit_with_errors_keeps_nothing_either() -> None:
    kept: list[weakref.ref[Any]] = []

    def audited() -> None:
        training = made(lambda: busy("backward"), kept)
        with contextlib.suppress(ZeroDivisionError):
            fxaudit.audit(training.model, remembering(training.loss, kept), training.optimizers)

    audited()
    assert len(kept) > 6
    assert what_lives(kept) == []


@pytest.mark.parametrize("given", [True, False], ids=["the model given", "the model learned"])
def test_after_a_watch_nothing_is_kept(given: bool) -> None:
    kept: list[weakref.ref[Any]] = []

    def watched() -> fxaudit.watch:
        training = made(ZOO["plain_mlp"].make, kept)
        with fxaudit.watch(*([training.model, *training.optimizers] if given else [])) as watching:
            for _ in range(2):
                remembering(training.loss, kept)().backward()
                training.optimizers[0].step()
        return watching

    watching = watched()
    assert watching.report.parameters
    assert what_lives(kept) == []


def test_what_an_audit_recorded_goes_at_once_and_does_not_wait_for_the_collector() -> None:
    gc.collect()
    before = sum(type(thing) is LiveRecord for thing in gc.get_objects())
    gc.disable()
    try:
        training = ZOO["plain_mlp"].make()
        assert fxaudit.audit(training.model, training.loss, training.optimizers).ok
        assert fxaudit.audit(training.model).parameters
        assert fxaudit.why(next(training.model.parameters()), training.loss()).reaches
        left = sum(type(thing) is LiveRecord for thing in gc.get_objects())
    finally:
        gc.enable()
    assert left <= before


@pytest.mark.parametrize("how", ["model given", "model learned", "settled early", "block raises", "audit inside"])
def test_what_a_watch_had_goes_with_it_and_does_not_wait_for_the_collector(how: str) -> None:
    def watched() -> list[weakref.ref[Any]]:
        training = ZOO["plain_mlp"].make()
        given = [] if how == "model learned" else [training.model, *training.optimizers]
        with (
            contextlib.suppress(ZeroDivisionError),
            fxaudit.watch(*given, steps=1 if how == "settled early" else None) as watching,
        ):
            for _ in range(3):
                training.loss().backward()
                training.optimizers[0].step()
            if how == "block raises":
                raise ZeroDivisionError
            if how == "audit inside":
                assert fxaudit.audit(training.model, training.loss, training.optimizers).ok
        assert watching.report.ok
        observation = watching._observation
        return [weakref.ref(thing) for thing in (watching, observation, observation.session, training.model)]

    watched()  # the first optimizer has torch import what keeps the frames of that import in a circle
    gc.collect()
    gc.disable()
    try:
        gone = [ref() for ref in watched()]
    finally:
        gc.enable()
    assert gone == [None] * 4


def test_during_a_watch_the_activations_of_earlier_steps_are_freed() -> None:
    training = ZOO["plain_mlp"].make()
    kept: list[weakref.ref[Any]] = []
    with fxaudit.watch(training.model, *training.optimizers):
        for _ in range(4):
            remembering(training.loss, kept)().backward()
            training.optimizers[0].step()
        assert what_lives(kept) == []


def test_a_variable_that_is_deleted_or_rebound_is_not_kept_by_its_frame() -> None:
    kept: list[weakref.ref[Any]] = []
    training = made(ZOO["plain_mlp"].make, kept)
    with fxaudit.watch(training.model, *training.optimizers):
        loss = remembering(training.loss, kept)()
        loss.backward()
    report = fxaudit.audit(training.model, training.loss, training.optimizers)
    explanation = fxaudit.why(training.model[0].weight, training.loss())  # type: ignore[index]
    del training, loss
    assert report.ok and explanation.reaches
    assert what_lives(kept) == []


def test_why_keeps_nothing() -> None:
    kept: list[weakref.ref[Any]] = []

    def explained() -> object:
        training = made(ZOO["plain_mlp"].make, kept)
        return fxaudit.why(training.model[0].weight, remembering(training.loss, kept)())  # type: ignore[index]

    assert "brings a gradient" in str(explained())
    assert what_lives(kept) == []


def small() -> tuple[nn.Linear, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = nn.Linear(2, 1)
    return model, torch.optim.SGD(model.parameters(), lr=0.1)


def test_rates_that_the_closure_changes_are_what_they_were() -> None:
    model, optimizer = small()

    def loss() -> torch.Tensor:
        for group in optimizer.param_groups:
            group["lr"] *= 0.5
            group["extra"] = True
        return model(torch.ones(1, 2)).sum()

    group = optimizer.param_groups[0]
    before = dict(group)
    fxaudit.audit(model, loss, optimizer)
    assert optimizer.param_groups[0] is group and group == before


def test_a_scheduler_that_the_closure_steps_is_what_it_was() -> None:
    model, optimizer = small()
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    before = dict(scheduler.state_dict())
    attributes = sorted(vars(optimizer))

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        found = model(torch.ones(1, 2)).sum()
        found.backward()
        optimizer.step()
        scheduler.step()
        return found

    fxaudit.audit(model, loss, optimizer)
    assert scheduler.state_dict() == before
    assert optimizer.param_groups[0]["lr"] == 0.1
    assert sorted(vars(optimizer)) == attributes


def test_a_group_that_the_closure_adds_is_gone() -> None:
    model, optimizer = small()
    more = nn.Linear(2, 2)

    def loss() -> torch.Tensor:
        if len(optimizer.param_groups) == 1:
            optimizer.add_param_group({"params": list(more.parameters())})
        found = model(more(torch.ones(1, 2))).sum()
        found.backward()
        optimizer.step()
        return found

    fxaudit.audit({"model": model, "more": more}, loss, optimizer)
    assert [len(group["params"]) for group in optimizer.param_groups] == [2]


def test_a_gradient_that_is_written_through_another_tensor_is_what_it_was() -> None:
    model, optimizer = small()
    flat = torch.ones(3)
    model.weight.grad, model.bias.grad = flat[:2].view(1, 2), flat[2:]

    def loss() -> torch.Tensor:
        flat.zero_()
        return model(torch.ones(1, 2)).sum()

    fxaudit.audit(model, loss, optimizer)
    assert flat.tolist() == [1.0, 1.0, 1.0]


class Counting(nn.Linear):
    def __init__(self) -> None:
        super().__init__(2, 1)
        self.seen, self.names = 0, ["first"]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen += 1
        self.names.append("more")
        self.late = True
        return super().forward(x)


def test_counters_and_settings_of_modules_are_what_they_were() -> None:
    model = Counting()
    names = model.names
    fxaudit.audit(model, lambda: model(torch.ones(1, 2)).sum())
    assert (model.seen, model.names, hasattr(model, "late")) == (0, ["first"], False)
    assert model.names is names
