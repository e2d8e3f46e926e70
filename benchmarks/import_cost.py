"""What `import fxaudit` costs over `import torch`: ratios in fresh processes, the median of several.

Prints (import torch, then fxaudit) / (import torch) for the bare import and for the first look at each public function,
which is when its modules are loaded. Every process measures both of its parts, so that the machine's mood cancels out.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys

CHILD = """
import time
start = time.perf_counter()
import torch
middle = time.perf_counter()
{statement}
print(middle - start, time.perf_counter() - middle)
"""
STATEMENTS = {
    "import fxaudit": "import fxaudit",
    "fxaudit.audit": "import fxaudit; fxaudit.audit",
    "fxaudit.watch": "import fxaudit; fxaudit.watch",
}


def ratio(statement: str) -> float:
    """(torch and the statement) / torch, in a process of its own."""
    child = subprocess.run(
        [sys.executable, "-c", CHILD.format(statement=statement)], capture_output=True, text=True, check=True
    )
    torch_alone, more = map(float, child.stdout.split())
    return (torch_alone + more) / torch_alone


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    ratio("import fxaudit")  # the first process reads everything from the disk
    found: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for _ in range(rounds):
        for name, statement in STATEMENTS.items():
            found[name].append(ratio(statement))
    for name, ratios in found.items():
        low, high = min(ratios), max(ratios)
        print(f"{name:16} / import torch = {statistics.median(ratios):.3f}   ({low:.3f} to {high:.3f})", flush=True)


if __name__ == "__main__":
    main()
