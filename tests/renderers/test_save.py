from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from fxaudit import renderers
from fxaudit.errors import FxauditError, UnknownFormatError, UnwritableOutputError
from fxaudit.renderers import RENDERERS, Renderer, format_of, render, save
from fxaudit.report import Report

TEXT_FORMS = {".txt": "train.py:", ".md": "### fxaudit", ".json": "{", ".sarif": "{", ".xml": "<?xml"}


@pytest.mark.parametrize("suffix", TEXT_FORMS)
def test_the_suffix_picks_the_form(suffix: str, reports: dict[str, Report], tmp_path: Path) -> None:
    path = tmp_path / f"report{suffix}"
    assert save(reports["detached"], path) == path
    assert path.read_text("utf-8").startswith(TEXT_FORMS[suffix])
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("name", "form"),
    [("x.HTML", "html"), ("a.b.htm", "html"), ("x.sarif.json", "sarif"), ("x.json", "json"), ("x.svg", "svg")],
)
def test_a_suffix_is_read_whatever_its_case_and_the_longest_counts(name: str, form: str) -> None:
    assert format_of(name) == form


def test_every_form_has_one_name_and_no_suffix_twice() -> None:
    assert len({renderer.name for renderer in RENDERERS}) == len(RENDERERS)
    suffixes = [suffix for renderer in RENDERERS for suffix in renderer.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    assert {".html", ".md", ".json", ".sarif", ".xml", ".svg", ".dot", ".png", ".pdf", ".txt"} <= set(suffixes)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("report.docx", "No report format fits 'report.docx': its suffix is '.docx'; the suffixes are .txt .html"),
        ("report", "No report format fits 'report': it has no suffix; the suffixes are .txt .html"),
        (".html", "No report format fits '.html': it has no suffix"),
    ],
)
def test_an_unknown_suffix_is_refused_with_the_known_ones(name: str, said: str) -> None:
    with pytest.raises(UnknownFormatError) as caught:
        save(Report(), name)
    assert str(caught.value).startswith(said)
    assert not Path(name).exists()


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownFormatError, match="called 'yaml'; the formats are terminal, html, markdown, json"):
        render(Report(), "yaml")


def test_a_missing_directory_is_named_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(UnwritableOutputError, match=r"there is no directory '.*nowhere'\. Create it first\."):
        save(Report(), tmp_path / "nowhere" / "report.md")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "report.md").mkdir()
    with pytest.raises(UnwritableOutputError, match="that is a directory"):
        save(Report(), tmp_path / "report.md")
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.md"]


def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.md"
    path.write_text("old")

    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UnwritableOutputError, match=r"No space left on device\. Name a file that you may write"):
        save(Report(), path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.md"]


def test_a_form_that_cannot_be_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(report: Report) -> str:
        raise FxauditError("no picture today")

    monkeypatch.setattr(renderers, "RENDERERS", (Renderer("broken", (".broken",), broken),))
    with pytest.raises(FxauditError, match="no picture today"):
        save(Report(), tmp_path / "report.broken")
    assert list(tmp_path.iterdir()) == []


def test_bytes_are_written_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderers, "RENDERERS", (Renderer("raw", (".raw",), lambda report: b"\x89PNG\r\n"),))
    assert save(Report(), tmp_path / "x.raw").read_bytes() == b"\x89PNG\r\n"


def test_through_a_link_the_file_it_points_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "link.md").symlink_to(tmp_path / "real.md")
    save(Report(), tmp_path / "link.md")
    assert (tmp_path / "link.md").is_symlink()
    assert (tmp_path / "real.md").read_text().startswith("### fxaudit")


def test_names_that_have_no_encoding_are_written_and_read_back(reports: dict[str, Report], tmp_path: Path) -> None:
    for suffix in TEXT_FORMS:
        save(reports["hostile"], tmp_path / f"report{suffix}")
    assert Report.from_json((tmp_path / "report.json").read_text("utf-8")) == reports["hostile"]


def test_the_text_forms_need_no_torch_and_no_picture(
    reports: dict[str, Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("torch", "graphviz", "jinja2", "networkx"):
        monkeypatch.setitem(sys.modules, name, ModuleType(f"no {name}"))
    for form in ("terminal", "markdown", "json", "sarif", "junit", "github"):
        assert render(reports["many"], form)
