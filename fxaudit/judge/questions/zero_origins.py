"""Why a gradient is exactly zero, and which line made the zero: one answer for each way in which zeros come about."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from fxaudit.capture import operations
from fxaudit.capture.events import GradientEvent
from fxaudit.capture.recording import Fact
from fxaudit.judge.questions.births import (
    begun_with,
    begun_with_computed,
    born_at,
    divided_twice,
    number_born,
    setting_behind,
    threshold_born,
    unread_setting,
    zero_argument_born,
    zero_factor_born,
)
from fxaudit.judge.questions.cancelling import alias, given_twice, returned_twice
from fxaudit.judge.questions.chosen_class import chosen_by
from fxaudit.judge.questions.differences import difference_of_one
from fxaudit.judge.questions.empty_writes import idle_write
from fxaudit.judge.questions.ignored_targets import (
    DEFAULT_IGNORED,
    ignored_instead,
    ignored_labels,
    ignored_written,
    target_cut_off,
)
from fxaudit.judge.questions.instances import only_here
from fxaudit.judge.questions.lengths import divided_besides
from fxaudit.judge.questions.lost_writes import LostWrite, lost_write
from fxaudit.judge.questions.made_in_python import made_in_python
from fxaudit.judge.questions.masking import (
    data_made,
    emptied_by,
    hiding_mask,
    last_bend,
    multiplied_behind,
    multiplied_mask,
    one_step_long,
    part_read_alone,
    tested_data,
)
from fxaudit.judge.questions.padding import NO_PADDING, padding_of_its_own
from fxaudit.judge.questions.shifted import shifted_below
from fxaudit.judge.questions.written_for import where_given, where_picked
from fxaudit.judge.questions.zeros import factor_origins, fills_with_zeros, integer_zero, zero_number, zeros_given
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import method_call_of, project_stack, source_at
from fxaudit.judge.vanishing import Vanishing
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.birth import Birth
from fxaudit.program.names import growth_not_reached
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import tree_of

if TYPE_CHECKING:
    from fxaudit.capture.recording import Op
    from fxaudit.capture.registry import ModuleInfo

__all__ = ["ZeroOrigins"]

EARLY = (
    "Read the last step of each direction: that of the way back is the first of the sequence, or take the final state."
)
DROPS = Fact(
    "dropout drops everything",
    "Lower its probability `p`: it is the share that is dropped, not the share that is kept.",
)
BY_ZERO = Fact(
    "it is multiplied by 0", "Give the factor another value, or leave the term out and freeze what only it trains."
)
ALL_ZERO = Fact(
    "a backward multiplies it by what its forward kept, and all of that is 0",
    "Look at what is compared here: nothing passes, so that no gradient does.",
)
CANCELS = Fact(
    "the gradients of its uses cancel out", "Give each use what is its own: two of them get the same numbers."
)
OF_ONE = "Take it over the dimension that is meant, or give it more than one: along this one there is only one number."
_SHORTER = "no output may be shorter than its target."
INFINITE = Fact(
    "every loss of `ctc_loss` is infinite, and `zero_infinity` makes it 0",
    f"Compare the lengths that it is given: {_SHORTER}",
)
SHORTENED = Fact(INFINITE.sentence, f"Look at what the lengths are divided by here: {_SHORTER}")
DIVIDED_TWICE = Fact(f"{INFINITE.sentence}: the lengths are divided twice", "Divide the lengths once.")
OUTPUTS, LENGTHS = 0, 2
"""Which inputs of `ctc_loss` are the outputs, and say how long they are."""
MAX_BEHIND = 12
"""So many operations are gone back from a product."""
UNFILLED = "nothing is added to the zeros that it begins with"
NOTHING = "Look at what selects: print how many elements are left, and skip the term where there is none."

BEGIN = "Begin with another number: here the function is flat, and no gradient ever moves it from there."
NO_CURVE = Fact(
    "its second derivative is zero", "Use an activation that bends everywhere, such as tanh, SiLU or a sine."
)
DIVIDING = frozenset({"floor_divide", "rfloordiv"})
DIVIDE = "Divide with `/`, so that shares stay what they are."
SHIFTED = "Look at the sign of the number that is added or subtracted here: a margin is added to what is to be small."
CUT_OFF = "Raise this length: all targets that count are behind it, and cut off."
Lines = list[tuple[SourceLine | None, str]]
Origin = tuple[SourceLine | None, Lines, Fact]
"""The line to blame, what is related to it, and the fact."""


class ZeroOrigins:
    """Answers for one audit."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._filled = _filled_outside(audit)
        self._lost: dict[tuple[int, int], LostWrite | None] = {}
        """(where a gradient vanishes, the origin of that) → the write to blame."""

    def of(self, state: ParameterState, found: Vanishing | None) -> Origin:
        """Why the gradient of the parameter is zero; `found` is where it vanishes."""
        culprit, related, why = self._of(state, found)
        for index in (found.origin, found.bites) if found is not None and culprit is not None else ():
            if index >= 0 and culprit == self._audit.op_source(index):
                made = only_here(self._audit, index)
                if made is not None:
                    return (
                        made,
                        [(culprit, "its gradient vanishes here, and that of others of its class does not"), *related],
                        why,
                    )
        return culprit, related, why

    def _of(self, state: ParameterState, found: Vanishing | None) -> Origin:
        audit = self._audit
        in_vain = self._put_together(found) or self._written_into_a_copy(found)
        if in_vain is not None:
            return in_vain
        written = [e for e in audit.record.events if isinstance(e, GradientEvent) and e.track == state.index]
        if found is None and written:
            zeros: Origin = audit.source(written[-1].stack), [], Fact("the program writes zeros into it")
            return difference_of_one(audit, written[-1].stack) or zeros
        if found is None:
            events = [e for e in audit.graph.backwards if state.index in e.arrived]
            line = audit.source(events[-1].stack) if events and audit.judge.looped else None
            return line, [], Fact("where it vanishes was not seen")
        bites = audit.op_source(found.bites)
        name = audit.record.ops[found.bites].name if found.bites >= 0 else found.node
        match found.how:
            case "number":
                return self._by_number(found, bites)
            case "factor":
                return self._read_early(state, found, bites, name) or self._by_factor(found, bites, name)
            case "backward":
                related = [(bites, "applied here"), (integer_zero(audit, found.bites), "a whole number is made here")]
                at = audit.record.ops[found.origin].stack if found.origin >= 0 else -1
                factor = zero_factor_born(audit.record, at, 1) if at >= 0 else None
                if factor is not None and factor.is_a_setting:
                    line, stations = born_at(factor)
                    told = [
                        (audit.op_source(found.origin), "multiplied by it here"),
                        (bites, "applied here"),
                        *stations,
                    ]
                    return line, told, Fact("a backward multiplies it by 0", unread_setting(factor) or BY_ZERO.help)
                applied = audit.record.ops[found.bites] if found.bites >= 0 else None
                saved = method_call_of(audit.project_files, applied.detail, "save_for_backward") if applied else None
                nothing = self._saved_as_zeros(found)
                if nothing is not None:
                    return nothing, [(audit.op_source(found.origin), "multiplied by it here"), *related[:1]], ALL_ZERO
                related.append((saved, "what it computes with is saved here"))
                return audit.op_source(found.origin), related, Fact("a backward returns zeros")
            case "empty":
                return self._by_selection(found, bites, name)
            case "selected":
                return bites, [], Fact(f"`{name}` reads another part of what it is joined with")
            case "cancelled":
                same = alias(bites) or given_twice(audit.project_files, bites)
                if same is None and self._uses_differ(state):
                    same = returned_twice(audit.project_files, audit.record.ran())
                if same is not None:
                    return same, [(bites, f"`{name}` cancels it here")], CANCELS
                return bites, [], Fact(f"what comes back through `{name}` cancels out")
        return self._by_derivative(state, found, bites, name)

    def _saved_as_zeros(self, found: Vanishing) -> SourceLine | None:
        """The line in the forward of a custom function that made what its backward multiplies by, where all of that is
        0."""
        record, stacks = self._audit.record, self._audit.record.stacks
        backward = record.ops[found.origin] if found.origin >= 0 else None
        for vid in backward.inputs if backward is not None else ():
            value = record.values[vid]
            op = record.ops[value.op] if value.op >= 0 else None
            if backward is None or op is None or not value.zero or value.requires_grad or op.phase == backward.phase:
                continue
            inside = [frame for frame in stacks.chain(op.stack) if stacks.codes[frame].co_name == "forward"]
            if inside and stacks.file(inside[0]) == stacks.file(backward.stack):
                return self._audit.source(inside[0])
        return None

    def _uses_differ(self, state: ParameterState) -> bool:
        """Whether each operation that reads the parameter got another tensor beside it."""
        graph, own = self._audit.graph, set(state.track.values)
        beside = [set(op.inputs) - own for vid in own for op in graph.consumers.get(vid, ())]
        met = [vid for inputs in beside for vid in inputs if self._audit.record.values[vid].track < 0]
        return len(beside) > 1 and len(met) == len(set(met))

    def _put_together(self, found: Vanishing | None) -> Origin | None:
        """Where the program's own functions made the whole numbers that leave everything out."""
        if found is None or found.fact is None or not found.fact.leaves_out or found.bites < 0:
            return None
        audit = self._audit
        own = padding_of_its_own(audit, found.bites)
        if own is not None:
            name = audit.record.ops[found.bites].name
            behind: Lines = [*own[1], (audit.op_source(found.bites), "looked up here")]
            return own[0], behind, Fact(_why(found, name, "").sentence, NO_PADDING)
        if ignored_instead(audit, found.bites) is not None or target_cut_off(audit, found.bites) is not None:
            return None
        index = found.bites
        is_lookup = operations.of(audit.record.ops[index].name).looks_up
        wanted = {0, *audit.record.ops[index].numbers} if is_lookup else ignored_labels(audit, index)
        made = made_in_python(audit, index, wanted)
        if made is None:
            return None
        name = audit.record.ops[index].name
        line, related = made
        return line, [*related, (audit.op_source(index), f"`{name}` leaves them out")], _why(found, name, "")

    def _written_into_a_copy(self, found: Vanishing | None) -> Origin | None:
        """Where what a mask, a factor or a target was to be given went into a copy of it."""
        if found is None or found.bites < 0:
            return None
        place = found.bites, found.origin
        if place not in self._lost:
            self._lost[place] = lost_write(self._audit, found)
        lost = self._lost[place]
        if lost is None:
            return None
        name = self._audit.record.ops[found.bites].name
        otherwise = "nothing is selected" if found.how == "empty" else f"`{name}` hands back zeros for it"
        told: Lines = [
            (lost.copied, "a copy is made here, and dropped"),
            (lost.made, "what was to be written into is made here"),
            (self._audit.op_source(found.bites), f"`{name}` reads it as it was"),
        ]
        sentence = f"{_why(found, name, otherwise).sentence}, as what was to be written there goes into a copy"
        return lost.line, [one for one in told if one[0] != lost.line], Fact(sentence, lost.fix)

    def _by_number(self, found: Vanishing, bites: SourceLine | None) -> Origin:
        audit = self._audit
        growth = _never_grows(audit, found.bites)
        if growth:
            return growth[0][0], [*growth[1:], (bites, "begins with zero here")], Fact(growth[0][1])
        born = zero_factor_born(audit.record, audit.record.ops[found.bites].stack) if found.bites >= 0 else None
        if born is not None:
            line, stations = born_at(born)
            return line, [(bites, "multiplied by 0 here"), *stations], _by_zero(born)
        literal = zero_number(audit, found.bites, frames=1)
        behind = factor_origins(audit, found.bites) if literal is None else []
        literal = literal or (behind[0][0] if behind else None) or zero_number(audit, found.bites)
        return literal or bites, [(bites, "multiplied by 0 here"), *behind], BY_ZERO

    def _by_factor(self, found: Vanishing, bites: SourceLine | None, name: str) -> Origin:
        audit = self._audit
        origin, used = audit.op_source(found.origin), (bites, f"`{name}` multiplies with it here")
        dropped = _dropped(audit, found.origin)
        if dropped is not None:
            return dropped, [(origin, "everything is dropped here")], DROPS
        chosen = self._compared(found.bites, used) if found.bites >= 0 and operations.of(name).masks else None
        if chosen is not None and self._is_drawn(found.bites):
            why = _why(found, name, chosen[2].sentence)
            return chosen[0], chosen[1], Fact(why.sentence, chosen[2].help or why.help)
        born = self._given_zero(found.origin)
        if born is not None:
            line, stations = born_at(born)
            return line, [(origin, "zeros are left here"), used, *stations], _by_zero(born)
        nothing = self._choosing_nothing(found.origin)
        if nothing is not None:
            line, stations = born_at(nothing)
            advice = unread_setting(nothing) or NOTHING
            return (
                line,
                [(origin, "this writes nowhere, and all of it stays 0"), used, *stations],
                Fact(UNFILLED, advice),
            )
        literal = _multiplied_by_zero(audit, found.origin)
        if literal is not None:
            return literal, [(origin, "multiplied by 0 here")], BY_ZERO
        chosen_by_data = found.bites >= 0 and operations.of(name).masks and not self._is_drawn(found.bites)
        compared = self._compared(found.origin, used) if not chosen_by_data else None
        if compared is not None:
            return compared
        bend = last_bend(audit, found.origin)
        if bend >= 0:
            kink = _module_made(audit, bend) or audit.op_source(bend)
            taken = (origin, "a second derivative is taken here")
            choice = chosen_by(audit, bend)
            if choice is None:
                return kink, [taken], NO_CURVE
            line, stations = born_at(choice)
            return line, [(kink, "made here, of the class that this chooses"), *stations, taken], NO_CURVE
        unfilled = idle_write(audit, found.origin)
        compared = self._compared(unfilled.index, used) if unfilled is not None else None
        if compared is not None:
            return compared[0], compared[1], Fact(UNFILLED, NOTHING)
        test = audit.op_source(emptied_by(audit, unfilled.index)) if unfilled is not None else None
        if test is not None and unfilled is not None:
            written = (audit.op_source(unfilled.index), "nothing is selected here, and all of it stays 0")
            return test, [written, used], Fact(UNFILLED, NOTHING)
        mask = audit.op_source(multiplied_mask(audit, found.origin))
        if mask is not None and origin is not None:
            return mask, [(origin, "what is left of it by this mask is 0"), used], _why(found, name, BY_ZERO.sentence)
        alone = self._of_one(found.origin)
        if alone is not None:
            line, stations = born_at(alone)
            return line, [(origin, "what is left of one is 0"), used, *stations], _why(found, name, BY_ZERO.sentence)
        mean = self._mean_of_one(found.origin)
        if mean is not None:
            line, reducing = mean
            words = f"`{reducing}` along a dimension of size 1 is subtracted, and nothing is left"
            return line, [(origin, "what is left of one is 0"), used], Fact(words, OF_ONE)
        both = self._both_zero(found)
        if both is not None and origin is not None:
            return both, [(origin, "the other factor is filled with zeros here"), used], _why(found, name, "")
        constant = _constant_behind(audit, found.origin, self._filled)
        if constant is not None:
            flat = (origin, f"`{audit.record.ops[found.origin].name}` is zero there")
            return constant, [flat, used], _why(found, name, f"`{name}` multiplies it with zeros")
        tested = tested_data(audit, found.origin)
        if tested not in (-1, found.origin):
            part = (origin, "of all that is told there this part is read, and none of it is true")
            return audit.op_source(tested), [part, used], _why(found, name, f"`{name}` multiplies it with zeros")
        # What was made before anybody watched has no line but the one that the source tells.
        given = zeros_given(audit, found.bites) if found.origin in (-1, found.bites) else []
        more = [(line, "filled with zeros, too") for line in given[1:]]
        why = _why(found, name, f"`{name}` multiplies it with zeros")
        return given[0] if given else origin or bites, [used, *more], why

    def _is_drawn(self, index: int) -> bool:
        """Whether the mask of the operation was made by a comparison with numbers drawn at random: a probability."""
        values, ops = self._audit.record.values, self._audit.record.ops
        queue = [values[vid].op for vid in ops[index].inputs if not values[vid].floating]
        for maker in queue:
            if maker < 0 or len(queue) > MAX_BEHIND:
                continue
            behind = [values[vid].op for vid in ops[maker].inputs]
            if operations.of(ops[maker].name).compares:
                return any(other >= 0 and operations.of(ops[other].name).draws for other in behind)
            queue += behind
        return False

    def _of_one(self, index: int) -> Birth | None:
        """The birth of the 1 that somebody set for the size of a group, whose mean is subtracted from its members."""
        record = self._audit.record
        op = record.ops[index] if index >= 0 else None
        if op is None or not operations.of(op.name).subtracts or len(op.inputs) < 2:
            return None
        first = record.values[op.inputs[0]]
        makers = [record.ops[made] for vid in op.inputs[1:] if (made := record.values[vid].op) >= 0]
        is_mean = any(operations.of(maker.name).reduces and op.inputs[0] in maker.inputs for maker in makers)
        found = setting_behind(record, index, 0) if is_mean and 1 in first.shape else None
        return found if found is not None and found.value == 1 else None

    def _mean_of_one(self, index: int) -> tuple[SourceLine, str] | None:
        """(the line, the operation) that takes the mean, or the like, along a dimension of size 1, where the operation
        subtracts it from what it is taken of."""
        record = self._audit.record
        op = record.ops[index] if index >= 0 else None
        if op is None or not operations.of(op.name).subtracts or len(op.inputs) < 2:
            return None
        for vid in op.inputs[1:]:
            made = record.values[vid].op
            maker = record.ops[made] if made >= 0 else None
            if maker is None or not operations.of(maker.name).reduces or op.inputs[0] not in maker.inputs:
                continue
            line, here = self._audit.op_source(made), self._audit.op_source(index)
            is_elsewhere = line is not None and here is not None and (line.file, line.line) != (here.file, here.line)
            if line is not None and is_elsewhere and record.values[vid].numel == record.values[op.inputs[0]].numel:
                return line, maker.name
        return None

    def _both_zero(self, found: Vanishing) -> SourceLine | None:
        """Where both factors of a product are 0: the line that filled the one that is nearer to the input, which the
        help says to start away from 0."""
        if found.fact is None or not found.fact.sentence.startswith("both factors") or found.bites < 0:
            return None
        record = self._audit.record
        direct = record.ops[found.bites].inputs
        queue, seen = [*direct], set[int]()
        zeroing: list[Op] = []
        for vid in queue:
            value = record.values[vid]
            if value.zero is False or (value.zero is None and vid not in direct):
                continue  # it has no part in the zero
            writes = [op for op in self._filled.get(value.track, ()) if op.index < found.bites]
            if writes and (operations.of(writes[-1].name).fresh == "zeros" or set(writes[-1].numbers) == {0}):
                zeroing.append(writes[-1])
            if value.op >= 0 and value.op not in seen and len(seen) < MAX_BEHIND:
                seen.add(value.op)
                queue += record.ops[value.op].inputs
        other = [op for op in (record.ops[found.origin],) if op not in zeroing] if found.origin >= 0 else []
        frames = where_picked(record, [*zeroing, *other])[: len(zeroing)]
        frames = frames or [where_given(record, op.stack) for op in zeroing]
        lines = [self._audit.source(frame) for frame in frames]
        stood = [self._audit.source(op.stack) for op in zeroing]
        written = [line for line, at in zip(lines, stood, strict=True) if at is not None and fills_with_zeros(at)]
        return next(iter((written or lines)[::-1]), None)

    def _by_selection(self, found: Vanishing, bites: SourceLine | None, name: str) -> Origin:
        selects = (bites, f"`{name}` selects nothing here")
        why = Fact("nothing is selected, and it is computed from nothing", NOTHING)
        born = self._given_zero(found.origin)
        if born is not None:
            line, stations = born_at(born)
            return line, [selects, *stations], why
        compared = self._compared(found.origin, selects)
        if compared is not None:
            return compared[0], compared[1], why
        return self._audit.op_source(found.origin) or bites, [selects], why

    def _read_early(
        self, state: ParameterState, found: Vanishing, bites: SourceLine | None, name: str
    ) -> Origin | None:
        """Where the result of a recurrent layer is read before the weight has any effect, that is multiplied with the
        state before: its first step, or the last one of the way back."""
        if ".weight_hh" not in f".{state.local_name}":  # as torch calls it
            return None
        part = part_read_alone(self._audit, found.bites)
        if part is not None:
            return part, [(bites, f"`{name}` makes it")], Fact("what comes out is read before it has any effect", EARLY)
        short = one_step_long(self._audit, found.bites)
        if short is not None:
            return short, [(bites, f"`{name}` gets sequences of one step")], Fact("every sequence is one step long")
        return None

    def _by_derivative(self, state: ParameterState, found: Vanishing, bites: SourceLine | None, name: str) -> Origin:
        audit = self._audit
        if found.part >= 0:
            return self._by_part(found, bites)
        if operations.of(name).replaces:
            first, *others = _writes(audit, found.bites)
            also = [(audit.source(op.stack), f"`{op.name}` overwrites a part of it, too") for op in others]
            return audit.source(first.stack), also, Fact(f"`{name}` overwrites what is computed from it")
        made = _module_made(audit, found.bites)
        dropped = _dropped(audit, found.bites) or (made if _drops_everything(audit, found.bites) else None)
        if dropped is not None:
            return dropped, [(bites, "everything is dropped here")], DROPS
        early = self._read_early(state, found, bites, name)
        if early is not None:
            return early
        if name == "ctc_loss" and found.node.startswith("Where"):
            return self._by_lengths(found, bites)
        why = _why(found, name, f"`{name}` hands back zeros for it")
        if made is not None and "dimension of size 1" in why.sentence:
            return made, [(bites, f"`{name}` is applied here")], why
        fed = audit.op_source(audit.graph.fed_from_outside[found.bites]) if found.bites >= 0 else None
        constant = _constant_behind(audit, found.bites, self._filled)
        if constant is not None:
            return constant, [(bites, f"`{name}` is flat there"), (fed, "its input comes from here")], why
        begun = begun_with(audit.record, found.bites)
        if begun is not None:
            line, stations = born_at(begun)
            return line, [(bites, f"`{name}` is flat there"), *stations], Fact(why.sentence, BEGIN)
        computed = begun_with_computed(audit.record, found.bites)
        if computed >= 0:
            begins = audit.source(project_stack(audit.record.stacks, computed))
            return begins, [(bites, f"`{name}` is flat there")], Fact(why.sentence, BEGIN)
        if found.fact is not None and found.fact.masked:
            mask = audit.op_source(multiplied_behind(audit, found.bites))
            if mask is not None:
                return mask, [(bites, f"`{name}` gets no gradient but there")], why
        if found.fact is not None and found.fact.given_large:
            made_from = audit.op_source(data_made(audit, audit.graph.fed_from_outside[found.bites]))
            if made_from is not None:
                return made_from, [(bites, f"`{name}` is flat there"), (fed, "it goes in here, not scaled")], why
        leaves_out = found.fact is not None and found.fact.leaves_out
        lookup = ignored_instead(audit, found.bites) if leaves_out else None
        if lookup is not None:
            where, looked_up = source_at(*lookup.place), source_at(lookup.file, lookup.line)
            told: Lines = [(looked_up, lookup.sentence), (bites, f"`{name}` leaves them out")]
            return where, told, Fact(why.sentence, lookup.advice)
        cut = target_cut_off(audit, found.bites) if leaves_out and lookup is None else None
        if cut is not None:
            line, stations = born_at(cut[0])
            told = [(source_at(*cut[1:]), "what is longer is cut off here"), *stations]
            return line, [*told, (bites, f"`{name}` leaves them out")], Fact(why.sentence, CUT_OFF)
        ignored = ignored_written(audit, found.bites) if leaves_out else None
        if ignored is not None:
            return ignored, [(bites, f"`{name}` leaves them out")], why
        compared = self._compared(found.bites, (bites, f"`{name}` chooses here")) if not leaves_out else None
        if compared is not None:
            return compared[0], compared[1], why
        op = audit.record.ops[found.bites] if found.bites >= 0 else None
        numbers = _bounds(op.numbers, why.sentence) if op is not None else set()
        numbers -= {DEFAULT_IGNORED} if leaves_out else set()  # a name for it is right
        bound = number_born(audit.record, op.stack, numbers.__contains__) if op is not None and numbers else None
        if bound is not None and op is not None:
            line, stations = born_at(bound)
            asking = _who_leaves_it(audit, op, bound) if "dimension of size 1" in why.sentence else None
            if asking is not None:
                return asking, [(line, "this default is taken"), (bites, f"`{name}` is flat there")], why
            return line, [(bites, f"`{name}` is flat there"), *stations], why
        shifted = shifted_below(audit, found.bites) if "0 or less" in why.sentence else None
        if shifted is not None:
            told = [*shifted[1], (bites, f"`{name}` is flat there")]
            return shifted[0], told, Fact(why.sentence, SHIFTED)
        related: Lines = [
            (hiding_mask(audit, found.bites), "what hides it is made here"),
            (made, "the module is made here"),
            (_target_written(audit, found.bites), f"its {_read_by(op)} written here"),
            (fed, "its input comes from here"),
        ]
        return bites, related, why

    def _by_lengths(self, found: Vanishing, bites: SourceLine | None) -> Origin:
        """Where the lengths of all outputs are too short: the second of two divisions, or the setting behind them."""
        audit, given = self._audit, (bites, "it is given the lengths here")
        twice = divided_twice(audit.record, found.bites, LENGTHS)
        if twice is not None:
            birth, again, before = twice
            here = source_at(birth.file, birth.line)
            told = [(audit.source(before), "it is divided here already"), (here, "by this")]
            return audit.source(again), [*told, given], DIVIDED_TWICE
        besides = divided_besides(audit.record, found.bites, OUTPUTS, LENGTHS) if found.bites >= 0 else None
        if besides is not None:
            why = f"{INFINITE.sentence}: the lengths are divided by {besides.by:g} although they count the data already"
            fix = f"Leave this division out: the outputs are shorter than the data by {besides.rightly:g} alone."
            return source_at(*besides.place), [given], Fact(why, fix)
        shortened = setting_behind(audit.record, found.bites, LENGTHS)
        if shortened is None:
            divided = self._divided(found.bites)
            return (divided, [given], SHORTENED) if divided is not None else (bites, [given], INFINITE)
        line, stations = born_at(shortened)
        return line, [given, *stations], INFINITE

    def _divided(self, index: int) -> SourceLine | None:
        """The nearest division from which the lengths come that the loss is given for what comes out."""
        record = self._audit.record
        given = record.ops[index].inputs[LENGTHS : LENGTHS + 1] if index >= 0 else ()
        makers = [record.values[vid].op for vid in given]
        for maker in makers:
            if maker < 0 or len(makers) > MAX_BEHIND:
                continue
            if operations.of(record.ops[maker].name).name in DIVIDING:
                return self._audit.op_source(maker)
            makers += [record.values[vid].op for vid in record.ops[maker].inputs]
        return None

    def _by_part(self, found: Vanishing, bites: SourceLine | None) -> Origin:
        """Where the rows of this part meet zeros of a factor that is not zero everywhere: what made the factor."""
        audit, record = self._audit, self._audit.record
        product = record.ops[found.part]
        other = next((vid for vid in product.inputs if not record.values[vid].requires_grad), -1)
        made = record.values[other].op if other >= 0 else -1
        while made >= 0 and record.ops[made].inputs and _hands_on_parts(record.ops[made]):
            made = record.values[record.ops[made].inputs[0]].op
        why = found.part_fact.of(product.name) if found.part_fact is not None else BY_ZERO
        here = (audit.source(product.stack), f"`{product.name}` multiplies with it here")
        if made < 0:
            return here[0], [(bites, "no gradient comes back to here")], why
        maker = record.ops[made]
        if operations.of(maker.name).name in DIVIDING:
            why = Fact(f"{why.sentence}, where an integer division makes 0 of what is below 1", DIVIDE)
        return audit.source(maker.stack), [here, (bites, "no gradient comes back to here")], why

    def _compared(self, index: int, used: tuple[SourceLine | None, str]) -> Origin | None:
        """Where nothing, or everything, passed a comparison: the line from which the number has its value."""
        found = threshold_born(self._audit.record, index) if index >= 0 else None
        if found is None:
            return None
        birth, op = found
        line, stations = born_at(birth)
        number = ", ".join(f"{value:g}" for value in op.numbers)
        why = Fact(f"`{op.name}` with {number} decides alike everywhere", unread_setting(birth))
        return line, [(self._audit.source(op.stack), f"compared with {number} here"), used, *stations], why

    def _given_zero(self, index: int) -> Birth | None:
        """The birth of a 0 that the operation was given as a bound or a count."""
        return zero_argument_born(self._audit.record, self._audit.record.ops[index].stack, 1) if index >= 0 else None

    def _choosing_nothing(self, index: int) -> Birth | None:
        """The birth of a 0 by which it was chosen where the operation writes, so that it writes nowhere."""
        record = self._audit.record
        op = record.ops[index] if index >= 0 and record.ops[index].mutates else None
        while op is not None:
            empty = [record.values[vid].op for vid in op.inputs if record.values[vid].numel == 0]
            if not empty:
                return zero_argument_born(record, op.stack, 1) if op.index != index else None
            op = record.ops[empty[0]] if empty[0] >= 0 else None
        return None


