"""Merging the reports of several ranks into one: what holds for training as a whole, and what differs between ranks.

Pure: reports in, a report out. `fxaudit.run.ranks.exchange` brings the reports together.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from fxaudit.answer.answer import Answer, OptimizerReport, ParameterReport, RuleInfo, Verdict
from fxaudit.answer.document import from_text, to_text
from fxaudit.answer.finding import LEVELS, Finding
from fxaudit.answer.folding import fold_sentence
from fxaudit.answer.summary import unsettled_note
from fxaudit.errors import InvalidReportError
from fxaudit.judge.rule import Rule
from fxaudit.judge.rules.loop.never_synchronised import NeverSynchronised
from fxaudit.judge.rules.loop.uneven_use import UnevenUse
from fxaudit.judge.write_up import rule_info

__all__ = ["Ending", "RankReport", "merged"]

Ending = Literal["end", "enough", "followed", "death", "blocked", "terminated"]
"""How the recording of a rank ended: with the script, when enough was seen, because another rank had ended early, by an
exception, waiting for ranks that had ended, or by a signal."""

_BEST: tuple[Verdict, ...] = ("trained", "blocked", "excluded", "unreachable", "replaced", "stale", "unregistered")
_GRADIENTS = ("finite", "nonfinite", "zero", "none", "unknown")


@dataclass(frozen=True)
class RankReport:
    """What one rank saw, and what only a comparison between ranks can use."""

    rank: int
    report: Answer
    ending: Ending = "end"
    where: str = ""
    """Where a rank that had to be ended was: `file:line`."""
    steps: int = 0
    """How often the optimizer that stepped most has stepped."""
    deaths_before: int = 0
    """How many ranks had died before this one did."""
    values: Mapping[str, str] = field(default_factory=dict)
    """Parameter → a digest of its value when the recording ended."""
    first_values: Mapping[str, str] = field(default_factory=dict)
    """The same after the first step, which all ranks can compare, wherever each of them ended."""
    used: frozenset[str] = frozenset()
    """The parameters that this rank's own losses reach; gradients that other ranks sent do not count."""
    mirrored: frozenset[str] = frozenset()
    """The parameters that a DistributedDataParallel keeps equal on all ranks."""
    awaited: frozenset[str] = frozenset()
    """Those of them for whose gradient it waits in every backward."""
    sharded: bool = False
    """Whether any parameter is sharded over the ranks."""

    @property
    def is_cut_short(self) -> bool:
        """Whether it was ended from outside before the first step was over: what did not happen proves nothing."""
        return self.ending in ("followed", "blocked", "terminated") and self.steps == 0

    def to_bytes(self) -> bytes:
        """Everything, compressed."""
        facts = {
            "rank": self.rank,
            "ending": self.ending,
            "where": self.where,
            "steps": self.steps,
            "deaths_before": self.deaths_before,
            "values": dict(self.values),
            "first_values": dict(self.first_values),
            "used": sorted(self.used),
            "mirrored": sorted(self.mirrored),
            "awaited": sorted(self.awaited),
            "sharded": self.sharded,
            "report": to_text(self.report),
        }
        return zlib.compress(json.dumps(facts).encode(), 1)

    @classmethod
    def from_bytes(cls, data: bytes) -> RankReport:
        """The inverse of `to_bytes`.

        Raises:
            InvalidReportError: The bytes are damaged, or another version's.
        """
        try:
            facts: dict[str, Any] = json.loads(zlib.decompress(data))
            if facts["ending"] not in get_args(Ending):
                raise ValueError(f"{facts['ending']!r} is no ending")
            return cls(
                rank=facts["rank"],
                report=from_text(facts["report"]),
                ending=facts["ending"],
                where=facts["where"],
                steps=facts["steps"],
                deaths_before=facts["deaths_before"],
                values=facts["values"],
                first_values=facts["first_values"],
                used=frozenset(facts["used"]),
                mirrored=frozenset(facts["mirrored"]),
                awaited=frozenset(facts["awaited"]),
                sharded=facts["sharded"],
            )
        except (zlib.error, ValueError, KeyError, TypeError) as error:
            raise InvalidReportError(f"A rank's report is damaged: {type(error).__name__}: {error}.") from error


