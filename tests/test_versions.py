"""Which versions of Python are left out where pip finds no torch for the CPU."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tools import versions


def answering(requires: list[str], status: int = 0) -> Any:
    """What stands in for pip: it finds one torch, which requires these."""

    def run(asked: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        report = Path(asked[asked.index("--report") + 1])
        report.write_text(json.dumps({"install": [{"metadata": {"requires_dist": requires}}]}), encoding="utf-8")
        return subprocess.CompletedProcess(asked, status, "", "")

    return run


def test_a_torch_for_the_cpu_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions.subprocess, "run", answering(["sympy", "networkx"]))
    versions.need_cpu_build("3.12")


@pytest.mark.parametrize("requires", ["nvidia-nccl==2", 'cuda-bindings<14; platform_system == "Linux"'])
def test_a_torch_with_cuda_is_left_out(requires: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions.subprocess, "run", answering(["sympy", requires]))
    with pytest.raises(versions.LeftOutError, match="no torch for the CPU"):
        versions.need_cpu_build("3.12")


def test_a_version_without_torch_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions.subprocess, "run", answering([], status=1))
    with pytest.raises(versions.LeftOutError, match="pip finds no torch"):
        versions.need_cpu_build("3.14")
