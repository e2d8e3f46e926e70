"""Patches for the findings of a report: candidates tried one after another, and what works together joined."""

from __future__ import annotations

import itertools
import linecache
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from fxaudit.answer.answer import Answer
from fxaudit.answer.finding import Attempt, Finding, Patch
from fxaudit.answer.mended import first_difference, seen, shortfall
from fxaudit.attempts import attempt
from fxaudit.judge.fixes import Candidate, Ground, candidates
from fxaudit.program.edits.difference import joined, unified
from fxaudit.program.source import actual_path, cell_file
from fxaudit.report import Report
from fxaudit.run.replay import with_proofs

__all__ = ["Mended", "Ran", "Runs", "Texts", "mend"]

MOST_TOGETHER = 4
"""Combinations that are tried where no edit alone mends."""

Changes = Mapping[str, str]
"""File, as reports print it → its new text."""


class Ran(NamedTuple):
    """What became of a trial: the report, or why there is none; and whether a trial was possible at all."""

    answer: Answer | None
    why: str
    possible: bool = True


class Runs(Protocol):
    """What makes trials of one program. What `audit` runs again, and what a script is, differ in this alone."""

    count: int
    """How many were made."""
    steps: int | None
    """How many steps each has, where that is fixed."""

    @property
    def subject(self) -> str:
        """What is run, in a word."""

    def run(self, texts: Mapping[str, str], *, steps: int | None = None) -> Ran:
        """The program with `texts` (real path → text) in the place of its files; `steps` fixes how many it makes."""


@dataclass
class Texts:
    """The texts of the program's files, as they were when they ran: file, as reports print it → text."""

    started: float
    """When the script was started: what was changed since did not run."""
    known: dict[str, str | None] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    """Why a file's text is not known."""

    def read(self, file: str) -> str | None:
        """The text of the file; None where it cannot be had, or is not what ran."""
        if file not in self.known:
            self.known[file] = self._read(file)
        return self.known[file]

    def _read(self, file: str) -> str | None:
        path = actual_path(file)
        if cell_file(file):
            return "".join(linecache.getlines(path)) or None
        try:
            if os.stat(path).st_mtime > self.started:
                self.reasons[file] = f"{file} was changed since the run began"
                return None
            with open(path, encoding="utf-8", newline="") as stream:
                return stream.read()
        except (OSError, UnicodeDecodeError) as error:
            self.reasons[file] = f"{file} cannot be read ({getattr(error, 'strerror', None) or 'it is not UTF-8 text'})"
            return None


@dataclass(frozen=True)
class Mended:
    """A report with patches, and what `--write` would write: file → (text that ran, new text)."""

    report: Report
    texts: Mapping[str, tuple[str, str]]
    trials: int = 0


def mend(report: Answer, trials: Runs, texts: Texts) -> Mended:
    """`report` with a patch for each finding above note for which some edit is thinkable."""
    return _Mender(report, trials, texts).mend()


def _uncompiled(changes: Changes) -> str:
    """Why a changed text needs no run to fail: it does not compile. That costs nothing, and so comes first."""
    for file, text in changes.items():
        if file.endswith(".py"):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    compile(text, file, "exec", dont_inherit=True)
            except (SyntaxError, ValueError) as error:
                return f"it does not compile: {getattr(error, 'msg', None) or error}"
    return ""


def _steps(answer: Answer) -> int:
    """How often the optimizer that stepped most has stepped."""
    return max((optimizer.steps for optimizer in answer.optimizers), default=0)


