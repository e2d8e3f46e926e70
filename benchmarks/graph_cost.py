"""What `report.graph` and `fxaudit.trace` cost for each node and each operation, from small models to large ones.

    python -m benchmarks.graph_cost      # measure, print; so does `benchmarks.bench`, and writes it

Each size is measured in a process of its own with one thread: CPU seconds, the growth of the memory that Python holds,
and how many nodes or operations there are. Twice as much should cost twice as much: the last lines say how many
times the cost of a node grows from the smallest size to the largest.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

import fxaudit

__all__ = ["KINDS", "measured", "rows", "table"]

SIZES = {"report.graph": (100, 1_000, 10_000), "fxaudit.trace": (100, 1_000, 10_000)}
"""Blocks of the model; a block is about ten nodes of the graph, and five operations of the trace."""
KINDS = tuple(SIZES)


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.tanh(x * self.scale)


def model_of(blocks: int) -> nn.Module:
    return nn.Sequential(*(Block() for _ in range(blocks)))


def measured(kind: str, blocks: int) -> dict[str, Any]:
    """One size, measured in this process."""
    torch.set_num_threads(1)
    model = model_of(blocks)
    if kind == "report.graph":
        report = _whole(model)

        def work() -> int:
            return int(report.graph.number_of_nodes())
    else:

        def work() -> int:
            return len(fxaudit.trace(model).ops)

    return {"kind": kind, "blocks": blocks, **_cost(work)}


def _whole(model: nn.Module) -> fxaudit.Report:
    """The report of one step, of which nothing is left out however large it is."""
    from fxaudit.judge import graph_data

    graph_data.MAX_GRAPH_OPS = 1_000_000
    return fxaudit.audit(model, lambda: model(torch.ones(2, 4)).sum(), prove=False)


def _cost(work: Callable[[], int]) -> dict[str, Any]:
    work()  # the first imports what it needs
    gc.collect()
    started = time.process_time()
    count = work()
    seconds = time.process_time() - started
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"count": count, "seconds": seconds, "bytes": peak}


def rows(only: str = "") -> list[dict[str, Any]]:
    """Every size of every kind, each in a process of its own."""
    found = []
    for kind, sizes in SIZES.items():
        for blocks in sizes if only in kind else ():
            child = subprocess.run(
                [sys.executable, "-m", "benchmarks.graph_cost", "--row", kind, str(blocks)],
                env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True, check=True,
            )  # fmt: skip
            found.append(json.loads(child.stdout))
    return found


def table(found: Sequence[dict[str, Any]]) -> str:
    """A line for each size, and how much dearer a node of the largest is than one of the smallest."""
    lines = [f"{'':16}{'blocks':>8}{'nodes':>9}{'seconds':>9}{'µs a node':>11}{'bytes a node':>14}"]
    for row in found:
        each, memory = 1e6 * row["seconds"] / row["count"], row["bytes"] / row["count"]
        lines.append(
            f"{row['kind']:16}{row['blocks']:>8,}{row['count']:>9,}{row['seconds']:>9.2f}{each:>11.1f}{memory:>14,.0f}"
        )
    for kind in dict.fromkeys(row["kind"] for row in found):
        own = [row["seconds"] / row["count"] for row in found if row["kind"] == kind]
        lines.append(f"{kind}: a node of the largest takes {own[-1] / own[0]:.2f} times that of the smallest")
    return "\n".join(lines)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--row", nargs=2, metavar=("KIND", "BLOCKS"), help="measure one size here, print it as JSON")
    asked = parser.parse_args()
    if asked.row:
        print(json.dumps(measured(asked.row[0], int(asked.row[1]))))
    else:
        print(table(rows()))


if __name__ == "__main__":
    main()
