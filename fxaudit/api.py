"""The public functions: audit, watch, why, trace."""

from __future__ import annotations

import contextlib
import functools
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.optim import lr_scheduler

from fxaudit.answer.answer import VERDICTS, Answer
from fxaudit.answer.explanation import Explanation
from fxaudit.attempts import attempt
from fxaudit.capture.collector import collector_seldom
from fxaudit.capture.frozen import Mode
from fxaudit.capture.generated import exported_module
from fxaudit.capture.members import named_modules, named_parameters
from fxaudit.capture.naming import ModelName
from fxaudit.capture.processes import unwrapped
from fxaudit.capture.remembered import remember
from fxaudit.capture.session import Session, active_session
from fxaudit.capture.values import number_of
from fxaudit.capture.watch.autograd import note_earlier_hooks
from fxaudit.capture.watch.optimizers import inner_optimizer
from fxaudit.errors import (
    InvalidExpectationError,
    InvalidInputsError,
    InvalidLossError,
    InvalidModelError,
    InvalidOptimizerError,
    InvalidOptionError,
)
from fxaudit.judge.expectations import check_patterns, expected_of
from fxaudit.judge.rule import Rule
from fxaudit.judge.rules import RULES
from fxaudit.judge.write_up import Options
from fxaudit.program.bindings import object_name
from fxaudit.program.groups import flags_set
from fxaudit.program.source import PACKAGE, is_library, is_skipped, variables_of
from fxaudit.program.tree import construction_of, constructions_of, is_only_one
from fxaudit.report import Report
from fxaudit.run.consulted import with_structure
from fxaudit.run.examination import examine, unjudged
from fxaudit.run.loop import Observation, raise_stack_limit
from fxaudit.run.ranks.exchange import Exchange
from fxaudit.run.replay import Closure, Rehearsal, prove
from fxaudit.run.warm_up import rises_later
from fxaudit.run.why import explanation_of

if TYPE_CHECKING:
    from fxaudit.run.traced import Trace

__all__ = ["assert_trains", "audit", "trace", "watch", "why"]

Loss = torch.Tensor | Callable[[], Any]
Expect = Mapping[str, str] | Callable[[Any], Mapping[str, str]]
"""Patterns of names and verdicts, the first that fits decides; or what makes them of the (name, module) pairs given."""


