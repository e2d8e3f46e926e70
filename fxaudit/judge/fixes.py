"""Which edits may mend the findings of a rule: the table that the author of a new rule adds a line to.

An offer looks at a finding and yields candidates, each the new text of one file. They are tried in the order of the
table, at most `MOST` of them, and the first that is seen to work is the patch; so the likeliest comes first, and an
offer may be wrong, as long as it never hides the defect: no parameter is deleted, no error is caught, nothing that
PyTorch asks for is switched off.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fxaudit.answer.answer import Answer
from fxaudit.answer.finding import Finding, Related
from fxaudit.program.config_files import SUFFIXES
from fxaudit.program.edits import (
    conditions,
    containers,
    cuts,
    factors,
    freezes,
    loop,
    moves,
    names,
    neighbours,
    numbers,
    optimizers,
    regions,
    rounds,
    selections,
    settings,
    totals,
    values,
)
from fxaudit.program.edits.difference import joined
from fxaudit.program.edits.syntax import Edit, Place
from fxaudit.program.source import SourceLine

__all__ = ["FIXES", "MOST", "Candidate", "Ground", "candidates"]

MOST = 5
"""Candidates that are tried for one finding."""


@dataclass(frozen=True)
class Candidate:
    """The new text of a file. Where a `doubt` says what only the author knows, it is offered, and nobody tries it."""

    file: str
    text: str
    doubt: str = ""


@dataclass(frozen=True)
class Ground:
    """What an offer may look at: a finding, the answer that it stands in, and the texts of the program's files."""

    finding: Finding
    answer: Answer
    read: Callable[[str], str | None]

    def sources(self) -> list[SourceLine]:
        """The lines that the finding names, the culprit first, then those related."""
        finding = self.finding
        named = [finding.culprit] if finding.culprit is not None else []
        named += [related.source for related in finding.related]
        return list({(source.file, source.line): source for source in named}.values())

    def callers(self) -> list[SourceLine]:
        """The calls that led to the culprit, innermost first."""
        culprit = self.finding.culprit
        return [SourceLine(f.file, f.line, f.function, "") for f in culprit.frames] if culprit is not None else []

    def edited(self, source: SourceLine, edit: Edit) -> Iterator[Candidate]:
        """What an edit makes of the file of a line."""
        text = None if source.library or source.file.endswith(SUFFIXES) else self.read(source.file)
        yield from self._made(source, text, edit)

    def entered(self, source: SourceLine, edit: Edit) -> Iterator[Candidate]:
        """What an edit makes of the configuration file of a line."""
        text = self.read(source.file) if source.file.endswith(SUFFIXES) else None
        yield from self._made(source, text, edit)

    def texts(self) -> list[str]:
        """The texts of the files that the answer names."""
        answer = self.answer
        found = [o.source for o in answer.optimizers] + [e.source for step in answer.steps for e in step.events]
        found += [source for finding in answer.findings for source in (finding.culprit, *map(_line, finding.related))]
        files = dict.fromkeys(source.file for source in found if source is not None and not source.library)
        return [text for text in map(self.read, files) if text is not None]

    def _made(self, source: SourceLine, text: str | None, edit: Edit) -> Iterator[Candidate]:
        if text is None:
            return
        for new in edit(text, Place(source.line, source.columns)):
            if new and new != text:
                yield Candidate(source.file, new)


def _line(related: Related) -> SourceLine:
    return related.source


Offer = Callable[[Ground], Iterator[Candidate]]


def at_culprit(edit: Edit) -> Offer:
    """The edit at the line to blame."""

    def offer(ground: Ground) -> Iterator[Candidate]:
        for source in ground.sources()[:1]:
            yield from ground.edited(source, edit)

    return offer


def at_lines(edit: Edit) -> Offer:
    """The edit at each line that the finding names."""

    def offer(ground: Ground) -> Iterator[Candidate]:
        for source in ground.sources():
            yield from ground.edited(source, edit)

    return offer


