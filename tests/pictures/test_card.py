"""The card for sharing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fxaudit.errors import UnknownFormatError
from fxaudit.report import Report
from tests import sample_reports
from tests.pictures.test_film import report as in_the_loop


def texts(path: Path) -> list[str]:
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    assert (root.get("width"), root.get("height")) == ("1200", "630")
    return [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]


def test_it_says_the_verdict_the_line_and_where_gradient_ends(tmp_path: Path) -> None:
    said = texts(sample_reports.broken().card(tmp_path / "card.svg"))
    assert " ".join(said).startswith("train.py 6 of 9 parameters, 8.97 k of 19.5 k elements, will not be updated")
    assert "model.py:14 in Net.forward" in said and "h = self.encoder(x).detach()" in said
    cut = said.index("✂")
    assert said[cut - 2 : cut] == ["encoder.*", "linear"] and said[cut + 1] == "detach" and said[-2].startswith("cross")


def test_of_a_cause_in_the_loop_it_has_the_film(tmp_path: Path) -> None:
    made = in_the_loop(("backward", 12), ("zero_grad", 14), ("step", 15), culprit=14)
    assert {"backward", "✗ clear", "step", "right order"} <= set(texts(made.card(tmp_path / "card.svg")))


@pytest.mark.parametrize(
    "make",
    [sample_reports.healthy, sample_reports.hostile, sample_reports.every_verdict, lambda: Report(audited=False)],
)
def test_every_report_has_a_card_that_ends_within_its_frame(make: object, tmp_path: Path) -> None:
    made = make()  # type: ignore[operator]
    assert texts(made.card(tmp_path / "card.svg"))
    root = ElementTree.parse(tmp_path / "card.svg").getroot()
    for element in root:
        if element.get("y") is not None:
            assert float(element.get("y", 0)) <= 630 and float(element.get("x", 0)) <= 1200


def test_other_suffixes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormatError, match="written as SVG"):
        replace(sample_reports.healthy()).card(tmp_path / "card.png")
