"""Faulty programs: which faults can be planted in a model, and the source code of the program that has them."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import random
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, ModuleType
from typing import Any

import torch
from torch import nn

from benchmarks.faults_kinds import KINDS, MARK, PLACES_ON_A_MODULE, Kind, Site
from benchmarks.faults_models import SUBJECTS

OPTIMIZER_LINE = "optimizer_line: "
INDENT = "    "
VARIANTS = 5
"""How many configurations are drawn of each subject."""


@dataclass(frozen=True)
class Fault:
    """A kind of fault at one sub-module. `style` says how the code gets there; `statement` counts in a forward."""

    kind: Kind
    site: Site
    style: str = ""
    statement: int = -1

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the rules that may name it; what cuts off the whole output cuts off the loss."""
        return (*self.kind.codes, "FXA109") if self.style == "output" else self.kind.codes

    def __str__(self) -> str:
        where = f" statement {self.statement}" if self.statement >= 0 else ""
        return f"{self.kind.name} at {self.site.path or 'model'} ({self.style or self.kind.place}{where})"


@dataclass(frozen=True)
class Program:
    """A subject, a seed and the faults planted in it."""

    subject: str
    seed: int
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return f"{self.subject}[{self.seed}]: " + " + ".join(map(str, self.faults))

    @property
    def codes(self) -> set[str]:
        """The codes of the rules that may name one of the faults."""
        return {code for fault in self.faults for code in fault.codes}


# -- where faults fit ----------------------------------------------------------------------------------------------