def at_callers(edit: Edit) -> Offer:
    """The edit at each call that led to the line to blame."""

    def offer(ground: Ground) -> Iterator[Candidate]:
        for source in ground.callers():
            yield from ground.edited(source, edit)

    return offer


def at_all(edit: Edit) -> Offer:
    """The edit's first text at each line that the finding names, all at once."""

    def offer(ground: Ground) -> Iterator[Candidate]:
        files: dict[str, list[str]] = {}
        for source in ground.sources():
            for candidate in itertools.islice(ground.edited(source, edit), 1):
                files.setdefault(candidate.file, []).append(candidate.text)
        for file, texts in files.items():
            together = joined(ground.read(file) or "", texts)
            if len(texts) > 1 and together is not None:
                yield Candidate(file, together)

    return offer


def at_freezes(edit: Edit) -> Offer:
    """The edit at the lines that froze what the finding names."""

    def offer(ground: Ground) -> Iterator[Candidate]:
        known = [ground.answer.parameters[n] for n in ground.finding.parameters if n in ground.answer.parameters]
        lines = [e.source for parameter in known for e in parameter.life if e.kind == "frozen" and e.source is not None]
        calls = [SourceLine(f.file, f.line, f.function, "") for line in lines for f in line.frames]
        for source in {(s.file, s.line): s for s in (*lines, *calls)}.values():
            yield from ground.edited(source, edit)

    return offer


def at_births(edit: Edit) -> Offer:
    """The edit at the lines that made what the finding names."""

    def offer(ground: Ground) -> Iterator[Candidate]:
        known = [ground.answer.parameters[n] for n in ground.finding.parameters if n in ground.answer.parameters]
        lines = [e.source for parameter in known for e in parameter.life if e.kind == "made" and e.source is not None]
        calls = [SourceLine(f.file, f.line, f.function, "") for line in lines for f in line.frames]
        own = [*lines, *calls]
        for source in {(s.file, s.line): s for s in own if not s.library}.values():
            yield from ground.edited(source, edit)

    return offer


def along_path(edit: Edit) -> Offer:
    """The edit at the lines on the way from the parameter to the loss, the last first."""

    def offer(ground: Ground) -> Iterator[Candidate]:
        sources = [step.source for step in reversed(ground.finding.path) if step.source is not None]
        for source in {(source.file, source.line): source for source in sources}.values():
            yield from ground.edited(source, edit)

    return offer


PLACEHOLDER = "a placeholder stands in it for a value that only you know"
WEIGHTS = "what reads the selection has to take weights then"
CHOICE = "which of them are to count is for you to say"


def uncertain(offer: Offer, doubt: str = PLACEHOLDER) -> Offer:
    """The offer, with what only the author knows."""

    def doubted(ground: Ground) -> Iterator[Candidate]:
        for candidate in offer(ground):
            yield Candidate(candidate.file, candidate.text, doubt)

    return doubted


def as_helped(ground: Ground) -> Iterator[Candidate]:
    """The edit that the finding's own help shows."""
    lines = ground.finding.fix.split("\n")[1:]
    taken = [line[2:] for line in lines if line.startswith("- ")]
    added = [line[2:] for line in lines if line.startswith("+ ")]
    beside = [line[2:] for line in lines if line.startswith("  ")]
    if taken and added:
        yield from _exchanged(ground, taken[0], added[0])
    elif added and beside:
        for source in _showing(ground, beside[0]):
            yield from ground.edited(source, lambda text, place: loop.behind(text, place, added[0]))
    elif added:
        built = [optimizer.source for optimizer in ground.answer.optimizers if optimizer.source is not None]
        named = ground.sources()[:1]
        for source in {(s.file, s.line): s for s in (*named, *built)}.values():
            yield from ground.edited(source, lambda text, place: loop.behind(text, place, added[0]))


