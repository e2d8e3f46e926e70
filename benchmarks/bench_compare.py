"""What got slower between two files of `benchmarks/bench.py`: the status is 1 where anything did.

Ratios of one run each are compared, so that the machine does not matter much; what differs by less than the tolerance
is noise.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Difference", "differences"]


@dataclass(frozen=True)
class Difference:
    """One row in both files: its least CPU ratio then and now, and how it changed."""

    what: str
    model: str
    old: float
    new: float
    verdict: str


def differences(
    old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], tolerance: float
) -> Iterator[Difference]:
    """The rows that both have, and which of them cost more or less than before by a larger share than `tolerance`."""
    before = {(row["what"], row["model"]): row["cpu"]["min"] for row in old}
    for row in new:
        then, now = before.get((row["what"], row["model"])), row["cpu"]["min"]
        if then is not None:
            verdict = "slower" if now > then * (1 + tolerance) else "faster" if now < then / (1 + tolerance) else "same"
            yield Difference(row["what"], row["model"], then, now, verdict)


def main() -> int:
    """Compare, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--tolerance", type=float, default=0.1, help="what differs by a smaller share is the same")
    asked = parser.parse_args()
    rows = [json.loads(file.read_text(encoding="utf-8"))["rows"] for file in (asked.old, asked.new)]
    found = list(differences(*rows, asked.tolerance))
    for one in found:
        print(f"{one.verdict:8}{one.what:16}{one.model:32}{one.old:>9.2f}{one.new:>9.2f}")
    return int(any(one.verdict == "slower" for one in found))


if __name__ == "__main__":
    raise SystemExit(main())
