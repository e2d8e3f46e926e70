"""What an audit costs: (audit of a model) / (one plain forward and backward of it), same process, median of several.

Prints one line for each model. Ratios only: wall-clock times depend on the machine.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import nn

import fxaudit


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
    """Twelve layers of width 512 on 4 × 128 tokens."""
    return nn.Sequential(*(Block(512, 8) for _ in range(12))), torch.randn(4, 128, 512)


class Bottleneck(nn.Module):
    """The residual block of a ResNet-50."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = 4 * width
        self.body = nn.Sequential(
            nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs),
        )  # fmt: skip
        self.skip = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.skip = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.body(x) + self.skip(x))


def resnet(side: int) -> tuple[nn.Module, torch.Tensor]:
    """The layout of a ResNet-50 on 4 images of `side` × `side`.

    Small images do little computation for the 200 MB of parameters and gradients that an audit has to put aside.
    """
    layers: list[nn.Module] = [
        nn.Conv2d(3, 64, 7, 2, 3, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
    ]
    inputs = 64
    for width, count, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for index in range(count):
            layers.append(Bottleneck(inputs, width, stride if index == 0 else 1))
            inputs = 4 * width
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 1000)]
    return nn.Sequential(*layers), torch.randn(4, 3, side, side)


def mlp() -> tuple[nn.Module, torch.Tensor]:
    """Three layers of width 512 on a batch of 256."""
    return nn.Sequential(
        nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
    ), torch.randn(256, 512)


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio(make: Callable[[], tuple[nn.Module, torch.Tensor]], rounds: int) -> tuple[float, float]:
    """(audit / plain step, and the plain step in milliseconds), medians over `rounds` alternating measurements."""
    torch.manual_seed(0)
    model, x = make()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loss() -> torch.Tensor:
        return model(x).square().mean()

    def plain() -> None:
        model.zero_grad()
        loss().backward()

    plain()
    fxaudit.audit(model, loss, optimizer)
    times = [(seconds(plain), seconds(lambda: fxaudit.audit(model, loss, optimizer))) for _ in range(rounds)]
    step = statistics.median(t for t, _ in times)
    return statistics.median(a for _, a in times) / step, 1000 * step


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    subjects: tuple[tuple[str, Callable[[], tuple[nn.Module, torch.Tensor]]], ...] = (
        ("MLP, 3 layers", mlp),
        ("transformer, 12 layers", transformer),
        ("ResNet-50, 224 × 224", lambda: resnet(224)),
        ("ResNet-50, 128 × 128", lambda: resnet(128)),
    )
    for name, make in subjects:
        cost, step = ratio(make, rounds)
        print(f"{name:24} audit / (forward + backward) = {cost:.2f}   (plain step {step:.0f} ms)", flush=True)


if __name__ == "__main__":
    main()