def _exchanged(ground: Ground, taken: str, added: str) -> Iterator[Candidate]:
    def exchanged(text: str, place: Place) -> Iterator[str]:
        lines = text.splitlines(keepends=True)
        line = lines[place.line - 1] if place.line <= len(lines) else ""
        if taken in line:
            lines[place.line - 1] = line.replace(taken, added, 1)
            yield "".join(lines)

    yield from at_lines(exchanged)(ground)


def _showing(ground: Ground, code: str) -> Iterator[SourceLine]:
    """The lines of the project whose code the help shows."""
    events = [event.source for step in ground.answer.steps for event in step.events if event.source is not None]
    named = [*ground.sources(), *events]
    yield from {(s.file, s.line): s for s in named if s.code.startswith(code)}.values()


def _variables(ground: Ground) -> list[str]:
    """The variables that the program keeps its optimizers in: those that the finding is about first."""
    codes = [source.code for source in ground.sources()]
    built = [o.source.code for o in ground.answer.optimizers if o.source is not None]
    found = []
    for code in (*codes, *built):
        if code in built and (match := re.match(r"([\w.]+)\s*(?::[^=]*)?=[^=]", code)):
            found.append(match[1])
    return list(dict.fromkeys(found))


def _joining(ground: Ground) -> Iterator[Candidate]:
    """The optimizer's group given all parameters again, behind the line that replaced one of them."""
    for variable in _variables(ground)[:2]:
        yield from at_culprit(lambda text, place, v=variable: optimizers.joining(text, place, v))(ground)  # type: ignore[misc]


def _stepped(ground: Ground) -> Iterator[Candidate]:
    """The step of this optimizer in the place of another's."""
    for variable in _variables(ground)[:2]:
        yield from at_lines(lambda text, place, v=variable: loop.instead(text, place, "step", v))(ground)  # type: ignore[misc]


def _events(ground: Ground, kind: str) -> list[SourceLine]:
    found = [e.source for step in ground.answer.steps for e in step.events if e.kind == kind and e.source is not None]
    return list({(source.file, source.line): source for source in found}.values())


def _step_added(ground: Ground) -> Iterator[Candidate]:
    """The step of what is cleared, behind the backward."""
    for source in _events(ground, "backward"):
        yield from ground.edited(source, loop.step_behind)


def _cleared(ground: Ground) -> Iterator[Candidate]:
    """The gradients cleared behind the step that uses them: behind that of the optimizer that holds them first."""
    known = [ground.answer.parameters[n] for n in ground.finding.parameters if n in ground.answer.parameters]
    holders = {holder.optimizer for parameter in known for holder in parameter.held_by}
    own = [
        e.source
        for step in ground.answer.steps
        for e in step.events
        if e.kind == "step" and e.source is not None and holders & set(e.optimizers)
    ]
    for source in {(s.file, s.line): s for s in (*own, *_events(ground, "step"))}.values():
        yield from ground.edited(source, loop.cleared_behind)


def _removed_where_cleared(ground: Ground) -> Iterator[Candidate]:
    """Without the clearing that comes too early, where the file has another."""
    for gone in at_culprit(loop.removed)(ground):
        if "zero_grad" in gone.text or ".grad = None" in gone.text:
            yield gone


def _removed_and_cleared(ground: Ground) -> Iterator[Candidate]:
    """Without the clearing that comes too early, and with one behind the step."""
    for gone in at_culprit(loop.removed)(ground):
        for source in _events(ground, "step"):
            for added in ground.edited(source, loop.cleared_behind):
                together = joined(ground.read(gone.file) or "", [gone.text, added.text])
                if added.file == gone.file and together is not None:
                    yield Candidate(gone.file, together)


def _given_backward(ground: Ground) -> Iterator[Candidate]:
    """A backward of the loss before the step."""
    for source in (*_events(ground, "step"), *ground.sources()):
        yield from ground.edited(source, loop.backward_before)


