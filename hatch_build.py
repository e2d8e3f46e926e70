"""A hook of hatchling: the README as a package index shows it.

There the README stands alone, and links to files of the repository lead nowhere. They point into the repository where
`repository` is given in `[tool.hatch.metadata.hooks.custom]`; else their text is kept, and pictures are left out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

__all__ = ["ReadmeHook", "alone"]

LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>(?!https?:|#)[^)\s]+)\)\n?")
FENCED = re.compile(r"(^```.*?^```$)", flags=re.DOTALL | re.MULTILINE)


class ReadmeHook(MetadataHookInterface):
    """Gives the metadata its `readme`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Put the README into the metadata."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        shown = alone(text, self.config.get("repository", ""))
        metadata["readme"] = {"content-type": "text/markdown", "text": shown}


def alone(text: str, repository: str) -> str:
    """The README without links that hold only beside the repository's files."""

    def led(found: re.Match[str]) -> str:
        end = "\n" if found[0].endswith("\n") else ""
        if repository:
            tree = "raw/HEAD" if found["image"] else "blob/HEAD"
            return f"{found['image']}[{found['text']}]({repository}/{tree}/{found['target']}){end}"
        return "" if found["image"] else found["text"] + end

    parts = FENCED.split(text)
    return "".join(part if part.startswith("```") else LINK.sub(led, part) for part in parts)