def audit(
    model: nn.Module | Mapping[str, nn.Module],
    loss: Loss | None = None,
    optimizer: Any = None,
    *,
    inputs: Any = None,
    expect: Expect | None = None,
    steps: int = 5,
    prove: bool = True,
    fix: bool = False,
    rules: Sequence[type[Rule]] = RULES,
    device: str | torch.device | None = None,
) -> Report:
    """Say for every parameter whether training will change it, and if not, what stops it and on which line.

    The closure is run once under observation, with a backward. Where a held parameter then has a zero gradient or none,
    up to `steps` steps with the user's own optimizer are rehearsed; where a cause is found, the closure is run again
    without it to prove the claim. A parameter is `trained` if gradient arrives and the optimizer's step changes its
    value.

    Parameters, gradients, buffers, random states, hooks, flags and other plain attributes of modules, groups, state and
    plain attributes of optimizers, schedulers that step, and grad mode are bit for bit what they were before, also when
    the closure raises. What else it changes stays: files, lists of its own, private random generators. Rehearsal and
    proofs happen in forked copies of the process.

    Args:
        model: A module, or a dict of named modules.
        loss: A closure that returns a scalar tensor (it may call `backward` itself), or a scalar tensor already
            computed.
            Without it and without `inputs`, nothing is executed: the forward is traced symbolically.
        optimizer: One optimizer, several, or none. Anything with `param_groups` and `step` will do.
        inputs: Arguments for the model, as a tuple or dict, where there is no loss yet; the outputs stand in for it.
        expect: Name patterns (as in `fnmatch`) and the verdict expected of what they match; of a name, the first
            pattern that fits decides. Or `fxaudit.peft()`.
        steps: How many steps to rehearse at most.
        prove: Whether to prove causes by replay.
        fix: Whether to try edits: the functions that one changes get their new code in a forked copy, where the audit
            is made again. What was seen to mend stands in `findings[…].patch`, and all of it in `patch`; an edit of
            what ran before the audit, such as a constructor, is offered untried.
        rules: The rules to ask, in their order of priority.
        device: `"meta"` judges the structure alone, of a model of any size: nothing is executed, and of `inputs` only
            the shapes and types are used. `model` may be a class, or what makes a model when it is called without
            arguments: it is made on the meta device, where it takes no memory. The outputs stand in for a `loss`.

    Returns:
        The report: a verdict for each parameter, a finding for each cause.

    Raises:
        InvalidModelError: `model` is no module, or has nothing that could be audited.
        InvalidLossError: `loss` is neither a scalar tensor nor a callable that returns one.
        InvalidOptimizerError: An optimizer lacks `param_groups` or `step`.
        InvalidExpectationError: An `expect` pattern names no verdict, or matches no parameter.
        InvalidOptionError: `device` is another one than `"meta"`.

    Example:
        >>> import torch, fxaudit
        >>> model = torch.nn.Linear(2, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> report = fxaudit.audit(model, lambda: model(torch.ones(1, 2)).sum(), optimizer)
        >>> report["weight"].verdict
        'trained'

        Without a loss and inputs the structure is judged, and nothing is executed:

        >>> report = fxaudit.audit(lambda: torch.nn.Linear(10**6, 10**6), device="meta")
        >>> print(report["weight"].reason)
        the structure lets gradient pass; it trains if an optimizer holds it
    """
    model = exported_module(_on(device, model))
    named = _models(model)
    optimizers = _optimizers(optimizer)
    expected = _expectations(expect, named)
    if device is not None or (loss is None and inputs is None):
        given = _arguments(model, inputs)
        again = functools.partial(_structure, named, optimizers, expected, rules, given)
        closure = None
    else:
        closure = _closure(model, loss, inputs)
        frame = _caller()
        again = functools.partial(
            _audit_recorded,
            named,
            closure,
            optimizers,
            expected,
            steps,
            rules,
            _scope(loss, frame),
            _project_files(frame, loss),
        )
        del frame
    begun = time.monotonic()
    report = again(prove)
    took = time.monotonic() - begun
    if not report.parameters:
        raise _nothing_to_judge(model, closure)
    check_patterns(expected, report.parameters)
    return _with_patches(report, lambda: again(False), closure, steps, took) if fix else Report.of(report)


def _on(device: str | torch.device | None, model: Any) -> Any:
    """The model; where `device` is the meta device, what a class or a function makes there."""
    if device is None:
        return model
    if str(device).partition(":")[0] != "meta":
        raise InvalidOptionError(
            f"`device` is {str(device)!r}. Expected: 'meta', or nothing: the audit runs the model where it is."
        )
    if isinstance(model, nn.Module | Mapping) or not callable(model):
        return model
    with torch.device("meta"):
        return model()


def _arguments(model: Any, inputs: Any) -> tuple[Any, ...] | dict[str, Any] | None:
    """The arguments of the forward whose shapes are to be used."""
    if inputs is not None and isinstance(model, Mapping):
        raise InvalidInputsError("`inputs` works for a single model. Expected: none for a dict of modules.")
    if inputs is None:
        return None
    from fxaudit.run.traced import arguments_of

    return arguments_of(inputs)


def _structure(
    named: list[tuple[str, nn.Module]],
    optimizers: list[Any],
    expected: Mapping[str, str],
    rules: Sequence[type[Rule]],
    inputs: tuple[Any, ...] | dict[str, Any] | None,
    _: bool,
) -> Answer:
    """What the structure alone says; there is nothing to prove."""
    from fxaudit.run.structure import symbolic_report

    failures: list[str] = []
    found = attempt(
        "the structure", lambda: symbolic_report(named, optimizers, expected, rules, inputs), None, failures
    )
    prefixed = [(f"{name}." if name else "", module) for name, module in named]
    return found or unjudged(prefixed, type(named[0][1]).__name__, failures)


