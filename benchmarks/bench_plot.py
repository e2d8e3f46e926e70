"""The rows of `benchmarks/bench.py` as bars: how many times the plain step each costs, on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

__all__ = ["plot"]

LEFT, WIDTH, HEIGHT = 330, 420, 22


def plot(rows: Sequence[Mapping[str, Any]]) -> str:
    """An SVG picture; a bar is the least CPU time, its thin end the median."""
    most = max((max(row["cpu"]["min"], row["cpu"]["median"]) for row in rows), default=1.0)
    scale = WIDTH / max(math.log10(most), 0.1)

    def reach(ratio: float) -> float:
        return max(1.0, scale * math.log10(max(ratio, 1.0)))

    drawn = []
    for number, row in enumerate(rows):
        top, least, middle = 30 + HEIGHT * number, row["cpu"]["min"], row["cpu"]["median"]
        named = escape(f"{row['what']}: {row['model']}")
        drawn.append(f'<text x="{LEFT - 8}" y="{top + 13}" text-anchor="end">{named}</text>')
        drawn.append(f'<rect x="{LEFT}" y="{top + 7}" width="{reach(middle):.1f}" height="4" fill="#9db8d9"/>')
        drawn.append(f'<rect x="{LEFT}" y="{top + 2}" width="{reach(least):.1f}" height="14" fill="#3b6ea8"/>')
        end = LEFT + reach(max(least, middle)) + 6
        drawn.append(f'<text x="{end:.1f}" y="{top + 13}">{least:.2f}</text>')
    size = f'width="{LEFT + WIDTH + 60}" height="{40 + HEIGHT * len(rows)}"'
    title = "CPU time with fxaudit / without (logarithmic; the thin bar: median)"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">'
    paper = '<rect width="100%" height="100%" fill="white"/>'
    return "\n".join([head, paper, f'<text x="8" y="18">{title}</text>', *drawn, "</svg>", ""])
