"""One model: trained plainly for a few steps, audited, and traced; what is said of each parameter beside what it did.

The training knows nothing of fxaudit: a copy of the model, the same seed, SGD, and whether the gradient came, was other
than zero, and changed the value.
"""

from __future__ import annotations

import copy
import os
import pickle
import resource
import signal
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

import fxaudit
from benchmarks.zoo.builders import Built

__all__ = ["Measured", "apart", "measured"]

MOST = 40_000_000
"""Elements; a larger model takes too long here."""
STEPS = 3
WAITING = ("it runs only when", "depends on an argument that the trace leaves out")
RIGHT = {
    "trained": {"trained"},
    "never reached": {"unreachable"},
    "never moved": {"blocked", "unknown", "trained"},
    "frozen": {"frozen"},
}
"""What a plain training shows of a parameter → the verdicts that are true of it. Of gradients that are zero in each of
the few steps nobody can say more without the reason."""


@dataclass
class Measured:
    """What came of one model."""

    name: str
    problem: str = ""
    """Why it could not be trained plainly here; then nothing else is known."""
    parameters: int = 0
    facts: dict[str, int] = field(default_factory=dict)
    audit: dict[str, int] = field(default_factory=dict)
    """`right`, `unknown`, `wrong` → how many parameters."""
    trace: dict[str, int] = field(default_factory=dict)
    """The structure alone; `waits` are those unknown ones that wait for an argument that forward may do without."""
    given: dict[str, int] = field(default_factory=dict)
    """The structure with the shapes of the arguments that the training gave."""
    wrong: list[str] = field(default_factory=list)
    """`audit encoder.weight: never reached, but trained`"""
    alarms: list[str] = field(default_factory=list)
    """Findings of level warning and above of a model of which every parameter trains."""
    trace_alarms: list[str] = field(default_factory=list)
    given_alarms: list[str] = field(default_factory=list)
    complete: dict[str, str] = field(default_factory=dict)
    """`fxaudit`, `torch.fx`, `torch.export` → empty where the trace reached the end, else why not."""
    crashed: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def measured(name: str, build: Callable[[], Built], tracers: bool = True) -> Measured:
    """All that is asked of one model."""
    found = Measured(name)
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    try:
        model, given = build()
        model.train()
        found.parameters = sum(1 for _ in model.parameters())
        if sum(parameter.numel() for parameter in model.parameters()) > MOST:
            found.problem = "too large"
            return found
        facts = _trained_plainly(copy.deepcopy(model), given)
    except Exception as error:  # the library's own, or ours of building it: either way there is nothing to compare with
        found.problem = f"{type(error).__name__}: {error}"[:300]
        return found
    found.facts = dict(Counter(facts.values()))
    is_clean = set(facts.values()) == {"trained"}
    for what, ask in (("trace", _traced), ("given", _traced_with_inputs), ("audit", _audited)):
        started = time.perf_counter()
        try:
            verdicts, alarms = ask(found, copy.deepcopy(model), given)
        except Exception as error:
            found.crashed.append(f"{what}: {type(error).__name__}: {error}"[:500])
            continue
        finally:
            found.seconds[what] = time.perf_counter() - started
        counts = getattr(found, what)
        for parameter, fact in facts.items():
            verdict, reason = verdicts.get(parameter, ("missing", ""))
            kind = _kind(fact, verdict, what)
            if kind == "unknown" and what == "trace" and any(words in reason for words in WAITING):
                kind = "waits"
            counts[kind] = counts.get(kind, 0) + 1
            if kind == "wrong":
                found.wrong.append(f"{what} {parameter}: {fact}, but {verdict}")
        if is_clean:
            getattr(found, "alarms" if what == "audit" else f"{what}_alarms").extend(alarms)
    if tracers:
        _others(found, model, given)
    return found


