"""Handing a report to whatever keeps the trainer's logs: TensorBoard, Weights & Biases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fxaudit.report import Report

__all__ = ["hand_over"]

NAME = "fxaudit"


def hand_over(experiment: Any, report: Report, files: Sequence[Path], step: int) -> None:
    """Give the report, as the text and as the files that it takes, to the object that stands for the experiment.

    It is known by what it can do; one that takes neither text nor files gets nothing here, and has the figures.
    """
    if callable(getattr(experiment, "add_text", None)):  # TensorBoard's SummaryWriter
        experiment.add_text(NAME, _markdown(report), step)
        experiment.flush()
    elif callable(getattr(experiment, "log_artifact", None)) and hasattr(experiment, "config"):  # a run of wandb
        import wandb

        kept = wandb.Artifact(f"{NAME}-{experiment.id}", type="report")
        for file in files:
            kept.add_file(str(file))
        experiment.log_artifact(kept)
        pages = [file for file in files if file.suffix == ".html"]
        experiment.log({f"{NAME}/report": wandb.Html(str(page)) for page in pages[:1]}, commit=False)


def _markdown(report: Report) -> str:
    from fxaudit.renderers import render

    text = render(report, "markdown")
    return text if isinstance(text, str) else text.decode()