def _nothing_to_judge(model: Any, closure: Closure | None) -> InvalidModelError:
    what = f"a {type(model).__name__}" if isinstance(model, nn.Module) else "a dict of modules"
    if closure is not None:
        return InvalidModelError(
            f"`model` is {what} without any parameter. Expected: a module with parameters to train."
        )
    return InvalidModelError(
        f"`model` is {what} without any parameter. Expected: a module with parameters, or one whose loss reaches some."
    )


def _with_patches(
    report: Answer, again: Callable[[], Answer], closure: Closure | None, steps: int, took: float
) -> Report:
    from fxaudit.run.closure_trials import AuditTrials, LiveTexts, NoTrials, in_place
    from fxaudit.run.mending import mend

    texts = LiveTexts()
    if closure is not None and closure.function is None:
        computed = "the loss was computed before the audit: give a closure that computes it to have edits tried"
        return Report.of(mend(report, NoTrials(computed), texts).report)
    return Report.of(mend(report, AuditTrials(in_place(again, texts.known), took, steps), texts).report)


def assert_trains(
    model: nn.Module | Mapping[str, nn.Module],
    loss: Any = None,
    optimizer: Any = None,
    *,
    inputs: Any = None,
    expect: Expect | None = None,
    **options: Any,
) -> Report:
    """Assert that training changes every parameter that is not frozen, and that nothing above a warning is found.

    A test of a model in one line. The audit is that of `audit`, and leaves the same untouched.

    Args:
        model: As for `audit`; so are `loss`, `optimizer`, `inputs` and the `options`.
        loss: See `audit`.
        optimizer: See `audit`.
        inputs: See `audit`.
        expect: Name patterns and the verdict expected of what they match, such as `{"teacher.*": "unreachable"}`: these
            need not train.
        **options: Further keyword arguments of `audit`.

    Returns:
        The report.

    Raises:
        AssertionError: A parameter does not train, or a finding is an error. The text shows each cause with its line;
            the error's `report` is the report.

    Example:
        >>> import torch, fxaudit
        >>> model = torch.nn.Linear(2, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> fxaudit.assert_trains(model, lambda: model(torch.ones(1, 2)).sum(), optimizer).ok
        True
    """
    __tracebackhide__ = True
    expect = _expectations(expect, _models(exported_module(model)))
    report = audit(model, loss, optimizer, inputs=inputs, expect=expect, **options)
    expected = expected_of(expect, report.parameters)
    idle = [p.name for p in report if p.verdict not in ("trained", "frozen") and p.name not in expected]
    if report.exit_code == 1 or idle:
        from fxaudit.renderers.text.terminal import render_causes

        error = AssertionError(render_causes(report, width=100).rstrip("\n"))
        error.report = report  # type: ignore[attr-defined]
        raise error
    return report