class _Mender:
    def __init__(self, report: Answer, trials: Runs, texts: Texts) -> None:
        self.report, self.trials, self.texts = report, trials, texts
        self.findings = [finding for finding in report.findings if finding.level != "note"]
        self.before: Answer | None = None
        self.patches: dict[int, Patch] = {}
        self.chosen: dict[int, Changes] = {}
        self.notes: list[str] = []
        self._seen: dict[tuple[tuple[str, str], ...], Ran] = {}

    def mend(self) -> Mended:
        offered = {id(finding): self._candidates(finding) for finding in self.findings}
        reason = self._again() if any(offered.values()) else ""
        for finding in self.findings:
            found = offered[id(finding)]
            if found or self.texts.reasons:
                self.patches[id(finding)] = self._untried(found, reason) if reason else self._tried(finding, found)
        together: Patch | None = None
        texts: Changes = {}
        if not reason and self.before is not None:
            self._with_others()
            self._jointly([(f, offered[id(f)]) for f in self.findings if offered[id(f)]])
            together, texts = self._together()
        return self._mended(together, texts)

    def _mended(self, together: Patch | None, texts: Changes) -> Mended:
        proofs = {id(f): replace(f, patch=self.patches[id(f)]) for f in self.findings if id(f) in self.patches}
        report = replace(with_proofs(self.report, proofs), patch=together, notes=(*self.report.notes, *self.notes))
        pairs = {file: (self.texts.read(file) or "", new) for file, new in texts.items()}
        return Mended(Report.of(report), pairs, self.trials.count)

    def _candidates(self, finding: Finding) -> list[Candidate]:
        ground = Ground(finding, self.report, self.texts.read)
        return attempt(f"edits for {finding.code}", lambda: candidates(ground), [], self.notes)

    def _again(self) -> str:
        """Why nothing can be tried; "" where a second run, of the same texts, says what the first said."""
        report, why, possible = self._run({})
        subject = self.trials.subject
        if report is None:
            return f"the {subject} could not be run a second time: {why}" if possible else why
        if report.script_exit != self.report.script_exit:
            ended = report.script_exit or "by itself"
            return f"run a second time, without writing anything, the script ended otherwise: {ended}"
        difference = first_difference(self.report, report)
        if difference:
            return f"the {subject}'s second run differs from its first: {difference}"
        self.before = report
        return ""

    def _run(self, changes: Changes) -> Ran:
        key = tuple(sorted(changes.items()))
        if key not in self._seen and (why := _uncompiled(changes)):
            self._seen[key] = Ran(None, why)
        if key not in self._seen:
            known = {file: text for file, text in self.texts.known.items() if text is not None}
            whole = {os.path.realpath(actual_path(file)): text for file, text in {**known, **changes}.items()}
            self._seen[key] = self._as_long(whole)
        return self._seen[key]

    def _as_long(self, texts: Mapping[str, str]) -> Ran:
        """A trial; where it ended sooner than the script's own run because all seemed well, one of as many steps."""
        ran = self.trials.run(texts)
        wanted = _steps(self.report)
        if self.before is None or ran.answer is None or self.trials.steps is not None or _steps(ran.answer) >= wanted:
            return ran
        return self.trials.run(texts, steps=wanted)

    def _diff(self, changes: Changes) -> str:
        return "".join(unified(file, self.texts.read(file) or "", new) for file, new in changes.items())

    def _untried(self, found: Sequence[Candidate], why: str) -> Patch:
        if not found:
            return Patch("failed", seen=self._unread())
        changes = {found[0].file: found[0].text}
        return Patch("untried", self._diff(changes), tuple(changes), why)

    def _unread(self) -> str:
        return "; ".join(self.texts.reasons.values())

    def _tried(self, finding: Finding, found: Sequence[Candidate]) -> Patch:
        assert self.before is not None or not found
        attempts: list[Attempt] = []
        untried: Patch | None = None
        for candidate in found:
            changes = {candidate.file: candidate.text}
            if candidate.doubt:
                untried = untried or Patch("untried", self._diff(changes), tuple(changes), candidate.doubt)
                break
            after, why, possible = self._run(changes)
            if not possible:
                untried = untried or Patch("untried", self._diff(changes), tuple(changes), why)
                continue
            why = why if after is None else shortfall(self.before or after, after, [finding])
            if after is not None and not why:
                self.chosen[id(finding)] = changes
                words = seen(self.before or after, after, [finding])
                return Patch("tried", self._diff(changes), tuple(changes), words, tuple(attempts))
            attempts.append(Attempt(self._diff(changes), why))
        return replace(untried or Patch("failed", seen=self._why(attempts)), attempts=tuple(attempts))

    def _why(self, attempts: Sequence[Attempt]) -> str:
        """Why there is no fix, in words."""
        if not attempts:
            return self._unread()
        if len(attempts) == 1:
            return f"the edit that was tried does not mend it: {attempts[0].reason}"
        return f"{len(attempts)} edits were tried, and none mends it"

    def _with_others(self) -> None:
        """What mends one finding may mend another as well: that trial was made already."""
        for finding in self.findings:
            for changes in list(self.chosen.values()) if id(finding) not in self.chosen else ():
                after = self._run(changes).answer
                if after is not None and not shortfall(self.before or after, after, [finding]):
                    words = seen(self.before or after, after, [finding])
                    old = self.patches.get(id(finding), Patch("tried"))
                    new = replace(old, state="tried", diff=self._diff(changes), files=tuple(changes), seen=words)
                    self.patches[id(finding)] = new
                    self.chosen[id(finding)] = changes
                    break

    def _jointly(self, offered: Sequence[tuple[Finding, Sequence[Candidate]]]) -> None:
        """What no edit mends alone may be mended by several: those that work, and one for each of the others."""
        left = [
            [(finding, candidate) for candidate in found if not candidate.doubt][:2]
            for finding, found in offered
            if id(finding) not in self.chosen
        ]
        if not left or not all(left) or len(self.findings) < 2:
            return
        for choice in itertools.islice(itertools.product(*left), MOST_TOGETHER):
            edits = [*self.chosen.values(), *({c.file: c.text} for _, c in choice)]
            changes = self._joined(edits)
            if changes is None:
                continue
            after = self._run(changes).answer
            findings = [finding for finding, _ in offered]
            if after is not None and not shortfall(self.before or after, after, findings):
                words = f"together, {seen(self.before or after, after, findings)}"
                for finding in findings:
                    old = self.patches[id(finding)]
                    self.patches[id(finding)] = replace(
                        old, state="tried", diff=self._diff(changes), files=tuple(changes), seen=words
                    )
                    self.chosen[id(finding)] = changes
                return

    def _joined(self, edits: Sequence[Changes]) -> Changes | None:
        files = dict.fromkeys(file for changes in edits for file in changes)
        found = {}
        for file in files:
            new = joined(self.texts.read(file) or "", [changes[file] for changes in edits if file in changes])
            if new is None:
                return None
            found[file] = new
        return found

    def _together(self) -> tuple[Patch | None, Changes]:
        """All that works, at once, if that works as well; else what mends the first finding."""
        edits = list({tuple(sorted(c.items())): c for c in self.chosen.values()}.values())
        if not edits:
            return None, {}
        if len(edits) == 1:
            return None, edits[0]
        findings = [finding for finding in self.findings if id(finding) in self.chosen]
        changes = self._joined(edits)
        after, why, _ = self._run(changes) if changes is not None else Ran(None, "they are about the same lines")
        why = why if after is None else shortfall(self.before or after, after, findings)
        if after is None or changes is None or why:
            return Patch("failed", seen=f"the fixes do not work together: {why}"), edits[0]
        return Patch("tried", self._diff(changes), tuple(changes), seen(self.before or after, after, findings)), changes
