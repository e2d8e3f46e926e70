"""What watching a loop costs: (watched step) / (plain step), one process, plain and watched chunks of steps in turn.

Three figures for each model: a step while it is recorded, a step after the recorded ones (still inside of `watch`), and
what the report costs once, in steps. Then what is left in memory: live tensors and objects, before the watch, after its
recorded steps, and when it is gone. Ratios only: wall-clock times depend on the machine.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import nn

import fxaudit

RECORDED = 5


class Block(nn.Module):
    """A pre-norm transformer block."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.norm1(x)
        x = x + self.attention(h, h, h, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


def transformer() -> tuple[nn.Module, torch.Tensor]:
    """Twelve layers of width 256 on 4 × 64 tokens."""
    return nn.Sequential(*(Block(256, 4) for _ in range(12))), torch.randn(4, 64, 256)


def mlp() -> tuple[nn.Module, torch.Tensor]:
    """Three layers whose step takes less than a millisecond."""
    layers = [nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)]
    return nn.Sequential(*layers), torch.randn(32, 32)


@dataclass
class Times:
    """Seconds of single steps, and of the reports."""

    plain: list[float] = field(default_factory=list)
    recorded: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    report: list[float] = field(default_factory=list)


def timed(step: Callable[[], None]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def loop(make: Callable[[], tuple[nn.Module, torch.Tensor]]) -> tuple[nn.Module, torch.optim.Optimizer, Callable]:
    """A model with its optimizer and one step of its training."""
    torch.manual_seed(0)
    model, x = make()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)

    def step() -> None:
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()

    return model, optimizer, step


def measure(make: Callable[[], tuple[nn.Module, torch.Tensor]], rounds: int, chunk: int) -> Times:
    """Chunks of a loop that is never watched, and of one that is, in turn."""
    _, _, never_watched = loop(make)
    model, optimizer, step = loop(make)
    times = Times()
    for number in range(rounds + 1):
        plain = [timed(never_watched) for _ in range(chunk)]
        with fxaudit.watch(model, optimizer, steps=RECORDED) as watching:
            recorded = [timed(step) for _ in range(RECORDED)]
            after = [timed(step) for _ in range(chunk)]
        assert {parameter.verdict for parameter in watching.report} == {"trained"}
        if number:  # the first round warms up
            times.plain += plain
            times.recorded += recorded[1:-1]  # the first learns the model, the last makes the report
            times.after += after
            times.report.append(recorded[-1])
    return times


def live() -> tuple[int, int]:
    """(tensors, objects) that the garbage collector knows."""
    gc.collect()
    objects = gc.get_objects()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # looking at deprecated objects is no use of them
        return sum(isinstance(thing, torch.Tensor) for thing in objects), len(objects)


def memory(make: Callable[[], tuple[nn.Module, torch.Tensor]]) -> list[tuple[int, int]]:
    """What lives before a watch, after its recorded steps, and when watch and report are gone."""
    model, optimizer, step = loop(make)
    for _ in range(2):  # what torch and fxaudit learn once (imports, parsed files) is learned now
        with fxaudit.watch(model, optimizer, steps=RECORDED):
            for _ in range(RECORDED + 1):
                step()
    found = [live()]
    with fxaudit.watch(model, optimizer, steps=RECORDED) as watching:
        for _ in range(RECORDED + 1):
            step()
        found.append(live())
    del watching
    found.append(live())
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    print(f"{'':24}{'recorded':>10}{'after':>10}{'report':>12}{'plain step':>14}")
    for name, make, chunk in (("transformer, 12 layers", transformer, 15), ("MLP, 3 layers", mlp, 200)):
        times = measure(make, rounds, chunk)
        plain = statistics.median(times.plain)
        recorded, after, report = (
            statistics.median(part) / plain for part in (times.recorded, times.after, times.report)
        )
        print(f"{name:24}{recorded:>10.2f}{after:>10.3f}{report:>6.1f} steps{1000 * plain:>11.2f} ms", flush=True)
    print()
    print(f"{'':24}{'before':>20}{'after recording':>20}{'watch gone':>20}")
    for name, make in (("transformer, 12 layers", transformer), ("MLP, 3 layers", mlp)):
        cells = "".join(f"{f'{tensors} / {objects}':>20}" for tensors, objects in memory(make))
        print(f"{name:24}{cells}   (tensors / objects)", flush=True)


if __name__ == "__main__":
    main()
