"""Layout: pictures that draw themselves with the system's `dot`, or without it through `graphviz-pure`."""

from __future__ import annotations

import contextlib
import functools
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import graphviz

from fxaudit.errors import PictureError
from fxaudit.renderers.picture.palette import PLAIN_SYMBOLS
from fxaudit.renderers.picture.svg import styled, without_layout

__all__ = ["Key", "Picture", "embedded_graphviz", "lay_out"]


@dataclass(frozen=True, slots=True)
class Key:
    """An entry of a legend: what is explained (`verdict`, `arrow`, `box`, `group`) and which, its sign and meaning."""

    of: str
    name: str
    sign: str
    meaning: str
    color: str


_BITMAPS = ("png", "jpg", "jpeg", "gif", "webp")


class Picture(graphviz.Digraph):  # type: ignore[misc]
    """A `graphviz.Digraph` that needs no `dot` binary, and knows what its boxes stand for.

    `boxes` maps the id of a box in the SVG to the names of the parameters in it, `titles` to what it is called, and
    `closed`, where a page can open it, to the name of the module that it stands for; `drawn` counts the boxes;
    `caption` says what is shown and, where something is folded away, how to see it; `keys` is what its legend
    explains. `film` is the SVG that shows it better, where time matters and not the way.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.boxes: dict[str, tuple[str, ...]] = {}
        self.titles: dict[str, str] = {}
        self.closed: dict[str, str] = {}
        self.keys: Sequence[Key] = ()
        self.film = ""
        self.drawn = 0
        self.caption = ""

    def pipe(
        self,
        format: str | None = None,
        renderer: str | None = None,
        formatter: str | None = None,
        neato_no_op: bool | int | None = None,
        quiet: bool = True,
        *,
        engine: str | None = None,
        encoding: str | None = None,
    ) -> Any:
        """As `graphviz.Digraph.pipe`; falls back to `graphviz-pure` where no working `dot` is installed."""
        data = b""
        # Written in one go: a `dot` that dies before it has read everything leaves no pipe open (graphviz 0.21 does).
        with contextlib.suppress(graphviz.ExecutableNotFound, OSError):
            source = self.source.encode("utf-8")
            how = {"renderer": renderer, "formatter": formatter, "neato_no_op": neato_no_op, "quiet": quiet}
            data = graphviz.pipe(engine or self.engine, format or self.format, source, **how)
        data = data or _embedded(self.source, format or self.format)
        return data if encoding is None else data.decode(encoding)

    def render(self, filename: Any = None, *args: Any, **kwargs: Any) -> str:
        """As `graphviz.Digraph.render`; falls back to `graphviz-pure` where no `dot` is installed."""
        try:
            return str(super().render(filename, *args, **kwargs))
        except graphviz.ExecutableNotFound:
            return self._render_embedded(filename, *args, **kwargs)

    def _render_embedded(
        self,
        filename: Any = None,
        directory: Any = None,
        view: bool = False,
        cleanup: bool = False,
        format: str | None = None,
        *,
        outfile: Any = None,
        **_: object,
    ) -> str:
        if outfile is not None:
            target = Path(self.directory, outfile) if directory is None else Path(outfile)
            written = format or target.suffix.lstrip(".") or self.format
            source = Path(filename) if filename is not None else target.with_suffix(f".{self._default_extension}")
        else:
            source = Path(self.save(filename, directory=directory))
            written = format or self.format
            target = Path(f"{source}.{written}")
        target.write_bytes(_embedded(self.source, written))
        if cleanup:
            source.unlink(missing_ok=True)
        if view:
            self._view(str(target), format=written, quiet=True)
        return str(target)

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_image_svg_xml(self) -> str:
        return self.svg()

    def svg(self) -> str:
        """The picture as an SVG document that follows the reader's light or dark preference."""
        if self.film:
            return self.film
        try:
            raw = lay_out(self, "svg")
        except PictureError as error:
            return without_layout(str(error), self.source)
        return styled(raw.decode("utf-8"), self.caption)


def lay_out(picture: Picture, format: str) -> bytes:
    """`picture` in `format`, as Graphviz writes it.

    Raises:
        PictureError: There is neither a `dot` binary nor `graphviz-pure`, or it cannot write `format`.
    """
    try:
        data: bytes = picture.pipe(format)
    except graphviz.CalledProcessError as error:
        with contextlib.suppress(PictureError):  # a `dot` that died: the other one may live
            return _embedded(picture.source, format)
        text = error.stderr.decode("utf-8", "replace") if isinstance(error.stderr, bytes) else str(error.stderr)
        raise PictureError(f"Graphviz could not write {format}: {text.strip() or error}") from error
    return data


@functools.cache
def embedded_graphviz() -> str | None:
    """The path of the `graphviz-pure` command: beside this Python first, then on PATH. None where there is none."""
    name = "graphviz-pure.exe" if sys.platform == "win32" else "graphviz-pure"
    folders = [sysconfig.get_path("scripts"), str(Path(sys.executable).parent)]
    for folder in folders:
        if folder and (path := Path(folder, name)).is_file():
            return str(path)
    return shutil.which("graphviz-pure")


def _embedded(source: str, format: str, find: Callable[[], str | None] = embedded_graphviz) -> bytes:
    command = find()
    if command is None:
        raise PictureError(
            f"A {format} picture needs Graphviz: install it (`dot` must be on PATH) or `pip install graphviz-pure`."
        )
    if format in _BITMAPS:
        source = source.translate(PLAIN_SYMBOLS)
    done = subprocess.run([command, f"-T{format}"], input=source.encode("utf-8"), capture_output=True, check=False)
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip()
        raise PictureError(
            f"The embedded Graphviz cannot write {format} ({reason or f'exit code {done.returncode}'}); "
            "with a `dot` binary on PATH it works. SVG and PNG need none."
        )
    return done.stdout