def merged(ranks: Sequence[RankReport], world: int) -> Answer:
    """One report for all ranks: of every parameter the best verdict, of every cause one finding.

    A parameter is `unreachable`, `excluded` or `blocked` only if it is so on every rank, as with several steps. A rank
    that was cut short before its first step has no say in what did not happen. What differs between ranks is a note,
    and a finding where `DistributedDataParallel` cannot live with it.

    Args:
        ranks: The reports that arrived, at least one.
        world: How many ranks there are.
    """
    arrived = sorted(ranks, key=lambda one: one.rank)
    voting = [one for one in arrived if not one.is_cut_short] or arrived
    lead = voting[0].report
    names = list(dict.fromkeys(name for one in (*voting, *arrived) for name in one.report.parameters))
    uneven = _uneven_use(arrived, voting, names)
    best = {name: _best(name, arrived, voting) for name in names}
    findings = _findings(voting, best, {name for finding in uneven for name in finding.parameters})
    findings = [f for f in findings if not _is_refuted(f, arrived)]
    findings = sorted([*uneven, *findings], key=lambda finding: LEVELS.index(finding.level))
    parameters = {name: _parameter(name, best[name], voting, findings, uneven) for name in names}
    died = min(
        (one for one in arrived if one.report.traceback), key=lambda one: (one.deaths_before, one.rank), default=None
    )
    exits = [one.report.script_exit for one in arrived if one.report.script_exit is not None]
    missing = sorted(set(range(world)) - {one.rank for one in arrived})
    environment = {**lead.environment, "ranks": str(world)}
    if missing:
        environment["missing ranks"] = ", ".join(map(str, missing))
    settled = _unsettled(parameters)
    return replace(
        lead,
        parameters=parameters,
        findings=tuple(findings),
        optimizers=_optimizers(voting),
        rules=_rules(arrived, findings),
        steps=tuple(replace(step, loss=None) for step in lead.steps),  # every rank has its own
        environment=environment,
        notes=(
            *_endings(arrived, missing),
            *_differences(voting, names, {name for finding in uneven for name in finding.parameters}),
            *_divergence(arrived, findings),
            *settled,
            *_notes(arrived),
        ),
        title=f"{lead.title} on {world} ranks",
        script_exit=died.report.script_exit
        if died is not None
        else next(iter([*exits, *_unfinished(arrived, missing)]), None),
        traceback=died.report.traceback if died is not None else None,
        crash=died.report.crash if died is not None else None,
        audited=any(one.report.audited for one in arrived),
    )


# -- parameters --------------------------------------------------------------------------------------------------


def _best(name: str, arrived: Sequence[RankReport], voting: Sequence[RankReport]) -> ParameterReport:
    """The report with the best verdict: what trains on one rank trains."""
    found = [one.report.parameters[name] for one in voting if name in one.report.parameters]
    if not found:
        return next(one.report.parameters[name] for one in arrived if name in one.report.parameters)
    for verdict in _BEST:
        for parameter in found:
            if parameter.verdict == verdict:
                elsewhere = [p for p in found if p.verdict == "unknown" and p.reached_in]
                return elsewhere[0] if verdict == "unreachable" and elsewhere else parameter
    return found[0] if found[0].verdict == "frozen" else next((p for p in found if p.verdict == "frozen"), found[0])


