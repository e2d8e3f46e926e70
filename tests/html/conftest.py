"""A page read back: its elements, its data, its policy."""

from __future__ import annotations

import json
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
        """The table's data."""
        (script,) = [e for e in self.all("script") if e.attributes.get("type") == "application/json"]
        loaded: dict[str, Any] = json.loads(script.text)
        return loaded


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