def _who_leaves_it(audit: Audit, op: Op, born: Birth) -> SourceLine | None:
    """The call of the function that ran the operation, where the number is the default of its argument: for what this
    call gives it, another dimension is the right one."""
    tree, stacks = tree_of(born.file), audit.record.stacks
    function = tree.statement_at(born.line) if tree is not None else None
    chain = stacks.chain(project_stack(stacks, op.stack))
    is_its_own = isinstance(function, ast.FunctionDef) and stacks.function(chain[0]).endswith(function.name)
    return audit.source(chain[1]) if is_its_own and len(chain) > 1 else None


def _bounds(numbers: Iterable[float], sentence: str) -> set[float]:
    """Of the numbers of an operation those that the sentence tells of, where it tells of a bound; else all but 0 and
    1."""
    told = {number for number in numbers if f"at least {number:g} " in sentence or f"at most {number:g} " in sentence}
    return told or set(numbers) - {0.0, 1.0}


def _hands_on_parts(op: Op) -> bool:
    """Whether it gives parts of its first input on, or the same in another form."""
    operation = operations.of(op.name)
    return operation.view or operation.copies or operation.selects or operation.looks_up


def _by_zero(born: Birth) -> Fact:
    return Fact(BY_ZERO.sentence, unread_setting(born) or BY_ZERO.help)


