"""The line that switched gradients off is named, however regions are nested, left and decorated: one cause."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn

import fxaudit


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.norm(self.first(x)))


def renamed(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return inner


def plain(encoder: Encoder, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():  # guilty
        return encoder(x)


def enabled_within(encoder: Encoder, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():  # guilty
        with torch.enable_grad():
            torch.ones(1).add(1)
        return encoder(x)


def not_inference_within(encoder: Encoder, x: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():  # guilty
        with torch.inference_mode(False):
            torch.ones(1).add(1)
        return encoder(x)


def twice_within(encoder: Encoder, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():  # guilty
        with torch.enable_grad(), torch.no_grad(), torch.inference_mode(False):
            torch.ones(1).add(1)
        with torch.no_grad():
            torch.ones(1).add(1)
        return encoder(x)


def left_by_an_exception(encoder: Encoder, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():  # guilty
        with contextlib.suppress(ValueError), torch.enable_grad():
            raise ValueError
        return encoder(x)


def switched(encoder: Encoder, x: torch.Tensor) -> torch.Tensor:
    torch.set_grad_enabled(False)  # guilty
    h = encoder(x)
    torch.set_grad_enabled(True)
    return h


def switched_in_a_block(encoder: Encoder, x: torch.Tensor) -> torch.Tensor:
    with torch.set_grad_enabled(mode=False):  # guilty
        with torch.set_grad_enabled(True):
            torch.ones(1).add(1)
        return encoder(x)


def left_in_another_order(encoder: Encoder, x: torch.Tensor) -> torch.Tensor:
    one, other = torch.no_grad(), torch.enable_grad()
    one.__enter__()  # guilty
    other.__enter__()
    one.__exit__(None, None, None)
    other.__exit__(None, None, None)
    h = encoder(x)
    torch.set_grad_enabled(True)
    return h


@torch.no_grad()  # guilty
def decorated(encoder: Encoder, x: torch.Tensor) -> torch.Tensor:
    return encoder(x)


@torch.inference_mode()  # guilty
@renamed
def decorated_twice(encoder: Encoder, x: torch.Tensor) -> torch.Tensor:
    return encoder(x)


@torch.set_grad_enabled(False)  # guilty
def decorated_by_a_switch(encoder: Encoder, x: torch.Tensor) -> torch.Tensor:
    return encoder(x)


@torch.inference_mode(False)
def where(encoder: Encoder) -> torch.device:
    return encoder.first.weight.device


@torch.inference_mode()  # guilty
def decorated_and_called_within(encoder: Encoder, x: torch.Tensor) -> torch.Tensor:
    where(encoder)
    return encoder(x)


@torch.no_grad()  # guilty
def layers(encoder: Encoder, x: torch.Tensor) -> Iterator[torch.Tensor]:
    for layer in (encoder.first, encoder.norm, encoder.last):
        x = layer(x)
        yield x


def decorated_generator(encoder: Encoder, x: torch.Tensor) -> torch.Tensor:
    return list(layers(encoder, x))[-1]


WAYS = [
    plain,
    enabled_within,
    not_inference_within,
    twice_within,
    left_by_an_exception,
    switched,
    switched_in_a_block,
    left_in_another_order,
    decorated,
    decorated_twice,
    decorated_by_a_switch,
    decorated_and_called_within,
    decorated_generator,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_switched_gradients_off_is_the_one_cause(way: Callable[[Encoder, torch.Tensor], torch.Tensor]) -> None:
    torch.manual_seed(0)
    encoder, head = Encoder(), nn.Linear(4, 1)
    optimizer = torch.optim.SGD([*encoder.parameters(), *head.parameters()], lr=0.1)
    with fxaudit.watch() as watch:
        for _ in range(3):
            optimizer.zero_grad()
            head(way(encoder, torch.randn(8, 4)).clone()).square().mean().backward()
            optimizer.step()
    loud = [finding for finding in watch.report.findings if finding.level != "note"]
    assert [finding.code for finding in loud] == ["FXA105"], [str(f.culprit) for f in loud]
    assert loud[0].culprit is not None
    assert loud[0].culprit.code.endswith("# guilty"), loud[0].culprit.code
    assert len(loud[0].parameters) == 6


def test_after_every_region_gradients_flow_and_nothing_is_said() -> None:
    encoder, x = Encoder(), torch.randn(8, 4)
    optimizer = torch.optim.SGD(encoder.parameters(), lr=0.1)
    with fxaudit.watch() as watch:
        for _ in range(3):
            for way in WAYS:
                way(encoder, x)
            optimizer.zero_grad()
            encoder(x).square().mean().backward()
            optimizer.step()
    assert set(watch.report.verdicts()) == {"trained"}
    assert [finding for finding in watch.report.findings if finding.level != "note"] == []
