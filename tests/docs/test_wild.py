"""docs/wild.md: what was found in public programs is what fxaudit says of the retold ones."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest

from tests.cli.processes import forked
from tests.pages import ROOT, page

WILD = page("wild")


@pytest.mark.parametrize("name", re.findall(r"\(\.\./examples/(\w+\.py)\)", WILD))
def test_what_was_found_in_the_wild_is_what_fxaudit_says_of_the_retold_program(name: str) -> None:
    entry = WILD.partition(f"(../examples/{name})")[2].partition("\n- ")[0]
    shown = " ".join(line.strip() for line in entry.splitlines() if line.startswith("      "))
    assert shown
    ended = forked(["run", f"examples/{name}"], ROOT)
    assert ended.status == 1
    assert shown in " ".join(ended.out.split())


def test_seven_of_thirty_seeds_leave_the_retold_radiance_field_dead() -> None:
    source = (ROOT / "examples" / "density_dead_at_start.py").read_text(encoding="utf-8").partition("\nfor step")[0]
    dead = []
    for seed in range(30):
        space: dict[str, Any] = {"__name__": "retold"}
        argv, sys.argv = sys.argv, ["density_dead_at_start.py", str(seed)]
        try:
            exec(compile(source, "density_dead_at_start.py", "exec"), space)
        finally:
            sys.argv = argv
        loss = (
            (space["render"](space["field"], space["origins"], space["directions"]) - space["pixels"]).square().mean()
        )
        loss.backward()
        if not any(bool(parameter.grad.any()) for parameter in space["field"].parameters()):
            dead.append(seed)
    assert len(dead) == 7
    assert 0 in dead, "the seed that the program starts with"