def _parameter(
    name: str,
    best: ParameterReport,
    voting: Sequence[RankReport],
    findings: Sequence[Finding],
    uneven: Sequence[Finding],
) -> ParameterReport:
    seen = [(one.rank, one.report.parameters[name]) for one in voting if name in one.report.parameters]
    own = tuple(finding for finding in findings if name in finding.parameters)
    strongest = min((p.gradient for _, p in seen), key=lambda g: _GRADIENTS.index(g.state), default=best.gradient)
    parameter = replace(
        best,
        findings=own,
        gradient=strongest,
        reached_in=max([p.reached_in for _, p in seen], default=best.reached_in),
        steps=max([p.steps for _, p in seen], default=best.steps),
        identity="swapped" if any(p.identity == "swapped" for _, p in seen) else best.identity,
    )
    cause = next((finding for finding in uneven if name in finding.parameters), None)
    if cause is not None:
        return replace(
            parameter,
            verdict="blocked",
            reason="some ranks use it, others do not: its gradient is never averaged",
            culprit=cause.culprit,
            path=cause.path,
        )
    others = {p.verdict for _, p in seen} - {best.verdict, "unknown"}
    if others:
        ranks = [rank for rank, p in seen if p.verdict == best.verdict]
        parameter = replace(parameter, reason=f"{best.reason} ({_on(ranks)})")
    return parameter


def _unsettled(parameters: Mapping[str, ParameterReport]) -> list[str]:
    count = sum(1 for p in parameters.values() if p.verdict == "unknown")
    return [unsettled_note(count)] if count else []


# -- findings ----------------------------------------------------------------------------------------------------


def _findings(voting: Sequence[RankReport], best: Mapping[str, ParameterReport], explained: set[str]) -> list[Finding]:
    """One finding for each cause: what was found on every rank, or holds although other ranks did not find it."""
    groups: dict[tuple[object, ...], list[tuple[int, Finding]]] = {}
    for one in voting:
        for finding in one.report.findings:
            kept = tuple(
                name
                for name in finding.parameters
                if name not in explained
                and (name not in best or one.report.parameters[name].verdict == best[name].verdict)
            )
            if finding.parameters and not kept:
                continue
            where = (finding.culprit.file, finding.culprit.line) if finding.culprit is not None else finding.message
            key = _of_another_rank(groups, one.rank, finding.code, kept) or (finding.code, where)
            groups.setdefault(key, []).append((one.rank, replace(finding, parameters=kept)))
    found = []
    for group in groups.values():
        first = group[0][1]
        names = {name for _, finding in group for name in finding.parameters}
        ranks = sorted({rank for rank, _ in group})
        level = min((finding.level for _, finding in group), key=LEVELS.index)
        message = first.message if len(ranks) == len(voting) else f"{first.message} ({_on(ranks)})"
        ordered = tuple(name for name in best if name in names) + tuple(n for n in first.parameters if n not in best)
        found.append(replace(first, parameters=ordered, level=level, message=message))
    return found


def _of_another_rank(
    groups: Mapping[tuple[object, ...], list[tuple[int, Finding]]], rank: int, code: str, names: tuple[str, ...]
) -> tuple[object, ...] | None:
    """The group in which another rank says the same of the same parameters: where the ranks run other branches, they
    may name other lines."""
    for key, group in groups.items():
        if names and key[0] == code and group[0][0] != rank and group[0][1].parameters == names:
            return key
    return None


def _is_refuted(finding: Finding, arrived: Sequence[RankReport]) -> bool:
    """Whether what the finding claims cannot be, seeing the other ranks' values: equal after steps on unequal data."""
    steps, values = _comparable(arrived)
    if finding.code != NeverSynchronised.code or not steps:
        return False
    return all(len({of_rank.get(name) for of_rank in values}) == 1 for name in finding.parameters)


def _comparable(arrived: Sequence[RankReport]) -> tuple[int, list[Mapping[str, str]]]:
    """(steps, each rank's values after as many): at the end if all ended after equally many, else after the first."""
    steps = {one.steps for one in arrived}
    if len(arrived) < 2 or 0 in steps:
        return 0, []
    if len(steps) == 1:
        return max(steps), [one.values for one in arrived]
    return (1, [one.first_values for one in arrived]) if all(one.first_values for one in arrived) else (0, [])


