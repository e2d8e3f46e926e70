"""Which parameters get rounding noise alone for a gradient: mathematically it is zero, and no edit can train them."""

from __future__ import annotations

from fxaudit.answer.answer import Answer

__all__ = ["noise_only"]


def noise_only(answer: Answer) -> set[str]:
    """Their names: a bias before a normalisation, a key bias under softmax."""
    return {name for finding in answer.findings if finding.name == "rounding-noise" for name in finding.parameters}
