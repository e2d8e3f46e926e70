"""FXA113."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.capture import operations
from fxaudit.capture.recording import Op
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import binding_of, tree_of

__all__ = ["InertLossTerm"]

MAX_TERMS = 1000


class InertLossTerm(Rule):
    """A term of the loss changes its number and no gradient.

    What the term was computed from could be trained by it, but gradient ends before the sum: a detached value, a number
    that has left torch, something computed where grad mode is off. The other terms train the model, so nothing fails.
    May be intended when the term is there for the log only.
    """

    code, name, level = "FXA113", "inert-loss-term", "warning"
    fix = "Add the tensor itself, and detach it for the log only; or leave the term out of the loss."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each line at which a term loses its gradient."""
        told = _places_told(audit)
        for loss in dict.fromkeys(audit.graph.losses[-MAX_TERMS:]):
            for summing, term in _terms(audit, loss):
                cut = _cut_behind(audit, term)
                if cut is None or _leads_around(audit, summing, cut):
                    continue
                region = cut.region if not cut.grad_enabled else -1
                culprit = audit.source(region) if region >= 0 else audit.op_source(cut.index)
                places = {_place(culprit), _place(audit.op_source(term.index))}
                if culprit is None or places & told:
                    continue
                told |= {_place(culprit)}
                yield self.finding(
                    audit,
                    (),
                    f"a term of the loss brings no gradient: {_how(cut)}",
                    culprit,
                    related=[(audit.op_source(summing.index), "it is added to the loss here")],
                )

    @staticmethod
    def bad() -> Example:
        """A penalty that is turned into a number before it is added."""
        import torch
        from torch import nn

        model, x = nn.Linear(4, 1), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

        def loss() -> torch.Tensor:
            penalty = model.weight.square().sum().item()  # FXA113
            error: torch.Tensor = model(x).square().mean()
            return error + 0.1 * penalty

        return Example(model, loss, optimizer)

    @staticmethod
    def good() -> Example:
        """The penalty stays a tensor."""
        import torch
        from torch import nn

        model, x = nn.Linear(4, 1), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

        def loss() -> torch.Tensor:
            penalty = model.weight.square().sum()
            error: torch.Tensor = model(x).square().mean()
            return error + 0.1 * penalty

        return Example(model, loss, optimizer)


def _places_told(audit: Audit) -> set[tuple[str, int]]:
    """The lines that errors and warnings name already: the same term need not be told twice."""
    loud = [finding for finding in audit.findings if finding.level != "note"]
    sources = [source for f in loud for source in (f.culprit, *(related.source for related in f.related))]
    return {_place(source) for source in sources if source is not None}


def _place(source: SourceLine | None) -> tuple[str, int]:
    return (source.file, source.line) if source is not None else ("", 0)


def _terms(audit: Audit, loss: int) -> Iterator[tuple[Op, Op]]:
    """(the sum, what made the term) for each single number that is added to the loss without carrying gradient."""
    values, ops = audit.record.values, audit.record.ops
    queue, seen = [loss], {loss}
    while queue:
        made_by = values[queue.pop()].op
        if made_by < 0 or not _passes(ops[made_by]) or len(seen) > MAX_TERMS:
            continue
        op = ops[made_by]
        inert = [vid for vid in op.inputs if values[vid].numel == 1 and not values[vid].requires_grad]
        carrying = [vid for vid in op.inputs if values[vid].requires_grad and _is_term(audit, vid)]
        if _adds(op) and carrying:
            yield from ((op, ops[values[vid].op]) for vid in inert if values[vid].op >= 0)
            yield from ((op, ops[escape]) for escape in op.python_inputs)
            guessed = audit.graph.inferred_inputs.get(op.index, ())
            yield from ((op, ops[escape]) for escape in guessed if _is_named(audit, op, ops[escape]))
        for vid in carrying:
            if vid not in seen:
                seen.add(vid)
                queue.append(vid)


def _adds(op: Op) -> bool:
    return operations.of(op.name).sums or op.name == "stack"


def _passes(op: Op) -> bool:
    """Whether a term of a loss goes through it on its way to the sum of all terms."""
    return _adds(op) or operations.of(op.name).totals or operations.of(op.name).multiple


def _is_named(audit: Audit, summing: Op, escape: Op) -> bool:
    """Whether the sum mentions the variable that the number is kept in."""
    stacks = audit.record.stacks
    bound = {
        name
        for frame in stacks.chain(escape.stack)[:2]
        for name in binding_of(stacks.file(frame), stacks.line(frame)).names
    }
    tree = tree_of(stacks.file(summing.stack))
    statement = tree.statement_at(stacks.line(summing.stack)) if tree is not None else None
    read = {
        node.id
        for node in ast.walk(statement or ast.Module([], []))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return not bound.isdisjoint(read)


def _is_term(audit: Audit, vid: int) -> bool:
    """Whether the value is a single number, or several that were stacked to be summed up."""
    value = audit.record.values[vid]
    return value.numel == 1 or (value.op >= 0 and audit.record.ops[value.op].name == "stack")


def _cut_behind(audit: Audit, term: Op) -> Op | None:
    """The operation nearest to the term at which gradient ends that would not reach the loss in another way."""
    values, ops = audit.record.values, audit.record.ops
    queue, seen = [term], {term.index}
    while queue and len(seen) < MAX_TERMS:
        op = queue.pop(0)
        carrying = [vid for vid in op.inputs if values[vid].requires_grad]
        if carrying and not any(values[out].requires_grad for out in op.outputs):
            return op if op.phase == "forward" and _would_train(audit, op, carrying) else None
        sources = [values[vid].op for vid in op.inputs if values[vid].op >= 0]
        for source in (*sources, *op.python_inputs):
            if source not in seen:
                seen.add(source)
                queue.append(ops[source])
    return None


def _would_train(audit: Audit, cut: Op, carrying: list[int]) -> bool:
    """Whether the term would bring a gradient that does not come anyway, and that reading a parameter does not mean."""
    computed = [vid for vid in carrying if not audit.record.values[vid].leaf]
    if audit.judge.optimizers_known and not _is_held(audit, carrying):
        return False
    if computed:
        return not any(audit.graph.carries_value(vid) for vid in computed)
    return not cut.grad_enabled


def _is_held(audit: Audit, carrying: list[int]) -> bool:
    """Whether an optimizer holds something that the values carry gradient to."""
    values, ops = audit.record.values, audit.record.ops
    held = {track for info in audit.recording.optimizers for _, members in info.groups for track in members}
    queue, seen = list(carrying), set(carrying)
    while queue:
        value = values[queue.pop()]
        if value.track in held:
            return True
        for vid in ops[value.op].inputs if value.op >= 0 else ():
            if vid not in seen and values[vid].requires_grad:
                seen.add(vid)
                queue.append(vid)
    return False


def _leads_around(audit: Audit, summing: Op, cut: Op) -> bool:
    """Whether the same thing is added with its gradient: `+ (x - x.detach())` leads gradient round something."""
    values, ops = audit.record.values, audit.record.ops
    added = [values[vid] for vid in summing.inputs if values[vid].requires_grad]
    detached = {ops[values[vid].op].name for vid in cut.inputs if values[vid].op >= 0}
    return operations.of(summing.name).subtracts and any(
        value.op >= 0 and ops[value.op].name in detached for value in added
    )


def _how(cut: Op) -> str:
    if not cut.grad_enabled:
        return "it is computed where grad mode is off"
    return f"`.{cut.name}()` cuts it off" if not cut.name.startswith("__") else "it is turned into a number"