def _why(found: Vanishing, name: str, otherwise: str) -> Fact:
    """What the autograd node told of its numbers, else the words that are true without them."""
    return found.fact.of(name) if found.fact is not None else Fact(otherwise)


def _writes(audit: Audit, index: int) -> list[Op]:
    """The operation and the later writes into the same tensor, which may overwrite the rest of it; largest first."""
    graph, found = audit.graph, [audit.record.ops[index]]
    queue, seen = list(audit.record.ops[index].outputs), {index}
    while queue:
        for op in graph.consumers.get(queue.pop(0), ()):
            if operations.of(op.name).replaces and op.mutates and op.index not in seen:
                seen.add(op.index)
                found.append(op)
                queue.extend(op.outputs)
    values = audit.record.values
    return sorted(found, key=lambda op: -max((values[vid].numel for vid in op.inputs[1:]), default=0))


def _dropped(audit: Audit, index: int) -> SourceLine | None:
    """The line that set how much a dropout module drops, where the operation is one's."""
    if index < 0 or not operations.of(audit.record.ops[index].name).drops:
        return None
    return _module_made(audit, index) or _child_made(audit, index)


def _multiplied_by_zero(audit: Audit, index: int) -> SourceLine | None:
    """The line that gave a factor its value 0, where the operation multiplies by the number 0."""
    op = audit.record.ops[index] if index >= 0 else None
    if op is None or 0 not in op.numbers or not operations.of(op.name).scaled:
        return None
    return zero_number(audit, index)


