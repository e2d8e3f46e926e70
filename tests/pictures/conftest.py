"""What the tests of the pictures look at: the DOT text, read back into boxes and arrows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from fxaudit.renderers.picture.engine import Picture, embedded_graphviz

_STATEMENT = re.compile(r"^\t*(?P<name>\"?[\w-]+\"?)(?: -> (?P<target>\"?[\w-]+\"?))? \[(?P<attributes>.*)\]$", re.M)
_ATTRIBUTE = re.compile(r"(\w+)=(<<.*?>>(?= \w+=|$)|\"(?:[^\"\\]|\\.)*\"|[^\s\"]+)")


@dataclass(frozen=True)
class Statement:
    """A box (`target` is empty) or an arrow."""

    name: str
    target: str
    attributes: dict[str, str]

    @property
    def text(self) -> str:
        """The label without its markup."""
        plain = re.sub(r"<[^>]*>", " ", self.attributes.get("label", "")[1:-1]).replace("&#160;", " ")
        return re.sub(r"\s+", " ", plain).strip()

    def has(self, name: str) -> bool:
        """Whether it is of class `name`."""
        return name in self.attributes.get("class", "").strip('"').split()


@dataclass(frozen=True)
class Drawn:
    """A picture's boxes and arrows, legend and invisible arrows left out."""

    boxes: dict[str, Statement]
    arrows: list[Statement]

    def box(self, text: str) -> Statement:
        """The one box whose label is `text`, else the one whose label contains it."""
        exact = [box for box in self.boxes.values() if text == box.text]
        found = exact or [box for box in self.boxes.values() if text in box.text]
        assert len(found) == 1, (text, [box.text for box in self.boxes.values()])
        return found[0]

    def between(self, source: str, target: str) -> list[Statement]:
        """The arrows from the box that says `source` to the one that says `target`."""
        ends = self.box(source).name, self.box(target).name
        return [arrow for arrow in self.arrows if (arrow.name, arrow.target) == ends]


@pytest.fixture
def read() -> Callable[[Picture], Drawn]:
    """Reads a picture's DOT text."""

    def reader(picture: Picture) -> Drawn:
        boxes, arrows = {}, []
        for match in _STATEMENT.finditer(picture.source):
            attributes = dict(_ATTRIBUTE.findall(match["attributes"]))
            if match["name"] in ("node", "edge", "graph", "legend") or attributes.get("style") == "invis":
                continue
            statement = Statement(match["name"], match["target"] or "", attributes)
            if statement.target:
                arrows.append(statement)
            else:
                boxes[statement.name] = statement
        return Drawn(boxes, arrows)

    return reader


@pytest.fixture
def no_dot(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """A machine without a `dot` binary; graphviz-pure stays."""
    assert embedded_graphviz() is not None
    monkeypatch.setenv("PATH", str(tmp_path))