def _audit_recorded(
    named: list[tuple[str, nn.Module]],
    closure: Closure,
    optimizers: list[Any],
    expect: Mapping[str, str],
    steps: int,
    rules: Sequence[type[Rule]],
    scope: Mapping[str, object],
    files: Sequence[str],
    with_proof: bool,
) -> Answer:
    """One observed forward and backward; rehearsal and proofs where they are needed."""
    raise_stack_limit()
    session = active_session() or Session()
    own = session.recording()
    rehearsal = Rehearsal(session, named, optimizers, closure, steps)
    try:
        with own, collector_seldom(), contextlib.ExitStack() as before:
            before.enter_context(session.still())  # until the closure runs
            session.remember_scope(scope, {id(unwrapped(module)) for _, module in named})
            models = _learn(session, named, optimizers, files)
            session.holding = {session.optimizer_info(given).index for given in optimizers}
            session.holding |= {session.optimizers[i].wrapper_of for i in session.holding} - {-1}
            with session.quietly():
                session.warming = {session.optimizer_info(one).index for one in optimizers if rises_later(one)}
            session.begin_batch((model.module for model in models), is_computed=closure.tensor is not None)
            mode = Mode("one step", optimizers_known=bool(optimizers))
            options = Options(expect=expect, rules=rules)
            title = type(named[0][1]).__name__
            report = rehearsal.report(lambda: examine(session, models, mode, options, title), before.close)
            notes: list[str] = []
            prefixed = [(model.prefix, model.module) for model in models]
            report = attempt("the symbolic trace", lambda: with_structure(report, prefixed), report, notes)
            report = replace(report, notes=(*report.notes, *notes))
            if with_proof and report.findings:
                notes = []
                report = attempt("the proofs", lambda: prove(report, session, closure, named), report, notes)
                report = replace(report, notes=(*report.notes, *notes))
    finally:
        session.holding, session.batch_began = None, -1
        session.forward_unseen = False
    if active_session() is None:
        session.release()
    return report


def _caller() -> FrameType:
    """The frame of the user's that called: the doors call each other."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return frame


def _scope(loss: object, frame: FrameType) -> dict[str, object]:
    """The variables that the closure and the caller of `audit` know things by."""
    found = {name: value for name, value in variables_of(frame).items() if not name.startswith("_")}
    code = getattr(loss, "__code__", None)
    for name, cell in zip(getattr(code, "co_freevars", ()), getattr(loss, "__closure__", None) or (), strict=False):
        with contextlib.suppress(ValueError):  # an empty cell
            found.setdefault(name, cell.cell_contents)
    outer = getattr(loss, "__globals__", {})
    for name in getattr(code, "co_names", ()):
        if name in outer:
            found.setdefault(name, outer[name])
    return found


def _project_files(frame: FrameType | None, loss: object) -> list[str]:
    """The user's files, the nearest first: the one the closure stands in, and those from which `audit` is called."""
    files = [getattr(getattr(loss, "__code__", None), "co_filename", "")]
    while frame is not None:
        if not is_skipped(frame.f_code.co_filename) and not is_library(frame.f_code.co_filename):
            files.append(frame.f_code.co_filename)
        frame = frame.f_back
    return [file for file in dict.fromkeys(files) if file]


def _learn(
    session: Session, named: list[tuple[str, nn.Module]], optimizers: list[Any], files: Sequence[str] = ()
) -> list[ModelName]:
    from fxaudit.capture.watch.optimizers import note_construction

    single = len(named) == 1
    models = []
    for name, given in named:
        module = unwrapped(given)
        info = session.module_info(module)
        models.append(ModelName(info, module, "" if single else f"{name}."))
        with session.quietly():
            session.note_names(info, module)
            for _, parameter in named_parameters(module):
                note_earlier_hooks(session, parameter)
            _note_earlier_flags(session, module, files)
    for optimizer in optimizers:
        if id(optimizer) not in session._optimizer_by_id:
            found = construction_of(files, type(optimizer).__name__, session.variables.get(id(optimizer), ""))
            note_construction(session, optimizer, session.record.stacks.at(*found) if found else -1)
            _note_earlier_scheduler(session, optimizer, files)
        else:
            session.look_at_groups(session.optimizer_info(optimizer), optimizer)
    return models


def _note_earlier_flags(session: Session, model: nn.Module, files: Sequence[str]) -> None:
    """`requires_grad` as an attribute of a module, set before anybody watched."""
    for _, module in named_modules(model):
        flag = vars(module).get("requires_grad")
        if isinstance(flag, bool) and "requires_grad" not in session.module_info(module).attributes:
            places = [(*place, "") for place in flags_set(files, flag)]
            stack = session.record.stacks.at(*places[0]) if is_only_one(places) else -1
            session.module_info(module).attributes["requires_grad"] = [(session.record.time, stack, "flag")]


