"""Hooks of mkdocs: what pages link to outside of docs/ goes along into the site, or is named without a link.

Pages link to `../reports` and `../examples` as they lie in the repository, so that they read well there, too.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.write_rule_pages import FAMILIES, by_code

if TYPE_CHECKING:
    from mkdocs.structure.files import Files

__all__ = ["inside", "on_config", "on_files", "on_page_markdown"]

ROOT = Path(__file__).resolve().parents[1]
ALONG = {"reports": (".html", ".svg", ".json"), "examples": (".py",)}
"""Folders that go along, and which of their files."""
LEFT_OUT = ("audit.html",)
LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s:]+)\)")
FENCED = re.compile(r"(^```.*?^```$)", flags=re.DOTALL | re.MULTILINE)


def on_config(config: Any) -> Any:
    """Put the pages of the rules into the navigation, one family after the other."""
    for section in config["nav"]:
        for pages in section.values():
            if pages == ["rules/index.md"]:
                pages += [{title: _family(digit)} for digit, title in FAMILIES.items()]
    return config


def _family(digit: str) -> list[dict[str, str]]:
    return [{f"{rule.code} {rule.name}": f"rules/{rule.code}.md"} for rule in by_code() if rule.code[3] == digit]


def on_files(files: Files, config: Any) -> Files:
    """Take along the gallery and the examples."""
    from mkdocs.structure.files import File

    for folder, suffixes in ALONG.items():
        for path in sorted((ROOT / folder).glob("*")):
            if path.suffix in suffixes and path.name not in LEFT_OUT:
                place = path.relative_to(ROOT).as_posix()
                files.append(File(place, str(ROOT), config["site_dir"], use_directory_urls=False))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The page with its links as they hold in the site."""
    parts = FENCED.split(markdown)
    return "".join(part if part.startswith("```") else inside(part, page.file.src_uri) for part in parts)


def inside(markdown: str, page: str) -> str:
    """Links of `page` that lead out of docs/: into the site where the file goes along, else nowhere."""

    def led(found: re.Match[str]) -> str:
        target, _, anchor = found["target"].partition("#")
        place = (ROOT / "docs" / page).parent.joinpath(target).resolve()
        if not target or place.is_relative_to(ROOT / "docs") or not place.is_relative_to(ROOT):
            return found[0]
        way = place.relative_to(ROOT)
        if way.parts[0] not in ALONG or way.suffix not in ALONG[way.parts[0]]:
            return found["text"]
        up = "../" * page.count("/")
        return f"{found['image']}[{found['text']}]({up}{way.as_posix()}{'#' + anchor if anchor else ''})"

    return LINK.sub(led, markdown)
