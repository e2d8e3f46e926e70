"""An operation has one name, whatever form of it a program calls."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch
from torch import nn

import fxaudit
from fxaudit.capture.operations import SYNONYMS, plain_name

ALIAS = re.compile(r"Alias (?:for|of) :(?:func|meth):`~?torch\.(\w+)`")


def test_the_in_place_form_of_every_method_of_a_tensor_is_called_like_the_other() -> None:
    forms = [name for name in dir(torch.Tensor) if name.endswith("_") and not name.startswith("_")]
    pairs = [(name, name[:-1]) for name in forms if hasattr(torch.Tensor, name[:-1])]
    assert len(pairs) > 100
    assert [name for name, base in pairs if plain_name(name) != plain_name(base)] == []


def test_everything_that_torch_documents_as_an_alias_is_known() -> None:
    texts = {name: getattr(torch, name).__doc__ for name in dir(torch) if callable(getattr(torch, name))}
    documented = {
        name: found[1] for name, text in texts.items() if isinstance(text, str) and (found := ALIAS.search(text[:200]))
    }
    assert len(documented) > 8
    assert {name: base for name, base in documented.items() if plain_name(name) != plain_name(base)} == {}


@pytest.mark.parametrize("name", SYNONYMS)
def test_no_synonym_is_a_base_itself(name: str) -> None:
    assert SYNONYMS[name] not in SYNONYMS


def by_operator(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    return main + weight * aux


def in_place(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    aux *= weight
    return main + aux


def by_a_synonym(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    return main + torch.multiply(aux, weight)


def by_a_synonym_in_place(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    return main + aux.multiply_(weight)


def as_alpha(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    return torch.add(main, aux, alpha=weight)


def as_alpha_of_a_difference(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    return main.sub(aux, alpha=weight)


def as_a_share(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    return torch.lerp(main, aux, weight)


def as_a_value(main: torch.Tensor, aux: torch.Tensor, weight: float) -> torch.Tensor:
    return torch.addcmul(main, aux, torch.ones(()), value=weight)


@pytest.mark.parametrize(
    "mix",
    [
        by_operator,
        in_place,
        by_a_synonym,
        by_a_synonym_in_place,
        as_alpha,
        as_alpha_of_a_difference,
        as_a_share,
        as_a_value,
    ],
)
def test_a_term_that_is_scaled_by_0_is_told_in_the_same_words(
    mix: Callable[[torch.Tensor, torch.Tensor, float], torch.Tensor],
) -> None:
    torch.manual_seed(0)
    body, head, x = nn.Linear(4, 1), nn.Linear(4, 1), torch.randn(8, 4)
    optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)

    def loss() -> torch.Tensor:
        weight = 0.0
        return mix(body(x).square().mean(), head(x).mean(), weight)

    report = fxaudit.audit({"body": body, "head": head}, loss, optimizer, prove=False)
    finding = report["head.weight"].findings[0]
    assert finding.code == "FXA501"
    assert finding.fact == "it is multiplied by 0"
    assert finding.culprit is not None and finding.culprit.code == "weight = 0.0"
    assert report["body.weight"].verdict == "trained"