def _given_all(ground: Ground) -> Iterator[Candidate]:
    """The parameters of the whole model for what the optimizer was given."""
    built = [optimizer.source for optimizer in ground.answer.optimizers if optimizer.source is not None]
    for source in {(s.file, s.line): s for s in (*ground.sources(), *built)}.values():
        yield from ground.edited(source, optimizers.given_all)


def _roots(ground: Ground) -> tuple[str, ...]:
    """The parts of the parameters' names that a program may write."""
    parts = [part for name in ground.finding.parameters for part in re.split(r"[.\[\]']+", name)[:-1]]
    return tuple(dict.fromkeys(part for part in parts if part.isidentifier()))


def _with_its_flag(ground: Ground) -> Iterator[Candidate]:
    """Without the detach, and without the `requires_grad = True` that silenced what PyTorch said of it."""
    flagged = [c for source in ground.sources() for c in ground.edited(source, cuts.without_flag)]
    for source in ground.sources():
        for gone in ground.edited(source, cuts.without_detach):
            for flag in flagged:
                together = joined(ground.read(gone.file) or "", [gone.text, flag.text])
                if gone.file == flag.file and together is not None:
                    yield Candidate(gone.file, together)


def _unmarked(ground: Ground) -> Iterator[Candidate]:
    """Without the mark that a custom Function puts on a result."""

    def unmarked(text: str, place: Place) -> Iterator[str]:
        lines = text.splitlines()
        if place.line <= len(lines) and "mark_non_differentiable(" in lines[place.line - 1]:
            yield from loop.removed(text, place)

    yield from at_lines(unmarked)(ground)


def _named_arguments(ground: Ground) -> Iterator[Candidate]:
    """The parameters that forward runs without, under their own names, where a function of torch's is called."""
    lines = set(ground.sources()[1:])
    alike = [
        f for f in ground.answer.findings if f.code == ground.finding.code and lines & {r.source for r in f.related}
    ]
    leaves = {name.rpartition(".")[2]: None for finding in alike for name in finding.parameters}
    names = [leaf for leaf in leaves if leaf.isidentifier()]
    if names:
        yield from at_lines(lambda text, place: neighbours.named_arguments(text, place, names))(ground)


def _instead(ground: Ground) -> Iterator[Candidate]:
    """The parameter that forward runs without, where another value of its module's is read."""
    leaf = ground.finding.parameters[0].rpartition(".")[2] if ground.finding.parameters else ""
    if leaf.isidentifier():
        yield from at_culprit(lambda text, place: names.parameter_instead(text, place, leaf))(ground)


def _with_roots(edit: Callable[[str, Place, Sequence[str]], Iterator[str]]) -> Offer:
    """An edit that asks for the names that lead to the parameters."""

    def offer(ground: Ground) -> Iterator[Candidate]:
        yield from at_lines(lambda text, place: edit(text, place, _roots(ground)))(ground)

    return offer


def _as_set_elsewhere(ground: Ground) -> Iterator[Candidate]:
    """The value that another place has under the key of a configuration file; else a placeholder."""
    for source in ground.sources():
        yield from ground.entered(source, lambda text, place: settings.other_entry(text, place, ground.texts()))
    for source in ground.sources():
        for candidate in ground.entered(source, settings.placeholder):
            yield Candidate(candidate.file, candidate.text, PLACEHOLDER)


def _beside(ground: Ground) -> Iterator[Candidate]:
    """What a part that is no module hides, under names of its own."""
    names = ground.finding.parameters
    yield from at_lines(lambda text, place: containers.held_beside(text, place, names))(ground)


def _siblings(ground: Ground) -> Iterator[Candidate]:
    """The module that is never called where its sibling is called twice."""
    files = [source.file for source in ground.sources()]
    for file in dict.fromkeys(files):
        for wanted in _roots(ground):
            source = SourceLine(file, 1, "", "")
            yield from ground.edited(source, lambda text, _, w=wanted: names.sibling(text, w))  # type: ignore[misc]


