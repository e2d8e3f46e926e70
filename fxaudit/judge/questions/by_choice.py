"""What stands still because a configuration says so in as many words: `aux_weight: 0.0`, `use_aux: false`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from fxaudit.answer.finding import Finding
from fxaudit.judge.questions.births import rate_born, zero_factor_born
from fxaudit.judge.questions.set_otherwise import decision_at_line, stands_in
from fxaudit.judge.questions.terms_left_out import switches_of
from fxaudit.judge.questions.terms_passed_over import weight_in
from fxaudit.judge.rule import Audit, related_lines
from fxaudit.judge.trail import source_at
from fxaudit.program.birth import Birth
from fxaudit.program.keys import keys_of
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.spelling import letters_apart
from fxaudit.program.tree import tree_of

__all__ = ["as_it_is_set"]

SWITCHED = ("FXA101", "FXA102", "FXA103")
"""The rules whose culprit may be a setting by which something is left out."""
WEIGHTED = "FXA501"
RATED = "FXA304"
RATE = re.compile(r"(?<![a-z])(?:lr|rates?)(?![a-z])", re.IGNORECASE)
LISTS = ("list", "tuple", "set", "frozenset")


def as_it_is_set(audit: Audit, finding: Finding) -> Finding:
    """The finding; a note where its culprit is an entry of a configuration that switches off, by its own value alone,
    what a branch runs for, the weight of a term of the loss, or the rate of one group of several, and the parameters
    stay as they are. An entry that switches off the term of the same name becomes the culprit."""
    line = finding.culprit
    if line is None or line.library or finding.level == "note" or finding.code not in (*SWITCHED, WEIGHTED, RATED):
        return finding
    if _are_changed(audit, finding):
        return finding
    asked = {WEIGHTED: _weights, RATED: _rates}.get(finding.code, _switches)
    births = asked(audit, finding)
    is_meant = any(stands_in(birth, line) and _is_off(birth) and _is_an_entry(birth) for birth in births)
    is_meant = is_meant or (finding.code in SWITCHED and _is_not_listed(audit, line))
    if is_meant:
        return replace(finding, level="note")
    named = _switched_by_name(audit, finding) if finding.code in SWITCHED else None
    if named is None:
        return finding
    where = source_at(named.file, named.line)
    related = related_lines(where, [(line, "it ends here"), *((one.source, one.role) for one in finding.related)])
    words = "it is switched off" if isinstance(named.value, bool) else f"its weight is {named.value!r}"
    return replace(finding, level="note", culprit=where, related=related, message=f"{finding.message}: {words}")


def _switched_by_name(audit: Audit, finding: Finding) -> Birth | None:
    """The birth of what switched the term off that has the name of the module of the parameters: `heads.slots`."""
    owners = [name.split(".")[:-1] for name in finding.parameters]
    shared = [part for part in (owners[0] if owners else []) if all(part in owner for owner in owners)]
    for name in (part for part in reversed(shared) if not part.isdigit()):
        for _, decision in switches_of(audit.record.course, name):
            birth = decision.birth
            if birth is not None and _is_off(birth) and _is_an_entry(birth):
                return birth
    return None


def _are_changed(audit: Audit, finding: Finding) -> bool:
    """Whether steps change the parameters nevertheless: what decays without a gradient is not left alone."""
    named = set(finding.parameters)
    return any(fact.changed for state in audit.states if state.name in named for fact in state.facts)


def _is_not_listed(audit: Audit, line: SourceLine) -> bool:
    """Whether the culprit is a test for a name in what lists others, `"aux" in tasks`, none of which is nearly that."""
    tree = tree_of(actual_path(line.file))
    statement = tree.statement_at(line.line) if tree is not None else None
    match statement:
        case ast.If(test=ast.Compare(left=ast.Constant(value=str(name)), ops=[ast.In()], comparators=[table])):
            sights = audit.record.course.at(actual_path(line.file), statement.lineno)
            seen = [sight.read.get(ast.unparse(table)) for sight in sights]
            listed = [text for sight in sights for text in keys_of(sight, table)]
            is_list = bool(listed) and all(one is not None and one.kind in LISTS for one in seen)
            return is_list and all(isinstance(text, str) and letters_apart(name, text) is None for text in listed)
    return False


def _switches(audit: Audit, finding: Finding) -> Iterator[Birth]:
    """The births of what the tests decided by in the lines beside the culprit."""
    for source in (related.source for related in finding.related):
        tree = None if source.library else tree_of(actual_path(source.file))
        decision = decision_at_line(audit, tree, source.line) if tree is not None else None
        if decision is not None and decision.birth is not None:
            yield decision.birth
        weight = weight_in(audit, tree.file, source.line) if tree is not None else None
        if weight is not None:
            yield weight[0]


def _weights(audit: Audit, finding: Finding) -> Iterator[Birth]:
    """The births of the zeros by which numbers were multiplied in the lines beside the culprit."""
    stacks = audit.record.stacks
    places = {(actual_path(related.source.file), related.source.line) for related in finding.related}
    for op in audit.graph.ops:
        single = [vid for vid in op.outputs if audit.record.values[vid].numel == 1]
        if 0 not in op.numbers or not single or places.isdisjoint(stacks.places(op.stack)):
            continue
        found = zero_factor_born(audit.record, op.stack)
        if found is not None:
            yield found
            return


def _rates(audit: Audit, finding: Finding) -> Iterator[Birth]:
    """The births of the rates of 0 that optimizers were built with which step others with a rate above 0, where they
    are called rates: a factor or a decay of 0 by which one is multiplied is none."""
    named = set(finding.parameters)
    held = {index for state in audit.states if state.name in named for index, _ in state.held}
    for info in audit.recording.optimizers:
        moves = any(fact.lr != 0 and fact.optimizer == info.index for state in audit.states for fact in state.facts)
        birth = rate_born(audit.record, info, written=False) if info.index in held and moves else None
        if birth is not None and RATE.search(" ".join([birth.text, *(told for *_, told in birth.stations[-1:])])):
            yield birth


def _is_off(birth: Birth) -> bool:
    """Whether the value itself says no, and nothing shows that another was meant."""
    return not birth.value and not birth.asked and not birth.because and not birth.is_whole


def _is_an_entry(birth: Birth) -> bool:
    """Whether it stands in a configuration: in a file of its own, or in a table at the top of a module."""
    if birth.kind == "entry":
        return True
    tree = tree_of(birth.file) if birth.kind == "literal" else None
    statement = tree.statement_at(birth.line) if tree is not None else None
    if tree is None or statement is None or tree.function(statement) is not None:
        return False
    return isinstance(statement, ast.Assign) and any(_holds(node, birth) for node in ast.walk(statement.value))


def _holds(node: ast.AST, birth: Birth) -> bool:
    match node:
        case ast.Dict(keys=keys, values=values):
            is_a_group = any(isinstance(key, ast.Constant) and key.value == "params" for key in keys)
            given = [] if is_a_group else values
        case ast.Call(
            func=ast.Name(id="dict" | "SimpleNamespace" | "Namespace") | ast.Attribute(attr="SimpleNamespace"),
            keywords=keywords,
        ):
            given = [keyword.value for keyword in keywords]
        case _:
            return False
    return any(isinstance(v, ast.Constant) and v.lineno == birth.line and v.value == birth.value for v in given)
