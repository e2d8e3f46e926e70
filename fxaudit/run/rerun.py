"""Proof of a watched script's causes: the script run again in a process of its own, with one culprit neutralised.

`python -m fxaudit.run.rerun REQUEST` is that process; it answers beside the request file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from fxaudit.answer.finding import Finding
from fxaudit.report import Report
from fxaudit.run.replay import NEUTRAL_CODES, with_proofs

__all__ = ["prove_by_rerun"]

SECONDS = 600


def prove_by_rerun(report: Report, argv: list[str], module: bool) -> Report:
    """`report` with the outcome of a rerun for every finding whose culprit has a neutral form."""
    proofs: dict[int, Finding] = {}
    for finding in report.findings:
        if finding.code not in NEUTRAL_CODES or finding.culprit is None:
            continue
        restored = _rerun(finding, argv, module)
        if restored is not None:
            proofs[id(finding)] = finding.with_proof(bool(restored), tuple(restored))
    return Report.of(with_proofs(report, proofs))


def _rerun(finding: Finding, argv: list[str], module: bool) -> list[str] | None:
    """The parameters to which a gradient came in the rerun; None where it gave no answer."""
    assert finding.culprit is not None
    lines = [(source.file, source.line) for source in (finding.culprit, *(r.source for r in finding.related))]
    with tempfile.TemporaryDirectory() as folder:
        request, answer = Path(folder, "request.json"), Path(folder, "answer.json")
        request.write_text(
            json.dumps(
                {
                    "argv": argv,
                    "module": module,
                    "lines": lines,
                    "parameters": finding.parameters,
                    "answer": str(answer),
                }
            ),
            encoding="utf-8",
        )
        command = [sys.executable, "-m", "fxaudit.run.rerun", str(request)]
        try:
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS,
                check=False,
            )
            found: list[str] = json.loads(answer.read_text(encoding="utf-8"))
        except (subprocess.TimeoutExpired, OSError, ValueError):
            return None
    return found


def _answer(request: dict[str, object]) -> None:
    """Run the script with the culprit neutralised, and write down which parameters got a gradient."""
    from fxaudit.capture.neutral import Neutralizer
    from fxaudit.run.loop import Observation
    from fxaudit.run.script import run_script

    lines = {(str(file), int(line)) for file, line in request["lines"]}  # type: ignore[attr-defined]

    def neutralise(observation: Observation) -> None:
        recorder = observation.session.recorder
        recorder.neutral = Neutralizer(recorder.stacks, lines)

    argv = [str(argument) for argument in request["argv"]]  # type: ignore[attr-defined]
    report = run_script(argv, module=bool(request["module"]), prepare=neutralise)
    wanted = [str(name) for name in request["parameters"]]  # type: ignore[attr-defined]
    restored = [n for n in wanted if n in report.parameters and report[n].gradient.state == "finite"]
    Path(str(request["answer"])).write_text(json.dumps(restored), encoding="utf-8")


if __name__ == "__main__":
    _answer(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
