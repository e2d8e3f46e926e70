"""The forms of a report. Each renderer is a function of the report alone; this module alone writes files.

A renderer is imported when its form is asked for, so a terminal report costs neither jinja2 nor Graphviz.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from fxaudit.attempts import STRICT, described
from fxaudit.errors import FxauditError, RenderingError, UnknownFormatError, UnwritableOutputError

if TYPE_CHECKING:
    from fxaudit.answer.answer import Answer

__all__ = ["RENDERERS", "Renderer", "format_of", "render", "save", "save_card", "write_whole"]


@dataclass(frozen=True, slots=True)
class Renderer:
    """A form of the report: its name, the file suffixes that ask for it, and the function that makes it."""

    name: str
    suffixes: tuple[str, ...]
    render: Callable[[Answer], str | bytes]


def _terminal(report: Answer) -> str:
    from fxaudit.renderers.text.terminal import render

    return render(report, width=100)


def _html(report: Answer) -> str:
    from fxaudit.renderers.html.markup import render

    return render(report)


def _markdown(report: Answer) -> str:
    from fxaudit.renderers.text.markdown import render

    return render(report)


def _json(report: Answer) -> str:
    from fxaudit.renderers.data.jsonfile import render

    return render(report)


def _sarif(report: Answer) -> str:
    from fxaudit.renderers.data.sarif import render

    return render(report)


def _junit(report: Answer) -> str:
    from fxaudit.renderers.data.junit import render

    return render(report)


def _github(report: Answer) -> str:
    from fxaudit.renderers.text.github import render

    return render(report)


def _brief(report: Answer) -> str:
    from fxaudit.renderers.text.brief import render

    return render(report)


def _patch(report: Answer) -> str:
    from fxaudit.renderers.data.patchfile import render

    return render(report)


def _svg(report: Answer) -> str:
    from fxaudit.renderers.picture.draw import svg

    return svg(report)


def _dot(report: Answer) -> str:
    from fxaudit.renderers.picture.draw import dot

    return dot(report)


def _png(report: Answer) -> bytes:
    from fxaudit.renderers.picture.draw import png

    return png(report)


def _pdf(report: Answer) -> bytes:
    from fxaudit.renderers.picture.draw import pdf

    return pdf(report)


RENDERERS: tuple[Renderer, ...] = (
    Renderer("terminal", (".txt",), _terminal),
    Renderer("html", (".html", ".htm"), _html),
    Renderer("markdown", (".md",), _markdown),
    Renderer("json", (".json",), _json),
    Renderer("sarif", (".sarif", ".sarif.json"), _sarif),
    Renderer("junit", (".xml",), _junit),
    Renderer("github", (), _github),
    Renderer("brief", (), _brief),
    Renderer("patch", (".patch", ".diff"), _patch),
    Renderer("svg", (".svg",), _svg),
    Renderer("dot", (".dot",), _dot),
    Renderer("png", (".png",), _png),
    Renderer("pdf", (".pdf",), _pdf),
)


def render(report: Answer, format: str) -> str | bytes:
    """The report in one form, by its name: text, or bytes for the raster and page pictures.

    Raises:
        UnknownFormatError: No renderer has that name.
        PictureError: The picture cannot be drawn with the Graphviz there is.
        RenderingError: The renderer failed; the other forms are as good as ever.
    """
    for renderer in RENDERERS:
        if renderer.name == format:
            return _rendered(renderer, report)
    known = ", ".join(renderer.name for renderer in RENDERERS)
    raise UnknownFormatError(f"No report format is called {format!r}; the formats are {known}.")


def _rendered(renderer: Renderer, report: Answer) -> str | bytes:
    try:
        return renderer.render(report)
    except FxauditError:
        raise
    except Exception as error:
        if os.environ.get(STRICT):
            raise
        raise RenderingError(
            f"The report could not be made as {renderer.name}, because fxaudit itself failed there "
            f"({described(error)}). Another format shows it; `-o report.json` keeps all of it."
        ) from error


def format_of(path: str | os.PathLike[str]) -> str:
    """The name of the format that the suffix of `path` asks for.

    Raises:
        UnknownFormatError: The suffix asks for none.

    Example:
        >>> format_of("reports/audit.sarif")
        'sarif'
    """
    name = os.path.basename(os.fspath(path)).lower()
    fitting = [(suffix, r.name) for r in RENDERERS for suffix in r.suffixes if name.endswith(suffix) and name != suffix]
    if fitting:
        return max(fitting, key=lambda pair: len(pair[0]))[1]
    suffix = Path(name).suffix
    given = f"its suffix is {suffix!r}" if suffix else "it has no suffix"
    known = " ".join(suffix for renderer in RENDERERS for suffix in renderer.suffixes)
    raise UnknownFormatError(f"No report format fits {os.fspath(path)!r}: {given}; the suffixes are {known}.")


def save(report: Answer, path: str | os.PathLike[str]) -> Path:
    """Write the report to `path` in the form that the suffix asks for; the file appears whole or not at all.

    Returns:
        The path written.

    Raises:
        UnknownFormatError: The suffix names no format.
        UnwritableOutputError: The file cannot be written; what was there before is still there.
    """
    return write_whole(path, render(report, format_of(path)))


def save_card(report: Answer, path: str | os.PathLike[str]) -> Path:
    """Write the report's card, a picture for sharing, to `path`, an SVG or a PNG file.

    Raises:
        UnknownFormatError: The suffix is another one.
        PictureError: No Graphviz on this machine can write a PNG.
        UnwritableOutputError: The file cannot be written.
    """
    from fxaudit.renderers.picture.card import card

    suffix = os.path.splitext(os.fspath(path))[1].lower()
    if suffix not in (".svg", ".png"):
        raise UnknownFormatError(f"A card is written as .svg or .png, not as {os.fspath(path)!r}.")
    if suffix == ".svg":
        return write_whole(path, card(report))
    from fxaudit.renderers.picture.raster import bitmap

    return write_whole(path, bitmap(card(report)))


def write_whole(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Write `content` to `path`: a regular file appears whole or not at all, and is reached through symbolic links.

    What is no regular file (a FIFO, a terminal, `/dev/stdout`) is written into, not replaced.

    Raises:
        UnwritableOutputError: It cannot be written; a file that was there before is still there.
    """
    # A lone surrogate (a file name that is not UTF-8) has no encoding; written as an escape it even stays valid JSON.
    data = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
    # Through a symbolic link the file it points to is written, not the link.
    target = Path(os.path.realpath(path))
    unfinished = target.with_name(f".fxaudit-{secrets.token_hex(6)}.part")
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            with target.open("wb", buffering=0) as stream:
                _write_all(stream, data)
            return Path(path)
        with unfinished.open("xb") as file:
            file.write(data)
        os.replace(unfinished, target)
    except OSError as error:
        raise UnwritableOutputError(_unwritable(path, target, error)) from error
    finally:
        with suppress(OSError):
            unfinished.unlink()
    return Path(path)


def _write_all(stream: IO[bytes], data: bytes) -> None:
    """Write all of `data`, of which a pipe takes a part at a time."""
    left = memoryview(data)
    while left:
        left = left[stream.write(left) :]


def _unwritable(path: str | os.PathLike[str], target: Path, error: OSError) -> str:
    what = f"The report cannot be written to {os.fspath(path)!r}"
    if target.is_dir():
        return f"{what}: that is a directory. Name a file in it."
    if not target.parent.is_dir():
        return f"{what}: there is no directory {os.path.dirname(os.fspath(path)) or '.'!r}. Create it first."
    return f"{what}: {error.strerror or error}. Name a file that you may write."