def _never_grows(audit: Audit, index: int) -> list[tuple[SourceLine, str]]:
    """What keeps every term from being added to a sum that begins with zero times something: (line, role) pairs."""
    stacks = audit.record.stacks
    frame = project_stack(stacks, audit.record.ops[index].stack) if index >= 0 else -1
    if frame < 0:
        return []
    file = stacks.file(frame)
    found = growth_not_reached(file, stacks.line(frame), audit.record.ran().of(file))
    # Where nobody heard of all lines, that a loop has no round is only guessed from its body.
    found.sort(key=lambda obstacle: not obstacle.condition)
    return [(source_at(o.file, o.line), f"no term is added to it: {o.role}") for o in found[:2]]


def _drops_everything(audit: Audit, index: int) -> bool:
    """Whether the module that ran the operation drops with probability 1 inside, as a recurrent layer does."""
    call = audit.record.ops[index].module
    return call >= 0 and audit.recording.modules[audit.record.calls[call].module].settings.get("dropout") == 1


def _module_made(audit: Audit, index: int) -> SourceLine | None:
    """Where the module that ran the operation was made, or a setting of it assigned later, if it is one of torch's
    own."""
    call = audit.record.ops[index].module if index >= 0 else -1
    if call < 0:
        return None
    info = audit.recording.modules[audit.record.calls[call].module]
    return _made(audit, info) if _is_torchs(audit, info) else None


