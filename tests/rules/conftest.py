"""Running the examples of the rules as programs of a user.

Lines of fxaudit itself are never anybody's line, and the good example must not stand in the file in which the bad one
is searched for calls that never run. So each example becomes a file of its own, with every line where the rule has it.
"""

from __future__ import annotations

import functools
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
import torch

import fxaudit
from fxaudit.judge.rule import Example, Rule
from fxaudit.report import Report

Kind = Literal["bad", "good"]


@dataclass(frozen=True)
class Program:
    """An example as a file: `make` runs it, `marked` are the lines that end with the rule's code."""

    file: Path
    make: Callable[[], Example]
    marked: tuple[int, ...]


def program(rule: type[Rule], kind: Kind, folder: Path) -> Program:
    """The example `kind` of `rule`, on the lines where it stands in the rule's file."""
    lines, first = inspect.getsourcelines(getattr(rule, kind))
    text = "\n" * (first - 1) + textwrap.dedent("".join(lines)).replace("@staticmethod", "", 1)
    file = folder / f"{rule.name}.py"
    file.write_text(text)
    scope: dict[str, object] = {"__name__": rule.name, "Example": Example}
    exec(compile(text, str(file), "exec"), scope)
    marked = tuple(number for number, line in enumerate(text.splitlines(), 1) if line.endswith(f"# {rule.code}"))
    return Program(file, scope[kind], marked)  # type: ignore[arg-type]


def examined(make: Callable[[], Example]) -> Report:
    """The report on an example; made inside the watch, so that its construction is seen."""
    with fxaudit.watch() as watching:
        example = make()
        if example.train is None:
            return fxaudit.audit(example.model, example.loss, example.optimizer, expect=example.expect)
        example.train()
    return watching.report


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Callable[[type[Rule], Kind], tuple[Report, Program]]:
    """The report on an example of a rule, and the program that it is; each example runs once."""
    folders = {kind: tmp_path_factory.mktemp(kind) for kind in ("bad", "good")}

    @functools.cache
    def run(rule: type[Rule], kind: Kind) -> tuple[Report, Program]:
        made = program(rule, kind, folders[kind])
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return examined(made.make), made

    return run
