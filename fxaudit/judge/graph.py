"""The graph of what was recorded, and the questions that verdicts and rules ask of it.

Every answer is linear in the number of recorded operations, iterative, and computed at most once.
"""

from __future__ import annotations

import bisect
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from fxaudit.capture import operations
from fxaudit.capture.events import BackwardEvent
from fxaudit.capture.recording import Op, Record, Value
from fxaudit.judge.walks import sweep
from fxaudit.program.flow import Flow, onwards, shortest, way
from fxaudit.program.tainted import may_flow, may_leave

__all__ = ["Cut", "CutKind", "StepGraph", "UnusedValue"]

CutKind = Literal["detached", "no_grad", "left_torch", "rewrapped", "non_differentiable", "checkpoint", "opaque"]

NOWHERE = -1
"""The end of what ends nowhere; all values are larger."""


@dataclass(frozen=True, slots=True)
class Cut:
    """An operation whose input carries gradient and whose output, on the way to the loss, does not."""

    op: int
    value: int
    kind: CutKind
    inferred: bool = False
    """Follows a Python number by inference, not by identity."""


@dataclass(frozen=True, slots=True)
class UnusedValue:
    """The last value that a parameter reaches, and the operation that made it."""

    op: int
    value: int


class StepGraph(Flow):
    """Data and gradient edges between the recorded values, from parameters to losses."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.ops = [op for op in record.ops if op.phase == "forward" and op.inside < 0]
        self.consumers: dict[int, list[Op]] = {}
        self.python_consumers: dict[int, list[Op]] = {}
        for op in self.ops:
            for vid in op.inputs:
                self.consumers.setdefault(vid, []).append(op)
            for source in op.python_inputs:
                self.python_consumers.setdefault(source, []).append(op)
        self.inferred: set[int] = set()
        self.inferred_inputs: dict[int, tuple[int, ...]] = {}
        """Operation → the escapes whose Python results it is taken to have received; guesses, no facts."""
        self._cuts: dict[int, list[Cut]] = {}
        self._dead_ends: dict[int, UnusedValue | None] = {}
        self._cuts_beyond: dict[int, frozenset[tuple[int, int]]] = {}
        """Value → the cuts on the way from it, as far as they were asked for; shared by all that lie before it."""
        self._ends_carried: dict[int, int] = {}
        self._ends_read: dict[int, int] = {}
        """Value → the last value beyond it at which nothing goes on: where gradient flows back, and by data alone."""
        self._infer_python_edges()

    def python_inputs(self, op: Op) -> tuple[int, ...]:
        """The escapes whose Python results the operation received, proved by identity or inferred."""
        return (*op.python_inputs, *self.inferred_inputs.get(op.index, ()))

    # -- losses --------------------------------------------------------------------------------------------------

    @functools.cached_property
    def backwards(self) -> list[BackwardEvent]:
        """The backwards that accumulate gradients."""
        return self.record.backwards()

    @functools.cached_property
    def losses(self) -> tuple[int, ...]:
        """The values that backward started from; without any backward, the scalars that look like losses."""
        roots = tuple(dict.fromkeys(vid for event in self.backwards for vid in event.roots))
        return roots or self.asked_losses or self.candidate_losses

    @functools.cached_property
    def asked_losses(self) -> tuple[int, ...]:
        """The scalars that a backward would start from: `if loss.requires_grad: loss.backward()` asked them."""
        values = self.record.values
        return tuple(vid for op in self.ops for vid in op.outputs if values[vid].asked)

    @functools.cached_property
    def knows_what_was_asked(self) -> bool:
        """Whether the way to the losses that were asked is seen to its beginning, as no backward shows the rest."""
        return bool(self.asked_losses) and not any(self.record.values[vid].foreign for vid in self.reaching)

    @functools.cached_property
    def is_spoilt(self) -> bool:
        """Whether every loss whose numbers were looked at is NaN or infinite."""
        finite = [known for vid in self.losses if (known := self.record.values[vid].finite) is not None]
        return bool(finite) and not any(finite)

    @functools.cached_property
    def candidate_losses(self) -> tuple[int, ...]:
        """Scalars that carry gradient and end there: what a loop without `backward` would have called it on."""
        found = []
        for op in self.ops:
            for vid in op.outputs:
                value = self.record.values[vid]
                if value.numel == 1 and value.requires_grad and not value.leaf:
                    after = [o for c in self.consumers.get(vid, ()) for o in c.outputs]
                    if not any(self.record.values[o].requires_grad for o in after):
                        found.append(vid)
        return tuple(found)

    @functools.cached_property
    def fed_from_outside(self) -> tuple[int, ...]:
        """For each operation the nearest one outside every module that its inputs come from; -1 where there is none."""
        nearest: list[tuple[int, int]] = []
        ops, values = self.record.ops, self.record.values
        for op in ops:
            makers = (values[vid].op for vid in op.inputs if values[vid].track < 0)
            known = ((1, made) if ops[made].module < 0 else nearest[made] for made in makers if 0 <= made < op.index)
            distance, by = min((one for one in known if one[1] >= 0), key=lambda one: one[0], default=(0, -1))
            nearest.append((distance + 1, by))
        return tuple(by for _, by in nearest)

    # -- what follows and what went before, for every question of a flow --------------------------------------------

    @property
    def ends(self) -> tuple[int, ...]:
        """The losses."""
        return self.losses

    def sources(self, vid: int) -> Iterable[int]:
        """The values that a value was computed from, by data or through Python."""
        op, ops = self.record.maker(vid), self.record.ops
        if op is None:
            return ()
        return (*op.inputs, *(source for escape in self.python_inputs(op) for source in ops[escape].inputs))

    def carried_sources(self, vid: int) -> Iterable[int]:
        """The values to which a value sends gradient directly."""
        values = self.record.values
        after = values[vid]
        op = self.record.maker(vid)
        if op is None or op.phase != "forward" or op.inside >= 0 or op.name == "autograd.grad":
            return ()
        return (source for source in op.inputs if self.carries(values[source], after))

    def carrying_back_to(self, vid: int) -> Iterator[int]:
        """The values that carry gradient back to a value directly."""
        values = self.record.values
        before = values[vid]
        for op in self.consumers.get(vid, ()):
            if op.name != "autograd.grad":
                for out in op.outputs:
                    if out != vid and self.carries(before, values[out]):
                        yield out

    def made_of(self, vid: int) -> Iterator[int]:
        """The values that depend on a value directly, by data or through Python."""
        for op in self.consumers.get(vid, ()):
            yield from self._made_through(op)

    # -- one parameter -------------------------------------------------------------------------------------------

    def values_of(self, track: int) -> tuple[int, ...]:
        """The values that a tracked tensor had."""
        return tuple(self.record.tracks[track].values)

    @functools.cached_property
    def _started(self) -> int:
        """The moment at which the first module was called; the first of all where none was."""
        return self.record.calls[0].time if self.record.calls else 0

    def is_read(self, track: int) -> bool:
        """Whether a forward or a loss reads the tensor.

        Writing it in place is not reading, and neither is what `state_dict`, copies and norms for a log do outside
        every module, unless a loss depends on it.
        """
        values = self.record.values
        for vid in self.values_of(track):
            for op in self.consumers.get(vid, ()):
                if op.index < self._started and operations.of(op.name).detaches and self._is_copying(op):
                    continue  # a constructor that copies a module does not run it
                if vid in op.mutates or op.name == "autograd.grad" or operations.of(op.name).bookkeeping:
                    continue
                if op.module < 0 and self._is_written_through(op):
                    continue
                if op.module >= 0 or any(out in self.reaching or values[out].requires_grad for out in op.outputs):
                    return True
        return False

    def _is_written_through(self, op: Op) -> bool:
        """Whether the operation makes a view that is written to, and used for nothing else."""
        users = [(out, user) for out in op.outputs for user in self.consumers.get(out, ())]
        return operations.of(op.name).view and bool(users) and all(out in user.mutates for out, user in users)

    def is_read_in_time(self, track: int) -> bool:
        """Whether anything reads the tensor once the first module has been called: what a constructor does with it, or
        a merge of adapters before training, is no forward."""
        return any(
            op.index >= self._started and vid not in op.mutates
            for vid in self.values_of(track)
            for op in self.consumers.get(vid, ())
        )

    def was_frozen(self, vid: int, time: int) -> bool:
        """Whether the value is of a tensor that did not require grad then, by the changes that were seen."""
        track = self.record.track_of(vid)
        freezes = track.freezes if track is not None else []
        before = [flag for at, flag, _ in freezes if at <= time]
        return not before[-1] if before else bool(freezes) and freezes[0][1]

    def thawed_after_use(self, track: int) -> tuple[int, int, Op] | None:
        """When and at which stack the tensor was unfrozen, and the operation that read it last, where that was
        before."""
        thaws = [(at, stack) for at, flag, stack in self.record.tracks[track].freezes if flag]
        users = [(op, vid) for vid in self.values_of(track) for op in self.consumers.get(vid, ())]
        reads = [(op, vid) for op, vid in users if vid not in op.mutates and not operations.of(op.name).bookkeeping]
        # What `state_dict` reads for a file is no use of it.
        reads = [(op, vid) for op, vid in reads if op.module >= 0 or not operations.of(op.name).detaches]
        last, value = max(reads, key=lambda read: read[0].index, default=(None, -1))
        if not thaws or last is None or last.index >= thaws[-1][0] or not self.was_frozen(value, last.index):
            return None
        return *thaws[-1], last

    def _is_copying(self, op: Op) -> bool:
        """Whether at most a new Parameter of the same value is made of it, as `copy.deepcopy` does."""
        queue = list(op.outputs)
        for vid in queue:
            for later in self.consumers.get(vid, ()):
                if later.name not in ("Parameter", "clone"):
                    return False
                queue += later.outputs if later.name == "clone" else ()
        return True

    def reaches_by_data(self, track: int) -> bool:
        """Whether the tensor's value has any part in a loss."""
        return any(vid in self.reaching for vid in self._own_values(track))

    def _own_values(self, track: int) -> list[int]:
        """The values of the tensor that forward operations read as the parameter."""
        return [vid for vid in self.values_of(track) if self.record.values[vid].requires_grad]

    def carries(self, before: Value, after: Value) -> bool:
        """Whether gradient can flow back from `after` to `before` through the operation between them."""
        return before.requires_grad and after.requires_grad and not after.leaf

    def nearest_cut(self, track: int) -> int:
        """The stack of the line at which what carries gradient to the tensor first ends; -1 where it does not.

        It needs no loss: what opened the region counts where gradients were switched off.
        """
        values = self.record.values
        for vid in sorted(self.carried([track])):
            for op in self.consumers.get(vid, ()):
                if op.outputs and not any(values[out].requires_grad for out in op.outputs) and op.detail != "escape":
                    return op.region if op.region >= 0 else op.stack
        return -1

    def carried(self, tracks: Iterable[int]) -> set[int]:
        """The values that depend on any of the tensors and carry gradient back to them."""
        return self.carried_from(vid for track in tracks for vid in self._own_values(track))

    def carries_to_loss(self, track: int) -> bool:
        """Whether some loss carries gradient back to the tensor, by the recorded operations alone."""
        return any(vid in self.carrying for vid in self._own_values(track))

    @functools.cached_property
    def carrying_calls(self) -> set[tuple[int, str]]:
        """(stack, name) of the operations from which some loss carries gradient back."""
        made = {self.record.values[vid].op for vid in self.carrying} - {-1}
        return {(self.record.ops[index].stack, self.record.ops[index].name) for index in made}

    def carries_value(self, vid: int) -> bool:
        """Whether some loss carries gradient back to the value."""
        return vid in self.carrying

    def cuts(self, track: int) -> list[Cut]:
        """The places on the way from the tensor to a loss at which gradient ends, in the order they ran."""
        if track not in self._cuts:
            self._cuts[track] = self._find_cuts(track)
        return self._cuts[track]

    def ends_gradient(self, cut: Cut, track: int) -> bool:
        """Whether the way on from the cut leads to a loss without meeting a value that carries the tensor's gradient.

        Where it always meets one, as with the mask of a `where` or a detached norm that the value is divided by, the
        gradient goes past the cut, and ends elsewhere.
        """
        carried = self.carried([track])
        start = self._made_through(self.record.ops[cut.op])
        losses = set(self.losses)

        def on(vid: int) -> Iterator[int]:
            return (out for out in self.made_of(vid) if out in self.reaching and out not in carried)

        return any(vid in losses for vid in onwards(start, on))

    def leads_to(self, cut: Cut, losses: frozenset[int]) -> bool:
        """Whether one of the losses is computed from what comes out of the cut."""
        start = self._made_through(self.record.ops[cut.op])

        def on(vid: int) -> Iterator[int]:
            return (out for out in self.made_of(vid) if out in self.reaching)

        return any(vid in losses for vid in onwards(start, on))

    def empties_term(self, cut: Cut) -> bool:
        """Whether a term of a loss has no gradient at all for want of what is cut off: nothing beside it carries any.

        Where something does, as in the commitment loss of a codebook, the cut may be what the line is for.
        """
        values = self.record.values

        def on(vid: int) -> Iterator[int]:
            return (out for out in self.made_of(vid) if out in self.reaching and not values[out].requires_grad)

        found = onwards(self.record.ops[cut.op].outputs, on)
        return any(values[vid].numel == 1 and self._is_added(vid) for vid in found)

    def _is_added(self, vid: int) -> bool:
        """Whether the value is added to what carries gradient to a loss."""
        return any(
            operations.of(op.name).sums and any(out in self.carrying for out in op.outputs)
            for op in self.consumers.get(vid, ())
        )

    def leads_on(self, cut: Cut) -> bool:
        """Whether gradient could come from a loss to the cut if the cut alone were gone.

        It could not where all that follows is whole numbers, numbers in Python, or writing into a parameter, as with
        the matching of predictions to targets, or a moving average that is copied back.
        """
        if cut.kind in ("non_differentiable", "left_torch"):
            return True
        values = self.record.values
        losses = set(self.losses)

        def on(vid: int) -> Iterator[int]:
            for op in self.consumers.get(vid, ()):
                written = map(self.record.track_of, op.mutates)
                if op.detail == "escape" or any(track is not None and track.is_parameter for track in written):
                    continue
                yield from (out for out in op.outputs if out in self.reaching and values[out].floating)

        start = [out for out in self.record.ops[cut.op].outputs if values[out].floating]
        return any(vid in losses for vid in onwards(start, on))

    def hidden_reader(self, track: int) -> Op | None:
        """The custom function whose forward reads the tensor without being given it."""
        own = set(self.values_of(track))
        return next((op for op in self.ops if own & set(op.hidden)), None)

    def _find_cuts(self, track: int) -> list[Cut]:
        own = self._own_values(track)
        sweep(own, self.carrying_back_to, self.cuts_at, frozenset.union, self._cuts_beyond)
        found: dict[int, int] = {}
        for op, vid in sorted(frozenset().union(*(self._cuts_beyond[value] for value in own))):
            found.setdefault(op, vid)
        # What a constructor does to the parameter's own storage, without gradients, is no cut.
        kept = [op for op in found if op >= self._started]
        if not kept and not self.is_read_in_time(track):
            kept = list(found)
        return [Cut(op, found[op], self.kind_of_cut(self.record.ops[op]), op in self.inferred) for op in kept]

    def cuts_at(self, vid: int) -> frozenset[tuple[int, int]]:
        """(operation, value) of the cuts at which the gradient of what follows ends before it comes to the value."""
        values = self.record.values
        before = values[vid]
        found = []
        for op in self.consumers.get(vid, ()):
            operation = operations.of(op.name)
            if (vid in op.mutates and before.leaf) or (operation.bookkeeping and operation.view):
                continue  # it asks for a gradient, and computes nothing
            if operation.parts == "given" and op.grad_enabled:
                continue  # each result is a view of its own input: one without gradient is that of another
            if self.was_frozen(vid, op.index):
                continue  # there was no gradient to end
            if op.detail == "escape":
                users = self.python_consumers.get(op.index, ())
                if any(out in self.reaching for user in users for out in user.outputs):
                    found.append((op.index, vid))
                continue
            reaching = [out for out in op.outputs if out in self.reaching]
            if reaching and not any(self.carries(before, values[out]) for out in reaching):
                found.append((op.index, vid))
        return frozenset(found)

    def kind_of_cut(self, op: Op) -> CutKind:
        """Why gradient ends at `op`."""
        if op.detail == "escape":
            return "left_torch"
        if op.custom and "checkpoint" in op.detail.lower():
            return "checkpoint"
        operation = operations.of(op.name)
        if operation.rewraps == "always" or (operation.rewraps and op.grad_enabled):
            return "rewrapped"
        if not op.grad_enabled:
            return "no_grad"
        if operation.detaches:
            if any(_makes_leaf(later) for out in op.outputs for later in self.consumers.get(out, ())):
                return "rewrapped"
            return "left_torch" if self._only_escapes(op) else "detached"
        return "non_differentiable"

    def _only_escapes(self, op: Op) -> bool:
        """Whether the detached value does nothing but leave torch, as in `.detach().abs().max().item()`."""
        found = False
        for vid in onwards(op.outputs, lambda vid: (out for op in self.consumers.get(vid, ()) for out in op.outputs)):
            if vid in self.losses:
                return False  # the program calls backward on it
            for later in self.consumers.get(vid, ()):
                if later.mutates or any(self.record.values[out].requires_grad for out in later.outputs):
                    return False
                found = found or later.detail == "escape"
        return found

    def dead_end(self, track: int) -> UnusedValue | None:
        """Where the tensor's value goes no further; None where nothing reads it."""
        if track not in self._dead_ends:
            self._dead_ends[track] = self._find_dead_end(track)
        return self._dead_ends[track]

    def _find_dead_end(self, track: int) -> UnusedValue | None:
        if self.carries_to_loss(track):
            # Autograd knows better: the tensor has no part in what is used of an operation that reads it.
            for end in (self._unread_output(track), self._derivative(track)):
                if end is not None:
                    return end
        own = self._own_values(track)
        goes_on = any(True for vid in own for _ in self.carrying_back_to(vid))
        following, known = (self.carrying_back_to, self._ends_carried) if goes_on else (self.made_of, self._ends_read)
        sweep(own, following, self._end_at, max, known)
        last = max((known[vid] for vid in own), default=NOWHERE)
        return UnusedValue(self.record.values[last].op, last) if last != NOWHERE else None

    def _end_at(self, vid: int) -> int:
        """The value itself if nothing is made of it that could carry its gradient on; `NOWHERE` otherwise."""
        values, value = self.record.values, self.record.values[vid]
        if self.record.maker(vid) is None or self.record.track_of(vid) is not None:
            return NOWHERE
        for op in self.consumers.get(vid, ()):
            # A view that is taken where grad mode is off says that it requires grad, and is a leaf.
            goes_on = (values[out].requires_grad and (op.grad_enabled or not values[out].leaf) for out in op.outputs)
            if op.detail != "escape" and op.outputs and (any(goes_on) or not value.requires_grad):
                return NOWHERE
        return vid

    def _unread_output(self, track: int) -> UnusedValue | None:
        """The output that no loss reads of the operation that reads the tensor.

        For a tensor that by the recorded operations has a part in the loss, and by autograd has none: the operation has
        several outputs, and the tensor has no part in the one that is used.
        """
        for vid in self._own_values(track):
            for op in self.consumers.get(vid, ()):
                unread = [o for o in op.outputs if o not in self.reaching and self.record.values[o].requires_grad]
                if unread and any(o in self.reaching for o in op.outputs):
                    return UnusedValue(op.index, unread[0])
        return None

    def _derivative(self, track: int) -> UnusedValue | None:
        """The derivative of something that depends on the tensor; a constant term drops out of it."""
        derivatives = [op for op in self.ops if op.name == "autograd.grad" and op.outputs]
        carried = self.carried([track]) if derivatives else set()
        taken = [op for op in derivatives if carried & set(op.inputs)]
        return UnusedValue(taken[-1].index, taken[-1].outputs[0]) if taken else None

    def last_escape(self, track: int) -> Cut | None:
        """The escape to Python that is the last thing done with what carries the tensor's gradient.

        What becomes of the number was not followed: an `int(…)` that sets a size, say.
        """
        carried = self.carried([track])
        escapes = [
            Cut(op.index, vid, "left_torch", True)
            for vid in carried
            for op in self.consumers.get(vid, ())
            if op.detail == "escape"
        ]
        return max(escapes, key=lambda cut: cut.op, default=None)

    def gradient_writers(self, track: int, start: int, end: int) -> list[Op]:
        """Operations between two times that write the tensor's `.grad`, or storage it shares, in place."""
        own = set(self.values_of(track))
        if own.isdisjoint(self._differentiated):
            return []
        derived: set[int] = set()
        found = []
        for op in self.record.ops:
            if op.phase != "forward" or op.index >= end:
                continue
            if (op.name == "grad" and own & set(op.inputs)) or (derived & set(op.inputs) and _is_view(op)):
                derived.update(op.outputs)
            elif op.mutates and derived & set(op.mutates):
                derived.update(op.outputs)
                if op.index >= start:
                    found.append(op)
        return found

    @functools.cached_property
    def _differentiated(self) -> frozenset[int]:
        """The values whose `.grad` the program reads."""
        return frozenset(vid for op in self.record.ops if op.name == "grad" for vid in op.inputs)

    def path(self, track: int, limit: int = 4000) -> list[int]:
        """Operations from the tensor to a loss along a shortest data path, or as far as its value goes."""
        start = self._own_values(track) or list(self.values_of(track))
        reaches = not self.reaching.isdisjoint(start)
        came = shortest(start, lambda vid: (out for out in self.made_of(vid) if not reaches or out in self.reaching))
        met = [vid for vid in came if vid not in start]
        losses = set(self.losses)
        goal = next((vid for vid in met if vid in losses), None)
        if goal is None:
            end = self.dead_end(track)
            goal = end.value if end is not None and end.value in came else next(reversed(met), -1)
        return [self._between(*pair) for pair in itertools.pairwise(way(came, goal))][-limit:]

    def _between(self, before: int, after: int) -> int:
        """The operation through which, or through whose Python result, the one value depends on the other."""
        return next(op.index for op in self.consumers[before] if after in self._made_through(op))

    def _made_through(self, op: Op) -> Iterator[int]:
        """What the operation makes, and what is made of the Python result that it gives."""
        yield from op.outputs
        for user in self.python_consumers.get(op.index, ()):
            yield from user.outputs

    # -- through Python ------------------------------------------------------------------------------------------

    def _infer_python_edges(self) -> None:
        """Join an escape to the next use of a Python number in the same function where identity was lost.

        `math.exp(-float(t)) * loss` multiplies by a number that no torch call returned. The escape's function, or the
        one that called it, goes on to use some Python number that no identity explains, in a statement that reads what
        the number may have gone into: that is taken to be it, and marked.
        """
        stacks = self.record.stacks
        escapes = [op for op in self.ops if op.detail == "escape" and op.name not in ("__int__", "__index__")]
        if not escapes:
            return
        by_code: dict[int, list[Op]] = {}
        for op in self.ops:
            operation = operations.of(op.name)
            sourceless = operation.reads_python and not op.inputs
            if operation.sums and not any(op.numbers) and len(op.inputs) == 1:
                continue  # the zero that `sum` begins with
            if op.stack >= 0 and not op.python_inputs and (op.numbers or sourceless):
                by_code.setdefault(id(stacks.codes[op.stack]), []).append(op)
        boundaries = [event.time for event in self.record.backwards()]
        for escape in escapes:
            if self.python_consumers.get(escape.index):
                continue
            end = next((time for time in boundaries if time > escape.index), len(self.record.ops))
            chain = stacks.chain(escape.stack)[:2]
            for frame in chain:
                place = stacks.file(frame), stacks.line(frame)
                if frame != chain[0] and not may_leave(stacks.file(chain[0]), stacks.line(chain[0])):
                    break
                candidates = by_code.get(id(stacks.codes[frame]), [])
                users = _users_after(escape, candidates, end, lambda op: may_flow(*place, stacks.line(op.stack)))  # noqa: B023
                if users:
                    for user in users:
                        known = self.inferred_inputs.get(user.index, ())
                        self.inferred_inputs[user.index] = (*known, escape.index)
                        self.python_consumers.setdefault(escape.index, []).append(user)
                    self.inferred.add(escape.index)
                    break


def _makes_leaf(op: Op) -> bool:
    return op.name == "requires_grad_" or bool(operations.of(op.name).rewraps)


def _is_view(op: Op) -> bool:
    operation = operations.of(op.name)
    return operation.view and not operation.in_place


def _users_after(escape: Op, candidates: list[Op], end: int, may_read: Callable[[Op], bool]) -> list[Op]:
    """The first four of `candidates` between `escape` and `end` that do not read what escaped, and may read what became
    of it."""
    found: list[Op] = []
    for position in range(bisect.bisect_right(candidates, escape.index, key=lambda op: op.index), len(candidates)):
        op = candidates[position]
        if op.index >= end or len(found) == 4:
            break
        if not set(op.inputs) & set(escape.inputs) and may_read(op):
            found.append(op)
    return found
