"""What fxaudit costs, in one table: (with fxaudit) / (without), by model; CPU and wall time, and peak memory.

Each row is measured in a process of its own with one thread: what is plain and what is audited or recorded in turn, so
that both meet the same machine. `min` is the least of the audited over the least of the plain, `median` the middle of
the pairs. Then what a node of `report.graph` and an operation of `fxaudit.trace` cost, from small models to large ones
(`benchmarks/graph_cost.py`). Writes `reports/bench/bench.json` and `reports/bench/bench.svg`;
`benchmarks/bench_compare.py` compares two such files.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

import fxaudit
from benchmarks import graph_cost
from benchmarks.audit_cost import Block, resnet
from benchmarks.bench_plot import plot

Made = tuple[nn.Module, torch.Tensor]
Pair = tuple[tuple[float, float], tuple[float, float]]
"""(CPU, wall) seconds of what is plain, and of what fxaudit looks at."""

REPORTS = Path(__file__).resolve().parent.parent / "reports"
RECORDED = 6


class Residual(nn.Module):
    """A small block: many of them are a deep model of little computation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(width), nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.relu(self.linear(self.norm(x)))


def mlp() -> Made:
    layers = [nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)]
    return nn.Sequential(*layers), torch.randn(256, 64)


def blocks(count: int) -> Made:
    return nn.Sequential(*(Residual(8) for _ in range(count))), torch.randn(4, 8)


def transformer(layers: int, width: int, tokens: int) -> Made:
    return nn.Sequential(*(Block(width, width // 64) for _ in range(layers))), torch.randn(4, tokens, width)


MODELS: dict[str, tuple[Callable[[], Made], int]] = {
    "MLP, 3 layers of 64": (mlp, 40),
    "1,000 blocks of width 8": (lambda: blocks(1000), 5),
    "5,000 blocks of width 8": (lambda: blocks(5000), 1),
    "transformer, 12 layers of 256": (lambda: transformer(12, 256, 64), 7),
    "transformer, 32 layers of 256": (lambda: transformer(32, 256, 64), 5),
    "BERT-like, 12 layers of 768": (lambda: transformer(12, 768, 128), 3),
    "ResNet-50, 128 × 128": (lambda: resnet(128), 3),
    "ResNet-50, 224 × 224": (lambda: resnet(224), 3),
}
"""What is audited, and how often."""
LOOPS: dict[str, tuple[Callable[[], Made], int]] = {
    "MLP, 3 layers of 64": (mlp, 12),
    "transformer, 12 layers of 256": (lambda: transformer(12, 256, 64), 5),
}
"""What is trained in a loop that is watched, and how often."""
ROWS = [
    *(("audit", name) for name in MODELS),
    *((what, name) for what in ("recorded step", "step afterwards") for name in LOOPS),
]


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """(CPU, wall) seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def peak() -> float:
    """The most memory that this process has had so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def audited(name: str) -> tuple[list[Pair], tuple[float, float]]:
    """One forward and backward, and an audit of it, in turn; and the peaks of memory before and after the audits."""
    make, rounds = MODELS[name]
    model, x = make()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loss() -> torch.Tensor:
        return model(x).square().mean()

    def plain() -> None:
        model.zero_grad()
        loss().backward()

    plain(), plain()
    before = peak()
    fxaudit.audit(model, loss, optimizer)
    pairs = [(timed(plain), timed(lambda: fxaudit.audit(model, loss, optimizer))) for _ in range(rounds)]
    return pairs, (before, peak())


def trained(name: str, *, afterwards: bool) -> tuple[list[Pair], tuple[float, float]]:
    """Steps of a loop that nobody watches, and of one that is watched: recorded, or after the recorded ones."""
    make, rounds = LOOPS[name]
    _, _, plain = _loop(make)
    model, optimizer, step = _loop(make)
    plain(), plain(), step()
    before = peak()
    pairs: list[Pair] = []
    for number in range(rounds + 1):
        chunk = [timed(plain) for _ in range(RECORDED)]
        with fxaudit.watch(model, optimizer, steps=RECORDED + 2):
            step()
            recorded = [timed(step) for _ in range(RECORDED)]
            step()
            looked_at = [timed(step) for _ in range(RECORDED)] if afterwards else recorded
        if number:  # the first round warms up
            pairs += zip(chunk, looked_at, strict=True)
    return pairs, (before, peak())


def _loop(make: Callable[[], Made]) -> tuple[nn.Module, torch.optim.Optimizer, Callable[[], None]]:
    torch.manual_seed(0)
    model, x = make()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)

    def step() -> None:
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()

    return model, optimizer, step


def measured(what: str, name: str) -> dict[str, Any]:
    """One row, measured in this process."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    pairs, (plain, looked_at) = audited(name) if what == "audit" else trained(name, afterwards="after" in what)
    row: dict[str, Any] = {"what": what, "model": name}
    for position, clock in enumerate(("cpu", "wall")):
        one, other = ([part[position] for part in side] for side in zip(*pairs, strict=True))
        row[clock] = {
            "min": min(other) / min(one),
            "median": statistics.median(b / a for a, b in zip(one, other, strict=True)),
        }
        row[f"plain_{clock}_ms"] = 1000 * min(one)
    row["peak_mib"] = {"plain": plain, "with": looked_at}
    return row


def apart(what: str, name: str) -> dict[str, Any]:
    """The same in a process of its own."""
    child = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench", "--row", what, name],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(child.stdout)
    return found


HEAD = f"{'':16}{'':32}{'CPU min':>9}{'median':>9}{'wall min':>10}{'median':>9}{'plain':>12}{'peak':>10}{'with':>10}"


def line(row: dict[str, Any]) -> str:
    """A row of the table."""
    cpu, wall, memory = row["cpu"], row["wall"], row["peak_mib"]
    return (
        f"{row['what']:16}{row['model']:32}{cpu['min']:>9.2f}{cpu['median']:>9.2f}{wall['min']:>10.2f}"
        f"{wall['median']:>9.2f}{row['plain_cpu_ms']:>9.2f} ms{memory['plain']:>6.0f} MiB{memory['with']:>6.0f} MiB"
    )


def write(rows: list[dict[str, Any]], file: Path, sizes: list[dict[str, Any]] | None = None) -> None:
    """The rows as JSON, and as a picture beside it."""
    versions = {"fxaudit": fxaudit.__version__, "torch": torch.__version__, "python": platform.python_version()}
    text = json.dumps({"versions": versions, "rows": rows, "sizes": sizes or []}, indent=1, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")
    file.with_suffix(".svg").write_text(plot(rows), encoding="utf-8")


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--row", nargs=2, metavar=("WHAT", "MODEL"), help="measure one row here, and print it as JSON")
    parser.add_argument("--only", default="", help="only the rows whose model or kind holds this text")
    parser.add_argument("-o", "--output", type=Path, default=REPORTS / "bench" / "bench.json")
    asked = parser.parse_args()
    if asked.row:
        print(json.dumps(measured(*asked.row)))
        return
    print(HEAD, flush=True)
    rows = []
    for what, name in ROWS:
        if asked.only in f"{what} {name}":
            rows.append(apart(what, name))
            print(line(rows[-1]), flush=True)
            write(rows, asked.output)  # after each row: the rest may take too long
    sizes = [row for kind in graph_cost.KINDS if asked.only in kind for row in graph_cost.rows(kind)]
    if sizes:
        print(f"\n{graph_cost.table(sizes)}", flush=True)
        write(rows, asked.output, sizes)


if __name__ == "__main__":
    main()
