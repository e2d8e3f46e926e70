"""Whether the backward of a custom autograd Function hands the gradient on, found by following it with symbols."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from fxaudit.capture.symbolic.recorder import Recorder
from fxaudit.capture.symbolic.rules import tensors_in
from fxaudit.capture.symbolic.values import Op

__all__ = ["hands_on_gradient"]


class _Context:
    """The `ctx` of a Function whose forward and backward are followed aside."""

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self.saved_tensors: tuple[Any, ...] = ()
        self.is_plain = True

    def save_for_backward(self, *tensors: Any) -> None:
        self.saved_tensors = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """For forward mode, which trains nothing."""

    def set_materialize_grads(self, value: bool) -> None:
        """Every gradient of the trace is a tensor."""

    def mark_non_differentiable(self, *tensors: Any) -> None:
        self.is_plain = False

    def mark_dirty(self, *tensors: Any) -> None:
        self.is_plain = False


def hands_on_gradient(recorder: Recorder, function: Any, args: tuple[Any, ...]) -> bool:
    """Whether a gradient that comes to `function.apply(*args)` surely goes on to each tensor that asks for one.

    Its forward and its backward run on symbols, and what they record is taken back. A tensor's gradient must be
    computed from one that came; where that is not seen, the answer is no: only a run can show.
    """
    wanted = tuple(isinstance(one, torch.Tensor) and _asks(recorder, one) for one in args)
    inside = [one for one in args if not isinstance(one, torch.Tensor)]
    if not any(wanted) or any(_asks(recorder, one) for one in tensors_in(inside, deep=True)):
        return False  # what is handed over in a list is none of its inputs for autograd
    mark, open_questions, called = recorder.mark(), _open_questions(recorder), set(recorder.called)
    kept = [dict(one) for one in open_questions]
    try:
        passes = _followed(recorder, function, args, wanted)
        return passes and [*map(len, kept)] == [*map(len, open_questions)]
    except (Exception, SystemExit):
        return False
    finally:
        recorder.rewind(mark)
        recorder.called.intersection_update(called)
        for questions, before in zip(open_questions, kept, strict=True):
            questions.clear()
            questions.update(before)


def _open_questions(recorder: Recorder) -> tuple[dict[Any, None], ...]:
    """What was assumed and guessed so far."""
    return recorder.assumed, recorder.checked, recorder.drawn, recorder.guesses


def _followed(recorder: Recorder, function: Any, args: tuple[Any, ...], wanted: tuple[bool, ...]) -> bool:
    context = _Context(wanted)
    if function.setup_context is not torch.autograd.Function.setup_context:
        outputs = function.forward(*args)
        function.setup_context(context, args, outputs)
    else:
        outputs = function.forward(context, *args)
    first = len(recorder.ops)
    parts = outputs if isinstance(outputs, tuple) else (outputs,)
    gradients = [recorder.record("input", "gradient", module="") for part in parts]
    given = [recorder.symbol(op, "tensor", torch.get_default_dtype()) for op in gradients]
    found = function.backward(context, *given)
    results = found if isinstance(found, tuple) else (found,)
    if not context.is_plain or len(results) < len(args):
        return False
    derived = _derived(recorder.ops[first:], gradients)
    asked = [result for result, is_wanted in zip(results, wanted, strict=False) if is_wanted]
    return all(isinstance(one, torch.Tensor) and id(recorder.origin(one)) in derived for one in asked)


def _asks(recorder: Recorder, tensor: torch.Tensor) -> bool:
    origin = recorder.origin(tensor)
    return origin is not None and origin.receives_gradient


def _derived(ops: Sequence[Op], start: Sequence[Op]) -> set[int]:
    """The ids of those operations to which data flows from `start`."""
    found = {id(op) for op in start}
    for op in ops:  # inputs stand before what reads them
        if any(id(source) in found for source in op.inputs):
            found.add(id(op))
    return found