def _uneven_use(arrived: Sequence[RankReport], voting: Sequence[RankReport], names: Sequence[str]) -> list[Finding]:
    """What some ranks use and others do not, although DistributedDataParallel waits for it on all of them."""
    awaited = frozenset().union(*(one.awaited for one in arrived))
    groups: dict[tuple[tuple[str, int] | None, tuple[int, ...], tuple[int, ...]], tuple[Finding | None, list[str]]] = {}
    for name in names:
        if name not in awaited:
            continue
        used = [one.rank for one in arrived if _uses(one, name)]
        idle = [one for one in voting if name in one.report.parameters and not _uses(one, name) and _looked(one, name)]
        if not used or not idle:
            continue
        causes = [f for f in idle[0].report.parameters[name].findings if f.level != "note" or f.culprit is not None]
        cause = causes[0] if causes else None
        where = (cause.culprit.file, cause.culprit.line) if cause is not None and cause.culprit is not None else None
        key = (where, tuple(used), tuple(one.rank for one in idle))
        groups.setdefault(key, (cause, []))[1].append(name)
    found = []
    for (_, used_on, idle_on), (cause, members) in groups.items():
        told = fold_sentence(members, names, limit=1)
        found.append(
            Finding(
                code=UnevenUse.code,
                name=UnevenUse.name,
                level=UnevenUse.level,
                message=f"{_ranks(used_on)} use{'s' * (len(used_on) == 1)} {told}, {_ranks(idle_on)} "
                f"do{'es' * (len(idle_on) == 1)} not",
                fix=UnevenUse.fix,
                parameters=tuple(members),
                culprit=cause.culprit if cause is not None else None,
                related=cause.related if cause is not None else (),
                path=cause.path if cause is not None else (),
            )
        )
    return found


def _uses(one: RankReport, name: str) -> bool:
    parameter = one.report.parameters.get(name)
    return parameter is not None and parameter.reached_in > 0


def _looked(one: RankReport, name: str) -> bool:
    parameter = one.report.parameters[name]
    return parameter.steps > 0 and parameter.requires_grad


def _rules(arrived: Sequence[RankReport], findings: Sequence[Finding]) -> tuple[RuleInfo, ...]:
    known = {info.code: info for one in arrived for info in one.report.rules}
    own: tuple[type[Rule], ...] = (UnevenUse,)
    for rule in own:
        known.setdefault(rule.code, rule_info(rule))
    return tuple(known[code] for code in sorted(known) if any(finding.code == code for finding in findings))


# -- the rest ----------------------------------------------------------------------------------------------------


def _optimizers(voting: Sequence[RankReport]) -> tuple[OptimizerReport, ...]:
    """The first rank's optimizers, with the most steps any rank made, and those that only other ranks have."""
    found: dict[str, OptimizerReport] = {}
    for one in voting:
        for optimizer in one.report.optimizers:
            known = found.setdefault(optimizer.name, optimizer)
            found[optimizer.name] = replace(known, steps=max(known.steps, optimizer.steps))
    return tuple(found.values())


def _endings(arrived: Sequence[RankReport], missing: Sequence[int]) -> list[str]:
    """How ranks ended that did not end by themselves, in sentences."""
    notes = []
    deaths: dict[str, list[int]] = {}
    for one in sorted(arrived, key=lambda one: one.deaths_before):
        where = f" at {one.where}" if one.where else ""
        if one.ending == "death":
            told = (one.report.script_exit or "an exception").strip().splitlines()[0].partition(". ")[0].rstrip(".")
            deaths.setdefault(told, []).append(one.rank)
        elif one.ending == "blocked":
            notes.append(f"Rank {one.rank} waited{where} for ranks that had ended, and was ended there.")
        elif one.ending == "terminated":
            notes.append(f"Rank {one.rank} was terminated{where} by a signal.")
    told_deaths = [f"{_ranks(ranks).capitalize()} died: {told}." for told, ranks in deaths.items()]
    lost = [f"{_ranks(missing).capitalize()} gave no report: killed, or never there."] if missing else []
    return [*lost, *told_deaths, *notes]