CONDITION = (at_culprit(conditions.holding), at_culprit(names.respelt))
UNFREEZING = (
    at_lines(conditions.one_sooner),
    at_lines(conditions.holding),
    at_lines(freezes.narrowed),
    at_lines(names.respelt),
)

FIXES: dict[str, tuple[Offer, ...]] = {
    "FXA101": (
        at_culprit(neighbours.named_alike),
        at_callers(neighbours.unread_handed_on),
        at_lines(conditions.trained_again),
        at_culprit(rounds.after_loop),
        at_culprit(neighbours.bound_early),
        at_culprit(conditions.handed_to_all),
        at_lines(neighbours.other_result),
        _siblings,
        at_culprit(values.whole_range),
        at_culprit(totals.kept),
        *CONDITION,
        along_path(totals.added),
        at_lines(conditions.other_flag),
    ),
    "FXA102": (
        _named_arguments,
        _instead,
        at_culprit(rounds.after_loop),
        at_culprit(neighbours.bound_early),
        _siblings,
        at_culprit(values.whole_range),
        *CONDITION,
    ),
    "FXA103": (
        at_lines(neighbours.state_handed_on),
        at_culprit(totals.both),
        at_culprit(rounds.accumulated),
        at_lines(totals.not_overwritten),
        at_culprit(neighbours.other_result),
        at_culprit(neighbours.unread_key),
        at_lines(neighbours.handed_to_its_name),
        at_lines(neighbours.summed_with_unread),
        at_culprit(totals.counted_alike),
        at_lines(neighbours.unread_instead),
        along_path(totals.added),
        at_lines(totals.kept),
        at_lines(totals.added),
        at_lines(values.whole_range),
        at_lines(names.respelt),
        *CONDITION,
    ),
    "FXA104": (
        at_lines(values.with_graph),
        _with_its_flag,
        at_lines(cuts.with_variables),
        at_culprit(cuts.without_detach),
        at_culprit(conditions.other_flag),
        at_all(cuts.without_detach),
        at_lines(cuts.without_detach),
        at_callers(cuts.without_detach),
        *CONDITION,
    ),
    "FXA105": (
        at_lines(regions.switched_back_sooner),
        at_culprit(selections.drawn_with_gradient),
        at_culprit(regions.with_gradient),
        at_culprit(regions.restricted),
        at_culprit(conditions.other_flag),
        at_all(regions.with_gradient),
        at_lines(regions.with_gradient),
        at_callers(regions.with_gradient),
        *CONDITION,
    ),
    "FXA106": (
        at_culprit(cuts.without_round_trip),
        at_culprit(conditions.other_flag),
        at_all(cuts.without_round_trip),
        at_lines(cuts.without_round_trip),
        at_lines(selections.number_passed_through),
    ),
    "FXA107": (
        _with_its_flag,
        at_culprit(cuts.without_new_leaf),
        at_culprit(conditions.other_flag),
        at_lines(cuts.without_new_leaf),
        at_lines(cuts.without_round_trip),
    ),
    "FXA108": (
        at_culprit(conditions.other_flag),
        at_lines(values.with_graph),
        at_lines(selections.straight_through),
        at_lines(selections.drawn_with_gradient),
        at_lines(values.true_division),
        at_lines(selections.unrounded),
        uncertain(at_lines(selections.chosen_softly), WEIGHTS),
    ),
    "FXA109": (
        _with_its_flag,
        at_culprit(neighbours.other_result),
        at_lines(cuts.without_detach),
        at_lines(cuts.without_round_trip),
        at_lines(cuts.without_new_leaf),
        at_lines(regions.with_gradient),
    ),
    "FXA110": (as_helped,),
    "FXA111": (
        _unmarked,
        at_lines(neighbours.as_other_call),
        uncertain(at_lines(values.gradient_of_function)),
    ),
    "FXA113": (_as_set_elsewhere, at_lines(values.true_division), uncertain(at_lines(factors.not_zero))),
    "FXA201": (
        at_culprit(moves.settled_in_place),
        at_culprit(moves.to_local),
        at_culprit(moves.given_to_call),
        at_culprit(moves.into_init),
        at_culprit(moves.in_place),
    ),
    "FXA202": (
        at_culprit(moves.into_init),
        at_culprit(loop.removed_alike),
        at_culprit(loop.removed),
        at_lines(cuts.without_detach),
    ),
    "FXA203": (
        at_culprit(moves.made_once),
        at_culprit(moves.settled_in_place),
        at_culprit(moves.given_to_call),
        at_culprit(moves.in_place),
        at_culprit(moves.to_local),
        at_culprit(moves.into_init),
        at_lines(moves.into_init),
        at_culprit(loop.removed),
    ),
    "FXA204": (at_lines(optimizers.moved_behind), as_helped, _joining),
    "FXA205": (
        at_culprit(containers.parameter_of_buffer),
        at_culprit(containers.registered),
        as_helped,
        at_lines(containers.registered),
        at_lines(containers.as_module),
        at_culprit(containers.hoisted),
        at_culprit(containers.of_instance),
        _beside,
        at_culprit(containers.kept_beside),
        _given_all,
    ),
    "FXA206": (at_lines(containers.parameter_outside),),
    "FXA301": (
        _with_roots(names.respelt_throughout),
        at_culprit(loop.without_surgery),
        at_culprit(moves.without_override),
        _with_roots(optimizers.given_twice),
        at_culprit(values.true_division),
        at_culprit(cuts.without_copy),
        at_births(optimizers.moved_behind),
        at_lines(optimizers.wider),
        _given_all,
        _with_roots(optimizers.given_other),
        as_helped,
        at_culprit(names.respelt),
        at_lines(conditions.holding),
    ),
    "FXA302": (at_lines(optimizers.wider), _given_all, as_helped, at_lines(names.respelt)),
    "FXA303": (_given_all, at_lines(optimizers.moved_behind)),
    "FXA304": (
        at_lines(optimizers.groups_themselves),
        at_lines(names.key_respelt),
        _as_set_elsewhere,
        at_culprit(optimizers.every_group),
        at_lines(optimizers.set_in_groups),
        at_lines(values.true_division),
        at_lines(factors.other_value),
        at_lines(loop.scheduled),
        at_lines(names.respelt),
        at_lines(conditions.holding),
        uncertain(at_lines(factors.not_zero)),
    ),
    "FXA306": (
        *UNFREEZING,
        at_lines(freezes.thawed_later),
        at_freezes(freezes.thawed),
        at_callers(freezes.thawed_later),
    ),
    "FXA305": (at_lines(names.respelt),),
    "FXA307": (as_helped,),
    "FXA308": (
        at_lines(optimizers.groups_themselves),
        as_helped,
        at_lines(names.respelt),
        uncertain(at_lines(values.whole_range), CHOICE),
    ),
    "FXA309": (_with_roots(names.respelt_throughout), *UNFREEZING),
    "FXA310": (at_lines(conditions.each_asked), at_lines(cuts.copied_deeply), as_helped),
    "FXA401": (
        at_culprit(conditions.staying),
        at_culprit(conditions.asked),
        at_culprit(loop.called),
        at_callers(loop.called),
        _step_added,
        as_helped,
        at_lines(loop.called),
        at_lines(conditions.holding),
        _stepped,
        at_culprit(names.respelt),
        at_lines(conditions.other_flag),
    ),
    "FXA402": (
        at_culprit(conditions.staying),
        at_culprit(conditions.asked),
        at_culprit(loop.without_inputs),
        at_culprit(rounds.as_many_rounds),
        at_lines(rounds.listed),
        at_lines(loop.called),
        at_lines(conditions.holding),
        _given_backward,
        at_culprit(loop.removed),
        at_lines(conditions.other_flag),
    ),
    "FXA403": (
        lambda g: at_culprit(lambda t, p: loop.moved_behind(t, p, "step"))(g),
        lambda g: at_culprit(lambda t, p: loop.moved_before(t, p, "backward"))(g),
        _removed_where_cleared,
        _removed_and_cleared,
        at_culprit(loop.removed),
    ),
    "FXA404": (
        at_lines(loop.called),
        at_culprit(conditions.staying),
        at_culprit(conditions.asked),
        _cleared,
        at_lines(conditions.holding),
    ),
    "FXA405": (lambda g: at_culprit(lambda t, p: loop.moved_behind(t, p, "backward"))(g),),
    "FXA406": (at_culprit(rounds.before_loop), at_lines(loop.unpinned)),
    "FXA407": (
        _as_set_elsewhere,
        at_culprit(conditions.staying),
        at_culprit(numbers.norm_apart),
        at_culprit(loop.inherited_step),
        at_culprit(optimizers.every_group),
        at_lines(loop.written_to_value),
        at_culprit(rounds.called_at_end),
        at_culprit(numbers.other_power),
        at_lines(values.true_division),
        at_culprit(cuts.without_copy),
        at_culprit(conditions.flipped),
        at_culprit(conditions.holding),
        at_culprit(cuts.without_detach),
        at_culprit(loop.removed),
    ),
    "FXA408": (at_culprit(loop.removed_alike), at_culprit(loop.removed), at_culprit(moves.swapped), *CONDITION),
    "FXA410": (at_culprit(conditions.everywhere),),
    "FXA411": (at_lines(factors.other_value), uncertain(at_lines(factors.not_zero))),
    "FXA501": (
        _as_set_elsewhere,
        at_lines(values.true_division),
        at_lines(numbers.dropping_the_rest),
        at_lines(numbers.within_reach),
        at_lines(values.counted),
        at_births(values.counted),
        at_culprit(values.alive),
        at_culprit(conditions.flipped),
        at_lines(selections.straight_through),
        at_culprit(values.detached),
        at_culprit(selections.drawn_with_gradient),
        at_culprit(values.whole_range),
        at_culprit(selections.unrounded),
        at_culprit(conditions.holding),
        at_lines(conditions.flipped),
        at_lines(values.alive),
        at_culprit(names.respelt),
        at_lines(numbers.other_sign),
        uncertain(at_lines(conditions.other_elements), CHOICE),
        uncertain(at_lines(factors.not_zero)),
        uncertain(at_lines(numbers.without_dropping)),
    ),
    "FXA502": (
        at_lines(numbers.without_nan),
        at_lines(values.finite),
        at_lines(numbers.clamped),
        at_lines(numbers.other_triangle),
        at_lines(values.true_division),
    ),
    "FXA503": (at_culprit(numbers.other_power),),
    "FXA602": (
        at_freezes(freezes.narrowed),
        at_freezes(freezes.thawed),
        at_lines(freezes.thawed),
        *UNFREEZING,
    ),
    "FXA504": (at_lines(values.hook_passing), at_lines(values.true_division), at_culprit(loop.removed)),
}
"""Rule → what may mend it, the likeliest first."""


def candidates(ground: Ground) -> list[Candidate]:
    """What may mend the finding: different texts, at most `MOST`, the likeliest first, then one with a doubt."""
    found: dict[tuple[str, str], Candidate] = {}
    offered = (candidate for offer in FIXES.get(ground.finding.code, ()) for candidate in offer(ground))
    for candidate in itertools.islice(offered, 4 * MOST):
        found.setdefault((candidate.file, candidate.text), candidate)
    certain = [candidate for candidate in found.values() if not candidate.doubt]
    return [*certain[:MOST], *[candidate for candidate in found.values() if candidate.doubt][:1]]
