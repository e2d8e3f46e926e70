"""The card for sharing."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fxaudit.errors import UnknownFormatError
from fxaudit.renderers.picture.raster import bitmap
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


def test_a_film_is_legible_on_a_card_and_its_fatal_part_is_kept(tmp_path: Path) -> None:
    order = [(kind, 10 + n) for n, kind in enumerate(("backward", "clip") * 6)]
    made = in_the_loop(*order, ("zero_grad", 30), ("step", 31), culprit=30)
    others = tuple(replace(made.optimizers[0], name=f"other{n}") for n in range(3))
    card = replace(made, optimizers=(*made.optimizers, *others)).card(tmp_path / "card.svg")
    root = ElementTree.parse(tmp_path / "card.svg").getroot()
    assert not list(root.iterfind("{http://www.w3.org/2000/svg}svg")), "what is scaled is as small as it happens to be"
    sizes = [float(e.get("font-size", "0")) for e in root.iter("{http://www.w3.org/2000/svg}text")]
    assert min(sizes) >= 15
    said = texts(card)
    assert "✗ clear" in said and said[said.index("✗ clear") + 2] == "step" and "other0" not in said
    assert 2 <= sum(word in ("backward", "clip") for word in said) <= 6


def test_of_what_no_optimizer_holds_the_card_shows_a_step_that_passes_it_by(tmp_path: Path) -> None:
    made = in_the_loop(("zero_grad", 10), ("backward", 12), ("step", 15), code="FXA301")
    excluded = {name: replace(p, held_by=(), verdict="excluded") for name, p in made.parameters.items()}
    said = texts(replace(made, parameters=excluded).card(tmp_path / "card.svg"))
    assert said[said.index("opt") :][:-1] == [
        "opt",
        *("train.py:10", "clear", ":12", "backward", ":15", "step"),
        *("no optimizer", "a.weight and b.weight: no step changes it"),
    ]


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


@pytest.mark.parametrize(
    "make",
    [
        sample_reports.broken,
        sample_reports.healthy,
        sample_reports.hostile,
        lambda: in_the_loop(("backward", 12), ("zero_grad", 14), ("step", 15), culprit=14),
    ],
)
def test_as_a_bitmap_it_is_as_large(make: Callable[[], Report], tmp_path: Path) -> None:
    data = make().card(tmp_path / "card.png").read_bytes()
    assert data.startswith(b"\x89PNG") and struct.unpack(">II", data[16:24]) == (1200, 630)


def test_what_is_drawn_red_is_red_in_the_bitmap_and_stands_where_it_stands_in_the_drawing() -> None:
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">'
        '<rect x="30" y="10" width="10" height="10" fill="#ff0000" stroke="none"/></svg>'
    )
    pixels = rows_of(bitmap(drawing))
    assert pixels[15][35] == (255, 0, 0) and pixels[5][35] == pixels[15][5] == (255, 255, 255)


def rows_of(png: bytes) -> list[list[tuple[int, ...]]]:
    """The pixels of a PNG of 8 bits a channel that is not interlaced."""
    width, height, _, kind = struct.unpack(">IIBB", png[16:26])
    size = {2: 3, 6: 4}[kind]
    data, place = b"", 8
    while place < len(png):
        length, name = struct.unpack(">I4s", png[place : place + 8])
        data += png[place + 8 : place + 8 + length] if name == b"IDAT" else b""
        place += 12 + length
    raw, before = zlib.decompress(data), bytes(width * size)
    found = []
    for row in range(height):
        begin = row * (width * size + 1)
        line = bytearray(raw[begin + 1 : begin + 1 + width * size])
        for n, value in enumerate(line):
            left, up, corner = (line[n - size], before[n], before[n - size]) if n >= size else (0, before[n], 0)
            guess = left + up - corner
            near = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
            line[n] = (value + (0, left, up, (left + up) // 2, near)[raw[begin]]) % 256
        before = bytes(line)
        found.append([tuple(line[n : n + 3]) for n in range(0, len(line), size)])
    return found


def test_other_suffixes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormatError, match=r"written as .svg or .png"):
        replace(sample_reports.healthy()).card(tmp_path / "card.pdf")
