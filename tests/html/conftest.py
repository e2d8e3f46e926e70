"""A page read back: its elements, its data, its policy."""

from __future__ import annotations

import json
import string
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest

_VOID = frozenset({"meta", "link", "br", "img", "input", "hr"})


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Parsed(HTMLParser):
    """The page's elements in order, each with the text directly and indirectly inside it."""

    elements: list[Element] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1].tag == tag, f"</{tag}> closes {self._open[-1:]}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str, kind: str = "") -> list[Element]:
        """The elements of a tag, and of a class where one is given."""
        return [
            e for e in self.elements if e.tag == tag and (not kind or kind in e.attributes.get("class", "").split())
        ]

    @property
    def data(self) -> dict[str, Any]:
        """The table's data, as the page's script reads it."""
        (script,) = [e for e in self.all("script") if e.attributes.get("type") == "application/json"]
        return decoded(json.loads(script.text))


DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase + "-_"


def decoded(data: dict[str, Any]) -> dict[str, Any]:
    """`data` with its columns as rows, and its spans as pairs."""
    columns = [sizes(data[name]) for name in ("gradient", "change", "update")]
    rows = zip(names(data["names"]), whole(data["kind"]), *columns, strict=True)
    return {
        **data,
        "rows": [[name, *data["kinds"][kind], *measured] for name, kind, *measured in rows],
        "boxes": {box: spans(text) for box, text in data["boxes"].items()},
        "lines": [spans(text) for text in data.get("lines", ())],
    }


def whole(text: str) -> list[int]:
    width = int(text[1])
    step = width + 4 if text[0] == "*" else width
    pieces = [text[at : at + step] for at in range(2, len(text), step)]
    return [number(p[:width]) for p in pieces for _ in range(number(p[width:]) if text[0] == "*" else 1)]


def number(digits: str) -> int:
    found = 0
    for digit in digits:
        found = found * 64 + DIGITS.index(digit)
    return found


def sizes(column: dict[str, Any]) -> list[float | None]:
    def size(coded: int) -> float | None:
        power, rest = divmod(coded - 2, 900)
        return float(f"{100 + rest}e{power + column['low']}")

    return [size(coded) if coded > 1 else (None, 0.0)[coded] for coded in whole(column["column"])]


def names(columns: dict[str, Any]) -> list[str]:
    found = [""]
    for common, rest in zip(whole(columns["shared"]), whole(columns["rest"]), strict=True):
        found.append(found[-1][:common] + columns["texts"][rest])
    return found[1:]


def spans(text: str) -> list[list[int]]:
    end, found = 0, []
    for gap, length in zip(*map(whole, text.split(" ")), strict=True):
        found.append([end + gap, end + gap + length])
        end = found[-1][1]
    return found


def parsed(page: str) -> Parsed:
    """`page`, all of whose elements are closed in order."""
    parser = Parsed()
    parser.feed(page)
    parser.close()
    assert not parser._open
    return parser


@pytest.fixture
def parse() -> Any:
    """Reads a page."""
    return parsed