def _note_earlier_scheduler(session: Session, optimizer: Any, files: Sequence[str]) -> None:
    """What took a learning rate to 0 before anybody watched: the one scheduler that the files build."""
    groups = [group for group in optimizer.param_groups if number_of(group.get("initial_lr"))]
    if all(number_of(group.get("lr")) != 0 for group in groups):
        return
    known = (lr_scheduler.LRScheduler, lr_scheduler.ReduceLROnPlateau)
    kinds = {name for name, kind in vars(lr_scheduler).items() if isinstance(kind, type) and issubclass(kind, known)}
    places = constructions_of(files, kinds)
    if is_only_one(places):
        stack = session.record.stacks.at(*places[0])
        session.optimizer_info(optimizer).schedulers.append((stack, "scheduler"))


def _models(model: Any) -> list[tuple[str, nn.Module]]:
    if isinstance(model, nn.Module):
        return [("", model)]
    if isinstance(model, Mapping):
        if not model:
            raise InvalidModelError(
                "`model` is an empty dict. Expected: a torch.nn.Module, or a dict of named modules."
            )
        for name, module in model.items():
            if not isinstance(module, nn.Module):
                raise InvalidModelError(
                    f"`model[{name!r}]` is {_described(module)}. Expected: a torch.nn.Module under every name."
                )
        return [(str(name), module) for name, module in model.items()]
    raise InvalidModelError(
        f"`model` is {_described(model)}. Expected: a torch.nn.Module, or a dict of named modules. "
        "Pass the instance, not its class or its parameters."
    )


def _optimizers(optimizer: Any) -> list[Any]:
    if optimizer is None:
        return []
    if hasattr(optimizer, "param_groups") and hasattr(optimizer, "step"):
        return [inner_optimizer(optimizer)]
    if isinstance(optimizer, Mapping):
        optimizer = list(optimizer.values())
    if isinstance(optimizer, list | tuple):
        return [one for entry in optimizer for one in _optimizers(entry)]
    missing = " and ".join(f"`{name}`" for name in ("param_groups", "step") if not hasattr(optimizer, name))
    raise InvalidOptimizerError(
        f"`optimizer` is {_described(optimizer)}, which has no {missing}. "
        "Expected: a torch optimizer, anything with `param_groups` and `step`, or a list of them."
    )


def _expectations(expect: Expect | None, named: Sequence[tuple[str, nn.Module]] = ()) -> dict[str, str]:
    if callable(expect):
        expect = expect(named)
    for pattern, verdict in (expect or {}).items():
        if verdict not in VERDICTS:
            raise InvalidExpectationError(
                f"`expect[{pattern!r}]` is {verdict!r}, which is no verdict. Expected one of: {', '.join(VERDICTS)}."
            )
    return dict(expect or {})


def _closure(model: Any, loss: Any, inputs: Any) -> Closure:
    if loss is None:
        if isinstance(model, Mapping):
            raise InvalidLossError(
                "`inputs` works for a single model. Expected: a `loss` closure for a dict of modules."
            )
        return Closure.of_inputs(model, inputs)
    if isinstance(loss, torch.Tensor):
        if loss.numel() != 1:
            raise InvalidLossError(
                f"`loss` is a tensor of shape {tuple(loss.shape)}. Expected: a scalar tensor; reduce it with `.mean()`."
            )
        return Closure.of_tensor(loss)
    if callable(loss):
        return Closure(loss)
    raise InvalidLossError(
        f"`loss` is {_described(loss)}. Expected: a callable without arguments "
        "that returns a scalar tensor, or that tensor."
    )


def _described(thing: object) -> str:
    if isinstance(thing, type):
        return f"the class {thing.__name__}"
    text = repr(thing)
    return f"a {type(thing).__name__} ({text if len(text) <= 40 else text[:37] + '…'})"