def _child_made(audit: Audit, index: int) -> SourceLine | None:
    """The same for a dropout layer that lends its setting to `F.dropout(…, p=self.dropout.p)`."""
    call = audit.record.ops[index].module
    module = audit.recording.modules[audit.record.calls[call].module] if call >= 0 else None
    for child in (audit.recording.modules[index] for index in module.children.values()) if module is not None else ():
        if _is_torchs(audit, child) and child.settings.get("p") == 1:
            return _made(audit, child)
    return None


def _is_torchs(audit: Audit, module: ModuleInfo) -> bool:
    return module.is_alive and audit.recording.class_of(module).module.startswith("torch.nn")


def _made(audit: Audit, info: ModuleInfo) -> SourceLine | None:
    settings = [entry for entries in info.attributes.values() for entry in entries if entry[2] == "number"]
    time, stack = max(((time, stack) for time, stack, _ in settings), default=(-1, -1))
    return audit.source(stack if time > info.created_time else info.created) or audit.source(stack)


def _filled_outside(audit: Audit) -> dict[int, list[Op]]:
    """Track → the operations outside every module that gave it a whole new value, in their order."""
    tracks = {vid: track.index for track in audit.record.tracks for vid in track.values}
    found: dict[int, list[Op]] = {}
    for op in audit.record.ops:
        if op.module < 0 and operations.of(op.name).replaces_all:
            for track in {tracks[vid] for vid in op.mutates if vid in tracks}:
                found.setdefault(track, []).append(op)
    return found