def _unfinished(arrived: Sequence[RankReport], missing: Sequence[int]) -> list[str]:
    """What kept the script from its end: a rank was lost, or waits for one that came to the end of its script."""
    if missing:
        return [f"{_ranks(missing)} gave no report"]
    if {one.ending for one in arrived} != {"end", "blocked"}:
        return []
    return [f"rank {one.rank} waits for ever at {one.where}" for one in arrived if one.ending == "blocked"]


def _differences(voting: Sequence[RankReport], names: Sequence[str], explained: set[str]) -> list[str]:
    """Where the ranks do not agree, in sentences."""
    if len(voting) < 2:
        return []
    groups: dict[tuple[tuple[str, tuple[int, ...]], ...], list[str]] = {}
    for name in names:
        if name in explained:
            continue
        by_answer: dict[str, list[int]] = {}
        for one in voting:
            parameter = one.report.parameters.get(name)
            if parameter is None or parameter.verdict != "unknown":
                by_answer.setdefault(parameter.verdict if parameter else "absent", []).append(one.rank)
        if len(by_answer) < 2:
            if list(by_answer) != ["trained"]:
                continue
            by_answer = {}
            for one in voting:
                by_answer.setdefault("used" if name in one.used else "not used", []).append(one.rank)
            if len(by_answer) < 2:
                continue
        key = tuple((answer, tuple(ranks)) for answer, ranks in sorted(by_answer.items(), key=lambda item: item[1]))
        groups.setdefault(key, []).append(name)
    return [
        f"{fold_sentence(members, names, limit=1)}: "
        + ", ".join(f"{answer} {_on(ranks)}" for answer, ranks in key)
        + "."
        for key, members in groups.items()
    ]


def _divergence(arrived: Sequence[RankReport], findings: Sequence[Finding]) -> list[str]:
    """Whether the ranks' values have come apart, in a sentence; only comparable after as many steps on each."""
    steps, values = _comparable(arrived)
    if not steps:
        return []
    after = f"After {steps} step{'s' * (steps != 1)}"
    common = [name for name in values[0] if all(name in of_rank for of_rank in values)]
    apart = [name for name in common if len({of_rank[name] for of_rank in values}) > 1]
    mirrored = [name for name in apart if all(name in one.mirrored for one in arrived)]
    told = {name for finding in findings if finding.code == NeverSynchronised.code for name in finding.parameters}
    if mirrored:
        patterns = fold_sentence(mirrored, common, limit=1)
        if told.issuperset(mirrored):
            return [f"{after} the values of {patterns} differ between the ranks."]
        return [
            f"{after} the values of {patterns} differ between the ranks, although "
            "DistributedDataParallel is there to keep them equal."
        ]
    if apart and not any(one.mirrored or one.sharded for one in arrived):
        return [
            "The parameters differ between the ranks, and nothing was seen that averages gradients: "
            "each rank trains a model of its own."
        ]
    return []


def _notes(arrived: Sequence[RankReport]) -> list[str]:
    """The ranks' own notes; with the rank where not all say the same."""
    said: dict[str, list[int]] = {}
    for one in arrived:
        unknown = sum(1 for p in one.report if p.verdict == "unknown")
        for note in one.report.notes:
            if note != unsettled_note(unknown):
                said.setdefault(note, []).append(one.rank)
    return [
        note if len(ranks) == len(arrived) else f"{_ranks(ranks).capitalize()}: {note}" for note, ranks in said.items()
    ]


def _ranks(ranks: Iterable[int]) -> str:
    numbers = list(ranks)
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"ranks {numbers[0]} to {numbers[-1]}"
    joint = " and " if len(numbers) < 3 else ", "
    return f"rank{'s' * (len(numbers) != 1)} {joint.join(map(str, numbers))}"


def _on(ranks: Iterable[int]) -> str:
    return f"on {_ranks(ranks)}"