class watch:
    """Watch a training loop, or part of one, as it runs.

    With a model and optimizers it watches these; without arguments it learns every model and optimizer made and used
    inside, as `fxaudit run` does, and an `audit()` called inside knows where things were made, replaced and left out.

    Nothing that the loop computes is changed. After the recorded steps nothing is kept.

    Where several processes run the same block (`torchrun`), rank 0 waits at its end for the reports of the others and
    merges them; the others wait for nobody and keep their own.

    Args:
        model: A module, a dict of named modules, or None.
        optimizers: The optimizers of the loop.
        expect: Name patterns and the verdicts expected of them.
        steps: Record at most this many steps; as many as are needed where it is None.
        fix: Whether to offer edits that may mend what is found. The steps of a block cannot be run again, so they are
            untried.

    Example:
        >>> import torch, fxaudit
        >>> model = torch.nn.Linear(2, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> with fxaudit.watch(model, optimizer) as watching:
        ...     for _ in range(3):
        ...         loss = model(torch.ones(4, 2)).sum()
        ...         loss.backward()
        >>> watching.report["weight"].verdict
        'blocked'
    """

    def __init__(
        self,
        model: nn.Module | Mapping[str, nn.Module] | None = None,
        *optimizers: Any,
        expect: Expect | None = None,
        steps: int | None = None,
        fix: bool = False,
        rules: Sequence[type[Rule]] = RULES,
    ) -> None:
        self._fix = fix
        named = [(name, unwrapped(one)) for name, one in _models(model)] if model is not None else []
        self._optimizers = [one for given in optimizers for one in _optimizers(given)]
        self._observation = Observation(
            title=type(named[0][1]).__name__ if named else "watch",
            steps=steps,
            expect=_expectations(expect, named),
            rules=rules,
            models=named,
        )
        self._given = optimizers
        self._observation.on_enough = self._observation.stop_recording
        self._exchange: Exchange | None = None
        self._named = named
        self._watching: contextlib.AbstractContextManager[Session] | None = None
        self._report: Report | None = None

    def __enter__(self) -> watch:
        """Start watching."""
        self._exchange = Exchange.of_block(sys._getframe(1))
        self._exchange.enter()
        self._watching = self._observation.watching()
        session = self._watching.__enter__()
        frame = sys._getframe(1)
        for thing in (*(module for _, module in self._named), *self._optimizers):
            session.remember_variable(thing, frame)
        for given in self._given:
            known = session.variable_of(given, frame) if hasattr(given, "param_groups") else ""
            if known and id(given) != id(inner := inner_optimizer(given)):  # the user has a name for the wrapper
                session.variables[id(inner)] = known
        self._given = ()
        _learn(session, self._named, self._optimizers, _project_files(frame, None))
        session.is_part = bool(self._named)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Stop watching; whatever the block raised goes on."""
        if self._watching is None:
            return
        try:
            self._report = self._found()
        finally:
            self._watching.__exit__(kind, error, tb)
            self._watching = None
            if self._report is not None and self._exchange is not None:
                own = self._observation.rank_report(self._report, "end" if error is None else "death")
                self._report = Report.of(self._exchange.merged(own))
            if self._report is not None:
                self._named.clear()
                self._optimizers.clear()
                remember(self._observation.session)
                self._observation.release()

    def in_trainer(self, optimizers: Mapping[str, Any]) -> None:
        """The loop is a trainer's: no variable of the user's names the model where the loop is written, and optimizers
        are called what the trainer calls them, where the user has no name for them."""
        session = self._observation.session
        for _, module in self._named:
            session.variables[id(module)] = ""
        for name, optimizer in optimizers.items():
            inner = inner_optimizer(optimizer)
            if not object_name(session.record.stacks, session.optimizer_info(inner).created):
                session.variables.setdefault(id(inner), name)

    def when_settled(self, call: Callable[[], None]) -> None:
        """Call `call` in the step after which the recording has ended; what it raises goes through the loop."""
        stop = self._observation.stop_recording

        def ended() -> None:
            stop()
            call()

        self._observation.on_enough = ended

    @property
    def settled(self) -> bool:
        """Whether enough was seen: the recording has ended, though the block goes on."""
        return self._observation.has_ended

    @property
    def report(self) -> Report:
        """What was seen so far; after the block, what was seen in it."""
        return self._report if self._report is not None else self._found()

    def _found(self) -> Report:
        found = self._observation.report()
        if not self._fix:
            return Report.of(found)
        from fxaudit.run.closure_trials import LiveTexts, NoTrials
        from fxaudit.run.mending import mend

        return Report.of(mend(found, NoTrials("the steps of a watched block cannot be run again"), LiveTexts()).report)


def why(tensor: torch.Tensor, loss: torch.Tensor, *, name: str = "") -> Explanation:
    """Say whether `loss` brings a gradient to `tensor`, along which path, or where the nearest cut is.

    Reach is decided on the autograd graph of `loss` alone: a backward from it would bring a gradient to `tensor` if and
    only if a path of `grad_fn` nodes leads there. Nothing is executed and nothing is changed, except that torch keeps
    the Python objects of autograd nodes once looked at.

    Args:
        tensor: A parameter, or any other tensor of the computation.
        loss: A tensor computed from it, or thought to be; any shape.
        name: What to call the tensor; found among the caller's variables and modules where it is left out.

    Returns:
        An explanation; printing it gives the answer, `.reaches` and `.path` hold it, and `.culprit` is the line of the
        cut where the forward ran inside `with fxaudit.watch():`; without that the graph knows no lines.

    Raises:
        InvalidLossError: `loss` is no tensor.
        InvalidModelError: `tensor` is no tensor.
        GraphTooDeepError: The graph has more than 15,000 nodes, and this is not the main thread.

    Example:
        >>> import torch, fxaudit
        >>> w = torch.nn.Parameter(torch.ones(2))
        >>> fxaudit.why(w, (w.detach() * 2).sum()).reaches
        False
    """
    if not isinstance(tensor, torch.Tensor):
        raise InvalidModelError(f"`tensor` is {_described(tensor)}. Expected: a tensor, such as model.layer.weight.")
    if not isinstance(loss, torch.Tensor):
        raise InvalidLossError(f"`loss` is {_described(loss)}. Expected: a tensor; call the closure first.")
    raise_stack_limit()
    return explanation_of(tensor, loss, name, sys._getframe(1))


def trace(model: nn.Module, inputs: Any = None, concrete_args: Mapping[str, Any] | None = None) -> Trace:
    """Follow the forward of `model` without executing it, and give what was found with a `torch.fx.Graph` of it.

    It follows what `torch.fx.symbolic_trace` does not: sizes, loops over modules, `*args` wrappers, no-grad regions,
    checkpoints, values that leave torch; what it cannot follow becomes one opaque operation that says why.

    Args:
        model: The module. Nothing of it changes.
        inputs: A tensor, a tuple of arguments, or a dict of them. Only shapes and types are used: they settle what
            depends on sizes. Tensors become placeholders, everything else stays as it is.
        concrete_args: Arguments by name that are handed to the forward as they are.

    Returns:
        The trace. It never raises for what the model's code does: then its `status` is `stopped`.

    Raises:
        InvalidModelError: `model` is no module.
        InvalidInputsError: `inputs` is nothing that could be handed to a forward, or `concrete_args` names no argument.

    Example:
        >>> import torch, fxaudit
        >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
        >>> found = fxaudit.trace(model, torch.ones(1, 2))
        >>> torch.fx.GraphModule(model, found.graph)(torch.ones(1, 2)).shape
        torch.Size([1, 2])
    """
    from fxaudit.run.structure import without_recording
    from fxaudit.run.traced import traced

    with without_recording(), collector_seldom():
        return traced(model, inputs, concrete_args)