def survey(subject: str, seed: int) -> list[Site]:
    """The sub-modules of a healthy model, as one forward sees them."""
    model, batch = SUBJECTS[subject].make(seed)
    seen: dict[str, dict[str, Any]] = {path: {"calls": 0} for path, _ in model.named_modules()}

    def note(path: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> None:
            facts = seen[path]
            facts["calls"] += 1
            value: Any = out
            facts["result"] = "tensor"
            if isinstance(out, dict):
                key = next((k for k in out if isinstance(out[k], torch.Tensor)), None)
                facts["result"], value = key or "", out.get(key)
            elif isinstance(out, tuple):
                facts["result"], value = "tuple", out[0] if out else None
            if not isinstance(value, torch.Tensor) or not value.is_floating_point():
                facts["result"] = ""
                return
            facts.update(shape=tuple(value.shape), receives_gradient=value.requires_grad)
            first = args[0] if args else None
            if isinstance(first, torch.Tensor):
                facts["same_shape"] = first.shape == value.shape and first.dtype == value.dtype and out is value
                facts["floating_input"] = first.is_floating_point() and len(args) == 1 and not kwargs
            facts["input_carries_gradient"] = isinstance(first, torch.Tensor) and first.requires_grad

        return hook

    for path, module in model.named_modules():
        module.register_forward_hook(note(path), with_kwargs=True)
    SUBJECTS[subject].predict(model, batch)
    sites = []
    for path, module in model.named_modules():
        sites.append(
            Site(
                path=path,
                type=type(module).__name__,
                own=tuple(name for name, _ in module.named_parameters(recurse=False)),
                numel=sum(p.numel() for p in module.parameters()),
                linears=tuple(
                    name for name, child in module.named_children() if type(child) is nn.Linear and name.isidentifier()
                ),
                resets=hasattr(module, "reset_parameters") and not list(module.children()),
                **seen[path],
            )
        )
    return sites


@functools.cache
def _sites(subject: str, seed: int) -> tuple[list[Site], nn.Module]:
    return survey(subject, seed), SUBJECTS[subject].make(seed)[0]


def places(subject: str, seed: int, kind: Kind) -> list[Fault]:
    """Every way in which a kind of fault can be planted in a subject."""
    sites, model = _sites(subject, seed)
    whole = sites[0]
    found: list[Fault] = []
    if kind.place in ("output", "loss") or (kind.place in ("optimizer", "after") and "{module}" not in kind.text):
        uses_path = "{path}" in kind.text
        candidates = [s for s in sites[1:] if kind.fits(s)] if uses_path else [whole]
        return [Fault(kind, site) for site in candidates]
    if kind.place == "value":
        found.append(Fault(kind, whole, "output"))
        found.extend(Fault(kind, whole, "source", number) for number in range(len(statements(type(model)))))
    for site in sites[1:]:
        on_module = kind.place in PLACES_ON_A_MODULE
        if not kind.fits(site) or (on_module and not site.calls):
            continue
        if kind.place in ("value", "call", "decorator"):
            if not site.result or not site.receives_gradient:
                continue
            found.append(Fault(kind, site, "subclass"))
            if site.result == "tensor" and kind.place != "decorator":
                found.append(Fault(kind, site, "wrapper"))
            if "args" not in kind.text:
                count = len(statements(type(model.get_submodule(site.path))))
                found.extend(Fault(kind, site, "source", number) for number in range(count))
        elif kind.place == "parameter":
            if site.type in ("Linear", "Conv2d", "Embedding"):
                found.append(Fault(kind, site))
        else:
            found.append(Fault(kind, site))
    return found


def sample(subjects: list[str], kinds: list[str], seed: int) -> Iterator[Program]:
    """Programs with one fault each, without end, every kind in turn."""
    draw = random.Random(seed)
    while True:
        for name in kinds:
            for _ in range(20):
                subject, variant = draw.choice(subjects), draw.randrange(VARIANTS)
                found = places(subject, variant, KINDS[name])
                if found:
                    yield Program(subject, variant, (_choose(found, draw),))
                    break


def _choose(found: list[Fault], draw: random.Random) -> Fault:
    """One of them, each style with the same chance."""
    style = draw.choice(sorted({fault.style for fault in found}))
    return draw.choice([fault for fault in found if fault.style == style])


def combinations(subjects: list[str], kinds: list[str], seed: int) -> Iterator[Program]:
    """Programs with two or three faults, without end."""
    draw = random.Random(seed)
    while True:
        subject, variant = draw.choice(subjects), draw.randrange(VARIANTS)
        faults: list[Fault] = []
        for name in draw.sample(kinds, min(len(kinds), draw.choice([2, 3]))):
            kind = KINDS[name]
            found = places(subject, variant, kind)
            if found and not kind.refused and not kind.quiet:
                faults.append(_choose(found, draw))
        if len(faults) > 1 and _go_together(faults):
            yield Program(subject, variant, tuple(faults))


def _go_together(faults: list[Fault]) -> bool:
    optimizers = [f for f in faults if f.kind.place == "optimizer" or OPTIMIZER_LINE in f.kind.text]
    ends = [f for f in faults if "return loss" in f.kind.text]
    paths = [f.site.path for f in faults if f.site.path]
    nested = any(a != b and (a == b or b.startswith(f"{a}.")) for a in paths for b in paths)
    same = len(paths) != len(set(paths))
    wrapped = any(f.style == "wrapper" or f.kind.place == "wrapper" for f in faults)
    # What a wrapper renames cannot be found under its old path any more.
    return len(optimizers) < 2 and len(ends) < 2 and not ((nested or same) and wrapped)


# -- statements of a forward ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Statement:
    """An assignment `name = expression` in a forward: its lines (from 0, as in the dedented source) and indentation."""

    name: str
    first: int
    last: int
    indent: str
    expression: str


@functools.cache
def _forward_source(kind: type[nn.Module]) -> str:
    """The dedented source of a forward without its decorators; empty where it is not that of a model."""
    function = inspect.unwrap(kind.forward)
    if not function.__module__.startswith(("benchmarks.", "transformers.models.")) or function.__closure__:
        return ""
    source = textwrap.dedent(inspect.getsource(function))
    start = source.index("def forward(") if "def forward(" in source else -1
    return source[start:] if start >= 0 else ""


@functools.cache
def statements(kind: type[nn.Module]) -> tuple[Statement, ...]:
    """The assignments of a call or an arithmetic expression to one name in the forward of a class."""
    source = _forward_source(kind)
    if not source:
        return ()
    lines = source.split("\n")
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
            continue
        if not isinstance(node.value, ast.Call | ast.BinOp) or node.end_lineno is None:
            continue
        text = lines[node.lineno - 1]
        indent = text[: len(text) - len(text.lstrip())]
        expression = ast.get_source_segment(source, node.value) or ""
        found.append(Statement(node.targets[0].id, node.lineno - 1, node.end_lineno - 1, indent, expression))
    return tuple(sorted(found, key=lambda s: s.first))


def _names_of(code: CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names_of(constant)
    return names


def _imports(kind: type[nn.Module], known: set[str]) -> list[str]:
    """Import lines for what a forward uses of its own module."""
    function = inspect.unwrap(kind.forward)
    home: ModuleType = sys.modules[function.__module__]
    wanted = {n for n in _names_of(function.__code__) if hasattr(home, n) and not hasattr(builtins, n)} - known
    return [f"from {function.__module__} import {name}" for name in sorted(wanted)]


# -- writing -------------------------------------------------------------------------------------------------------


class _Writer:
    """The sections of a program, filled fault by fault."""

    def __init__(self, program: Program) -> None:
        self.program = program
        name = "SGD" if program.seed % 2 else "Adam"
        self.rate = "0.05" if program.seed % 2 else "0.01"
        self.words = {"{optimizer}": name, "{seed}": str(program.seed)}
        self.imports: list[str] = []
        self.setup: list[str] = []
        self.optimizer = [f"optimizer = torch.optim.{name}(model.parameters(), lr={self.rate})"]
        self.after: list[str] = []
        self.output: list[str] = []
        self.loss: list[str] = []

    def filled(self, lines: list[str], **words: str) -> list[str]:
        """The lines with every placeholder replaced."""
        known = self.words | {f"{{{key}}}": value for key, value in words.items()}
        result = []
        for line in lines:
            for key, value in known.items():
                line = line.replace(key, value)
            result.extend(line.split("\n"))
        return result

    def plant(self, number: int, fault: Fault) -> None:
        kind, site = fault.kind, fault.site
        module = f"module{number}"
        words = {
            "n": str(number),
            "path": site.path,
            "module": module,
            "p": site.own[-1 if number % 2 else 0] if site.own else "",
            "linear": site.linears[0] if site.linears else "",
            "width": str(site.shape[-1]) if site.shape else "",
        }
        get = f'{module} = model.get_submodule("{site.path}")'
        match kind.place:
            case "setup":
                self.setup += [get, *self.filled(kind.lines, **words)]
            case "optimizer":
                self.optimizer = [get] * ("{module}" in kind.text) + self.filled(kind.lines, **words)
            case "after":
                self.after += [get, *self.filled(kind.lines, **words)]
            case "output":
                self.output += self.filled(kind.lines, v="output", **words)
            case "loss":
                self.loss += self.filled(kind.lines, v="loss", **words)
            case "wrapper":
                lines = [line for line in kind.lines if not line.startswith(OPTIMIZER_LINE)]
                chosen = [line[len(OPTIMIZER_LINE) :] for line in kind.lines if line.startswith(OPTIMIZER_LINE)]
                if chosen:
                    self.optimizer = self.filled(chosen, **words)
                name = lines[0].split()[1].split("(")[0]
                lines += ["", f"model.set_submodule('{{path}}', {name}(model.get_submodule('{{path}}')))"]
                self.setup += self.filled(lines, **words)
            case "parameter":
                self.setup += [get, *self.filled(self._with_weight(fault), **words)]
            case _ if fault.style == "output":
                self.output += self.filled(kind.lines, v="output", **words)
            case _ if fault.style == "source":
                self.setup += [get, *self._from_source(fault, words)]
            case _:
                self.setup += [get, *self._around(fault, words)]

    def _with_weight(self, fault: Fault) -> list[str]:
        result = {
            "Linear": "F.linear(x, weight, self.bias)",
            "Conv2d": "self._conv_forward(x, weight, self.bias)",
            "Embedding": "F.embedding(x, weight)",
        }[fault.site.type]
        body = [*fault.kind.lines, f"return {result}"]
        head = ["", "class Faulty{n}(type({module})):", f"{INDENT}def forward(self, x):"]
        return [*head, *(2 * INDENT + line for line in body), "", "{module}.__class__ = Faulty{n}"]

    def _around(self, fault: Fault, words: dict[str, str]) -> list[str]:
        """A subclass of the sub-module's own class, or a module around it."""
        kind, site = fault.kind, fault.site
        is_wrapper = fault.style == "wrapper" and "self.{p}" not in kind.text and "self.reset" not in kind.text
        function = "self.inner" if is_wrapper else "super().forward"
        call, unpack, back = f"{function}(*args, **kwargs)", "out = {call}", "return out"
        if site.result == "tuple":
            unpack, back = "result = {call}\nout = result[0]", "return (out, *result[1:])"
        elif site.result != "tensor":
            key = site.result
            unpack, back = f'result = {{call}}\nout = result["{key}"]', f'result["{key}"] = out\nreturn result'
        if kind.place == "value":
            body = [unpack, *kind.lines, back]
        elif kind.place == "enter":
            body = [*kind.lines, "return {call}"]
        elif kind.place == "decorator":
            body = ["return {call}"]
        else:
            # The whole result comes back from the call; a copy of what an inference region made is made of its tensor.
            body = [line.replace("{v}", "out") for line in kind.lines] + ["return out"]
            if site.result != "tensor" and "held" in kind.text:
                body = [*kind.lines[:-1], "out = held[0]", "return (out.clone(), *held[1:])"]
        decorator = [INDENT + line for line in kind.lines] if kind.place == "decorator" else []
        if is_wrapper:
            head = [
                "",
                "class Faulty{n}(nn.Module):",
                f"{INDENT}def __init__(self, inner):",
                f"{2 * INDENT}super().__init__()",
                f"{2 * INDENT}self.inner = inner",
                "",
            ]
            tail = ["", "model.set_submodule('{path}', Faulty{n}({module}))"]
        else:
            head = ["", "class Faulty{n}(type({module})):"]
            tail = ["", "{module}.__class__ = Faulty{n}"]
        lines = self.filled(body, v="out", call=call, function=function, **words)
        inner = [*decorator, f"{INDENT}def forward(self, *args, **kwargs):", *(2 * INDENT + line for line in lines)]
        return self.filled([*head, *inner, *tail], **words)

    def _from_source(self, fault: Fault, words: dict[str, str]) -> list[str]:
        """The forward of the sub-module's class, written out again with the fault in its middle."""
        kind = fault.kind
        owner = type(_sites(self.program.subject, self.program.seed)[1].get_submodule(fault.site.path))
        statement = statements(owner)[fault.statement]
        lines = _forward_source(owner).rstrip().split("\n")
        more = {"v": statement.name, "call": statement.expression}
        planted = [statement.indent + line for line in self.filled(kind.lines, **more, **words)]
        if kind.place == "value":
            lines[statement.last + 1 : statement.last + 1] = planted
        elif kind.place == "call":
            lines[statement.first : statement.last + 1] = planted
        else:
            lines[0:0] = planted if kind.place == "decorator" else []
        if kind.place == "decorator":
            lines[0] = kind.lines[0]
        self.imports += _imports(owner, {"torch", "nn", "F", "copy", "checkpoint"})
        head = ["", *self.filled(["class Faulty{n}(type({module})):"], **words)]
        return [
            *head,
            *(INDENT + line for line in lines),
            *self.filled(["", "{module}.__class__ = Faulty{n}"], **words),
        ]

    def text(self) -> str:
        """The whole program."""
        make = [
            "model, batch = subject.make({seed})",
            *self.setup,
            *self.optimizer,
            *self.after,
            "return model, batch, optimizer",
        ]
        loss = [
            "output = subject.predict(model, batch)",
            *self.output,
            "loss = subject.criterion(output, batch)",
            *self.loss,
            "return loss",
        ]
        if any(line.startswith("return loss") for line in self.output):
            loss = loss[: loss.index("return loss") + 1]
        title = str(self.program).replace("\\", "/")
        parts = [
            f'"""{title}."""',
            "",
            "from __future__ import annotations",
            "",
            "import copy",
            "",
            "import torch",
            "from torch import nn",
            "from torch.nn import functional as F",
            "from torch.utils.checkpoint import checkpoint",
            "",
            "from benchmarks.faults_models import SUBJECTS",
            *sorted(set(self.imports)),
            "",
            f'subject = SUBJECTS["{self.program.subject}"]',
            "",
            "",
            "def make():",
            *(INDENT + line if line else "" for line in self.filled(make)),
            "",
            "",
            "def loss_fn(model, batch):",
            *(INDENT + line if line else "" for line in loss),
            "",
        ]
        return "\n".join(parts)


def source_of(program: Program) -> tuple[str, set[int]]:
    """The text of a program, and the lines on which its faults are."""
    writer = _Writer(program)
    for number, fault in enumerate(program.faults):
        writer.plant(number, fault)
    text = writer.text()
    marks = {number for number, line in enumerate(text.split("\n"), 1) if line.rstrip().endswith(MARK)}
    return text, marks