def _kind(fact: str, verdict: str, what: str) -> str:
    if verdict == "unknown":
        return "unknown"
    if what != "audit" and fact == "never moved":
        return "right" if verdict == "trained" else "unknown"  # zeros are no matter of structure
    return "right" if verdict in RIGHT[fact] else "wrong"


def _loss(outputs: object) -> torch.Tensor:
    """A fixed random projection of all outputs that have a gradient, so that none is zero by symmetry."""
    generator = torch.Generator().manual_seed(1)
    terms = [
        (tensor.float() * torch.randn(tensor.shape, generator=generator)).mean()
        for tensor in _tensors(outputs)
        if tensor.is_floating_point() and tensor.requires_grad
    ]
    return torch.stack(terms).sum()


def _tensors(value: object) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _tensors(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _tensors(part)


def _trained_plainly(model: nn.Module, given: Mapping[str, Any]) -> dict[str, str]:
    """Parameter → what a few steps of plain training show of it."""
    named = dict(model.named_parameters())
    optimizer = torch.optim.SGD([p for p in named.values() if p.requires_grad], lr=0.01)
    before = {name: parameter.detach().clone() for name, parameter in named.items()}
    reached: set[str] = set()
    for _ in range(STEPS):
        optimizer.zero_grad()
        _loss(model(**copy.deepcopy(dict(given)))).backward()
        reached |= {name for name, parameter in named.items() if parameter.grad is not None}
        optimizer.step()
    facts = {}
    for name, parameter in named.items():
        if not parameter.requires_grad:
            facts[name] = "frozen"
        elif name not in reached:
            facts[name] = "never reached"
        else:
            moved = bool(torch.isfinite(parameter).all()) and not torch.equal(parameter, before[name])
            facts[name] = "trained" if moved else "never moved"  # NaN is no step of a training
    return facts


Said = tuple[dict[str, tuple[str, str]], list[str]]
"""Parameter → verdict and reason; and the alarms."""


def _audited(found: Measured, model: nn.Module, given: Mapping[str, Any]) -> Said:
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.01)
    report = fxaudit.audit(model, lambda: _loss(model(**copy.deepcopy(dict(given)))), optimizer)
    return _verdicts(report), _alarms(report)


def _traced(found: Measured, model: nn.Module, given: Mapping[str, Any]) -> Said:
    report = fxaudit.audit(model)
    found.complete["fxaudit"] = "" if report.symbolic.status == "traced" else report.symbolic.reason or "stopped"
    return _verdicts(report), _alarms(report)


def _traced_with_inputs(found: Measured, model: nn.Module, given: Mapping[str, Any]) -> Said:
    report = fxaudit.audit(model, inputs=dict(given), device="meta")
    return _verdicts(report), _alarms(report)


def _verdicts(report: fxaudit.Report) -> dict[str, tuple[str, str]]:
    return {parameter.name: (parameter.verdict, parameter.reason) for parameter in report}


def _alarms(report: fxaudit.Report) -> list[str]:
    return [f"{f.code} {f.message}" for f in report.findings if f.level in ("error", "warning")]


def _others(found: Measured, model: nn.Module, given: Mapping[str, Any]) -> None:
    """Whether the tracers of torch follow the same model to its end."""
    for what, follow in (
        ("torch.fx", lambda: torch.fx.symbolic_trace(copy.deepcopy(model))),
        ("torch.export", lambda: torch.export.export(copy.deepcopy(model), (), dict(given), strict=False)),
    ):
        try:
            follow()
            found.complete[what] = ""
        except Exception as error:
            found.complete[what] = type(error).__name__


def apart(name: str, build: Callable[[], Built], tracers: bool, seconds: int, gigabytes: int) -> Measured:
    """`measured` in a process of its own, within a bound of time and of memory."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1), os.dup2(quiet, 2)
        size = gigabytes << 30
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
        signal.alarm(seconds)
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(pickle.dumps(measured(name, build, tracers)))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    if text:
        found: Measured = pickle.loads(text)
        return found
    how = "out of time" if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM else f"died ({status})"
    return Measured(name, problem=how)