def _target_written(audit: Audit, index: int) -> SourceLine | None:
    """The line outside every module that last wrote into the whole numbers that the operation got: a loss's target."""
    record = audit.record
    queue = [vid for vid in record.ops[index].inputs if not record.values[vid].floating] if index >= 0 else []
    seen: set[int] = set()
    while queue:
        vid = queue.pop(0)
        made = record.values[vid].op
        if vid in seen or made < 0:
            continue
        seen.add(vid)
        op = record.ops[made]
        if op.mutates and op.module < 0:
            return audit.source(op.stack)
        queue.extend(source for source in op.inputs if not record.values[source].floating)
    return None


def _read_by(op: Op | None) -> str:
    """What the whole numbers and flags are that an operation got, with the verb."""
    operation = operations.of(op.name) if op is not None else None
    if operation is None or not (operation.masks or operation.looks_up):
        return "target is"
    return "mask is" if operation.masks else "indices are"


def _constant_behind(audit: Audit, index: int, filled: dict[int, list[Op]]) -> SourceLine | None:
    """The user's line that set a parameter of the operation just before to one constant, such as a bias of -50."""
    record = audit.record
    before = (
        [record.values[vid].op for vid in record.ops[index].inputs if record.values[vid].op >= 0] if index >= 0 else []
    )
    for op in before:
        for vid in record.ops[op].inputs:
            track = record.values[vid].track
            writes = [writer for writer in filled.get(track, ()) if writer.index < op] if track >= 0 else []
            if (
                writes
                and record.tracks[track].is_constant
                and (record.tracks[track].numel > 1 or operations.of(writes[-1].name).fresh == "numbers")
            ):
                return audit.source(writes[-1].stack)
    return None
