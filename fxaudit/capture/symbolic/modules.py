"""Module calls under a symbolic trace: each runs its own forward, or becomes one opaque operation that says why."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
import torch.utils.checkpoint

from fxaudit.capture.symbolic.custom_functions import hands_on_gradient
from fxaudit.capture.symbolic.failures import OpaqueFunctions, describe, parameters_of, unwrapped, wanted_inputs
from fxaudit.capture.symbolic.rearranging import patch_einops
from fxaudit.capture.symbolic.recorder import Recorder
from fxaudit.capture.symbolic.rules import tensors_in
from fxaudit.capture.symbolic.values import Op, Symbol, TraceStopped
from fxaudit.program.source import SourceLine

__all__ = ["ModuleCalls"]


class ModuleCalls:
    """What happens when a module, or something else that torch functions cannot see, is called during a trace.

    `failure` is the reason and line of the last forward that could not be traced; `wanted` are the names of absent
    inputs that some failing line asked for.
    """

    def __init__(self, model: torch.nn.Module, recorder: Recorder, absent: frozenset[str]) -> None:
        self.model = model
        self.recorder = recorder
        self.absent = absent
        self.wanted: list[str] = []
        self.failure: tuple[str, SourceLine | None] = ("", None)
        self.names = {id(module): name for name, module in model.named_modules()}
        self.slots = {id(module): frozenset(module._parameters.keys()) for module in model.modules()}
        self._kept: list[torch.nn.Module] = []
        self._patches = ExitStack()
        self._thread = threading.get_ident()
        self._call = torch.nn.Module.__call__
        self._setattr = torch.nn.Module.__setattr__
        base: Any = torch.autograd.Function
        self._apply = vars(base)["apply"]
        self._functions = OpaqueFunctions(model, recorder, self._replace, self._elsewhere)

    # The patches that hold while the trace is made.

    @contextmanager
    def patched(self) -> Iterator[None]:
        """See what a function mode does not: modules, slots, `Parameter(...)`, `Function.apply`, checkpoints."""
        with self._patches:
            self._patch_methods()
            self._patch_functions()
            yield

    def _replace(self, owner: Any, name: str, value: object) -> None:
        before = vars(owner)[name] if not isinstance(owner, dict) else owner[name]

        def restore() -> None:
            if isinstance(owner, dict):
                owner[name] = before
            else:
                setattr(owner, name, before)

        self._patches.callback(restore)
        if isinstance(owner, dict):
            owner[name] = value
        else:
            setattr(owner, name, value)

    def _elsewhere(self) -> bool:
        return threading.get_ident() != self._thread

    def _patch_methods(self) -> None:
        calls = self

        def call(module: torch.nn.Module, /, *args: Any, **kwargs: Any) -> Any:
            return (
                calls._call(module, *args, **kwargs) if calls._elsewhere() else calls.call_module(module, args, kwargs)
            )

        def assign(module: torch.nn.Module, name: str, value: Any) -> None:
            if calls._elsewhere() or not calls.assign_slot(module, name, value):
                calls._setattr(module, name, value)

        self._replace(torch.nn.Module, "__call__", call)
        self._replace(torch.nn.Module, "__setattr__", assign)
        make = torch.nn.Parameter.__new__

        def parameter(cls: type, data: Any = None, requires_grad: bool = True) -> Any:
            if calls._elsewhere() or not isinstance(data, torch.Tensor):
                return make(cls, data, requires_grad)
            return calls.rewrap(data, requires_grad)

        self._replace(torch.nn.Parameter, "__new__", staticmethod(parameter))
        for cls in (torch.nn.RNN, torch.nn.LSTM, torch.nn.GRU, torch.nn.MultiheadAttention):
            self._replace(cls, "forward", self._leaf(vars(cls)["forward"]))
        enter = torch.inference_mode.__enter__

        def enter_inference(mode: Any) -> None:
            if not calls._elsewhere() and mode.mode:
                calls.recorder.note_grad_mode(False)
            enter(mode)

        self._replace(torch.inference_mode, "__enter__", enter_inference)

    def _patch_functions(self) -> None:
        calls = self
        base: Any = torch.autograd.Function
        apply = self._apply

        def apply_function(cls: Any, *args: Any, **kwargs: Any) -> Any:
            own = apply.__get__(None, cls)
            return own(*args, **kwargs) if calls._elsewhere() else calls.custom_function(cls, args, kwargs)

        self._replace(base, "apply", classmethod(apply_function))
        checkpoint: Any = torch.utils.checkpoint.checkpoint

        @functools.wraps(checkpoint)
        def call_checkpoint(function: Any, *args: Any, **kwargs: Any) -> Any:
            if calls._elsewhere():
                return checkpoint(function, *args, **kwargs)
            return calls.checkpoint(function, args, kwargs)

        from_numpy = torch.from_numpy

        def call_from_numpy(array: Any) -> Any:
            if calls._elsewhere() or not isinstance(array, Symbol):
                return from_numpy(array)
            return calls.recorder.call(torch.as_tensor, (array,), {})

        self._replace(torch.utils.checkpoint, "checkpoint", call_checkpoint)
        self._replace(torch, "from_numpy", call_from_numpy)
        # Both are often bound to names of the user's module before the trace begins.
        namespaces = {id(space): space for space in map(_namespace, self.model.modules()) if space is not None}
        for space in namespaces.values():
            for name, value in list(space.items()):
                if value is checkpoint:
                    self._replace(space, name, call_checkpoint)
                elif _is_bound(value, apply):
                    self._replace(space, name, functools.partial(apply_function, value.__self__))
        patch_einops(self.recorder, self._replace, self._elsewhere, namespaces.values())

    # Calls.

    def call_module(self, module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the forward of `module` on symbols; where that fails, one opaque operation stands for it."""
        recorder = self.recorder
        name = self.names.get(id(module))
        if name is None:
            parent = recorder.modules[-1] if recorder.modules else ""
            name = self.names[id(module)] = f"{parent}.{type(module).__name__}" if parent else type(module).__name__
            self._kept.append(module)
        recorder.called.add(name)
        if type(module).__name__ == "OptimizedModule":
            return self.call_module(vars(module)["_modules"]["_orig_mod"], args, kwargs)
        root = not recorder.modules
        recorder.modules.append(name)
        mark = recorder.mark()
        depth = len(recorder.modules)
        rank, asked = recorder.rank, recorder.ranks_asked
        try:
            reason = _untraceable(module)
            source: SourceLine | None = None
            others = [other for other in (3, 4, 2, 5) if other != rank]
            while not reason:
                try:
                    return self._call(module, *args, **kwargs)
                except (Exception, SystemExit) as error:
                    del recorder.modules[depth:]
                    reason, source = describe(error, recorder)
                    self._note_wanted(wanted_inputs(error, recorder, name, self.absent))
                    dropped = recorder.rewind(mark)
                    if recorder.ranks_asked > asked and others:
                        # `len(x.shape)` was answered by a guess, and the forward may not like it.
                        recorder.rank, reason, asked = others.pop(0), "", recorder.ranks_asked
                        continue
                    recorder.rank = rank
                    if self._functions.add(error, module, reason, source):
                        reason = ""
                        continue
                    self.failure = (reason, source)
                    if root:
                        recorder.ops.extend(dropped)
                        for op in dropped:
                            op.dropped = False
                        raise TraceStopped(reason) from None
            else:
                dropped = []
            result = self._opaque_module(module, name, args, kwargs, reason, source)
            for op in dropped:
                op.successor = result._fxaudit.op
            return result
        finally:
            recorder.rank = rank
            del recorder.modules[depth - 1 :]

    def _note_wanted(self, found: list[str]) -> None:
        self.wanted.extend(name for name in found if name not in self.wanted)

    def _opaque_module(
        self, module: torch.nn.Module, name: str, args: Any, kwargs: Any, reason: str, source: SourceLine | None
    ) -> Symbol:
        read = [*tensors_in((args, kwargs), deep=True), *parameters_of(module)]
        recorder = self.recorder
        inputs = recorder.origins(read)
        cls = type(module)
        op = recorder.record(
            "opaque",
            f"{cls.__module__}.{cls.__qualname__}",
            inputs,
            reason=reason,
            source=source,
            args=args,
            kwargs=kwargs,
        )
        return recorder.symbol(op, "any", torch.get_default_dtype())

    def assign_slot(self, module: torch.nn.Module, name: str, value: Any) -> bool:
        """`module.name = value`, when that is a Parameter slot: what PyTorch refuses is noted and let through."""
        slots = self.slots.get(id(module))
        if slots is None or name not in slots or (value is not None and not isinstance(value, torch.Tensor)):
            return False
        recorder = self.recorder
        owner = self.names[id(module)]
        slot = f"{owner}.{name}" if owner else name
        recorder.assigned.setdefault(slot, recorder.here())
        parameters = vars(module)["_parameters"]
        before = parameters.get(name)
        if value is not None:
            inputs = recorder.origins([value])
            op = recorder.record("call", "Module.__setattr__", inputs, carries=inputs, slot=slot, args=(slot, value))
            op.stands_for = inputs[0] if inputs else None
            known = recorder.twin(value)
            dtype = value._fxaudit.dtype if isinstance(value, Symbol) else value.dtype
            value = recorder.symbol(op, "tensor", dtype, known, shares=value)
        vars(module).pop(name, None)
        parameters[name] = value

        def restore() -> None:
            parameters[name] = before

        recorder.undo.append(restore)
        return True

    def rewrap(self, data: torch.Tensor, requires_grad: bool) -> Symbol:
        """`torch.nn.Parameter(data)`: a new leaf."""
        recorder = self.recorder
        inputs = recorder.origins([data])
        op = recorder.record("call", "torch.nn.Parameter", inputs, cut="rewrap", args=(data, requires_grad))
        op.receives_gradient = requires_grad
        dtype = data._fxaudit.dtype if isinstance(data, Symbol) else data.dtype
        symbol = recorder.symbol(op, "tensor", dtype, recorder.twin(data))
        symbol._is_param = True
        return symbol

    def custom_function(self, cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Symbol:
        """`cls.apply(...)` of a custom autograd Function: one operation."""
        recorder = self.recorder
        inputs = recorder.origins(tensors_in((args, kwargs), deep=True))
        passes = not kwargs and hands_on_gradient(recorder, cls, args)
        op = recorder.record("call", cls.__name__, inputs, function=self._applied(cls), args=args, kwargs=kwargs)
        op.hides_gradient = not passes
        return recorder.symbol(op, "any", torch.get_default_dtype())

    def _applied(self, cls: Any) -> Any:
        """`cls.apply` as it is when nothing is traced."""
        apply = self._apply

        def applied(*args: Any, **kwargs: Any) -> Any:
            return apply.__get__(None, cls)(*args, **kwargs)

        # fx prints a function by its module and name; what bears torch's it looks up there.
        own = cls.__module__ if not cls.__module__.startswith("torch") else "custom"
        applied.__module__, applied.__name__, applied.__self__ = own, cls.__name__, cls  # type: ignore[attr-defined]
        return applied

    def checkpoint(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A checkpointed call: what runs inside is traced, and one operation named `checkpoint` joins its results."""
        recorder = self.recorder
        reentrant = bool(kwargs.pop("use_reentrant", False))
        for option in ("preserve_rng_state", "context_fn", "determinism_check", "debug", "early_stop"):
            kwargs.pop(option, None)
        given = recorder.origins(tensors_in(args))
        # Only the arguments make a reentrant checkpoint part of the autograd graph, not the parameters used inside.
        alive = not reentrant or any(op.receives_gradient for op in given)
        result = function(*args, **kwargs)

        def joined(value: Any) -> Any:
            if isinstance(value, torch.Tensor):
                inputs = recorder.origins([value])
                op = recorder.record(
                    "call", "torch.utils.checkpoint.checkpoint", inputs, cut="" if alive else "reentrant-checkpoint"
                )
                op.stands_for = inputs[0] if inputs else None
                dtype = value._fxaudit.dtype if isinstance(value, Symbol) else value.dtype
                return recorder.symbol(op, "tensor", dtype, recorder.twin(value))
            if isinstance(value, tuple) and type(value) is tuple:
                return tuple(joined(item) for item in value)
            return value

        return joined(result)

    def _leaf(self, forward: Any) -> Callable[..., Any]:
        calls = self

        @functools.wraps(forward)
        def leaf(module: Any, *args: Any, **kwargs: Any) -> Any:
            return forward(module, *args, **kwargs) if calls._elsewhere() else calls.leaf_module(module, args, kwargs)

        return leaf

    def leaf_module(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A recurrent or attention module of torch as one call that reads its parameters."""
        recorder = self.recorder
        read = [*tensors_in((args, kwargs)), *parameters_of(module)]
        op = recorder.record(
            "call", f"torch.nn.{type(module).__name__}", recorder.origins(read), args=args, kwargs=kwargs
        )

        def part(of: Op, index: int) -> Symbol:
            inner = recorder.record("call", "getitem", (of,))
            inner.args = (of, index)
            return recorder.symbol(inner, "tensor", torch.get_default_dtype())

        first = part(op, 0)
        if isinstance(module, torch.nn.MultiheadAttention):
            wanted = kwargs.get("need_weights", args[4] if len(args) > 4 else True)
            return first, (part(op, 1) if wanted else None)
        given = args[0] if args else kwargs.get("input")
        output: Any = first
        if isinstance(given, torch.nn.utils.rnn.PackedSequence):
            output = torch.nn.utils.rnn.PackedSequence(first, given[1], given[2], given[3])
        state = part(op, 1)
        if isinstance(module, torch.nn.LSTM):
            assert state._fxaudit.op is not None
            return output, (part(state._fxaudit.op, 0), part(state._fxaudit.op, 1))
        return output, state


def _namespace(module: torch.nn.Module) -> dict[str, Any] | None:
    if type(module).__module__.startswith("torch."):
        return None
    space = getattr(unwrapped(type(module).forward), "__globals__", None)
    return space if isinstance(space, dict) else None


def _untraceable(module: torch.nn.Module) -> str:
    """Why the forward of `module` cannot even be begun, "" when it can."""
    if isinstance(module, torch.jit.ScriptModule):
        return "the module is scripted"
    if isinstance(module, torch.nn.modules.lazy.LazyModuleMixin) and module.has_uninitialized_params():
        return "the parameters of the lazy module are not initialized yet"
    return ""


def _is_bound(value: object, method: Any) -> bool:
    """Whether `value` is `method`, a class method, bound to a class: one of Python, or since PyTorch 2.14 one of C."""
    owner = getattr(value, "__self__", None) if inspect.ismethod(value) or inspect.isbuiltin(value) else None
    is_function = isinstance(owner, type) and issubclass(owner, torch.autograd.Function)
    return is_function and value == method.__get__(None, owner)
