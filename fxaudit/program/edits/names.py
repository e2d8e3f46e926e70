"""Names that mean something else: spelt as another place spells them, or a sibling's in their place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

import libcst as cst

from fxaudit.program.edits.syntax import Place, Syntax, dotted, of_text

__all__ = ["key_respelt", "parameter_instead", "respelt", "respelt_throughout", "sibling"]

LIBRARIES = {"torch", "nn", "torch.nn", "F", "nn.functional", "optim", "torch.optim", "np", "math"}
OF_MODULES = {
    "parameters", "named_parameters", "modules", "named_modules", "children", "named_children", "buffers",
    "named_buffers", "state_dict", "load_state_dict",
}  # fmt: skip
"""What every module has; nobody misspells these and goes on."""
SYNONYMS = {"lr", "learning_rate", "base_lr", "max_lr", "init_lr", "initial_lr", "rate"}


def respelt(text: str, place: Place) -> Iterator[str]:
    """A string or an attribute on the line as the nearest one of the file is spelt."""
    syntax = of_text(text)
    if syntax is None:
        return
    statement = syntax.statement(place.line)
    if isinstance(statement, cst.If) and any(n.value == "__name__" for n in syntax.inside(statement.test, cst.Name)):
        return
    strings = [node.value for node in syntax.all(cst.SimpleString)]
    attributes = [node.attr.value for node in syntax.all(cst.Attribute)]
    spelt = {value[1:-1] for value in strings} | set(attributes) | {n.value for n in syntax.all(cst.Name)}
    for node in syntax.on_line(place, cst.SimpleString):
        content = node.value[1:-1]
        if content.isprintable() and content and not node.prefix:
            for near in _near(content, spelt):
                yield syntax.replaced((node, node.with_changes(value=f"{node.quote}{near}{node.quote}")))
    for named in syntax.on_line(place, cst.Attribute):
        is_own = dotted(named.value) not in LIBRARIES and named.attr.value not in OF_MODULES
        if attributes.count(named.attr.value) == 1 and is_own:
            for near in _near(named.attr.value, set(attributes)):
                yield syntax.replaced((named.attr, cst.Name(near)))


def key_respelt(text: str, place: Place) -> Iterator[str]:
    """`f"{name}_lr"` for `f"{name}-lr"`, where another text of the file is put together that way."""
    syntax = of_text(text)
    if syntax is None:
        return
    made = [part for whole in syntax.all(cst.FormattedString) for part in whole.parts]
    spelt = {part.value for part in made if isinstance(part, cst.FormattedStringText)}
    for whole in syntax.on_line(place, cst.FormattedString):
        for part in whole.parts:
            word = part.value if isinstance(part, cst.FormattedStringText) else ""
            for other in sorted(spelt - {word}) if word else ():
                if isinstance(part, cst.FormattedStringText) and _letters(other) == _letters(word):
                    yield syntax.replaced((part, part.with_changes(value=other)))


def _letters(word: str) -> str:
    return re.sub(r"[\W_]", "", word).lower()


def respelt_throughout(text: str, place: Place, wanted: Sequence[str]) -> Iterator[str]:
    """A name that the statement asks for in a text and then reads, as the nearest of those that are there is spelt."""
    syntax = of_text(text)
    statement = syntax.statement(place.line) if syntax is not None else None
    if syntax is None or statement is None:
        return
    for string in syntax.on_line(place, cst.SimpleString):
        word = string.value[1:-1]
        reads = [node.attr for node in syntax.inside(statement, cst.Attribute) if node.attr.value == word]
        for near in difflib.get_close_matches(word, [name for name in wanted if name != word], n=1, cutoff=0.7):
            new = string.with_changes(value=f"{string.quote}{near}{string.quote}")
            yield syntax.replaced((string, new), *((node, cst.Name(near)) for node in reads))


def _near(word: str, words: set[str]) -> list[str]:
    """Words that are spelt nearly alike: a letter, the case or a separator apart, or one a part of the other."""
    others = sorted(words - {word})
    alike = [w for w in others if w.lower().replace("_", "") == word.lower().replace("_", "")]
    close = difflib.get_close_matches(word, others, n=2, cutoff=0.75)
    longer = [w for w in others if len(word) > 2 and len(w) > 2 and (w.startswith(word) or word.startswith(w))]
    meant = [w for w in others if {w, word} <= SYNONYMS]
    return list(dict.fromkeys([*alike, *close, *longer, *meant]))[:3]


def sibling(text: str, wanted: str) -> Iterator[str]:
    """`self.bn2` for a second use of `self.bn1`: the module `wanted` where one of nearly its name is used twice.

    Or one that is made alike, handed to what runs it.
    """
    syntax = of_text(text)
    if syntax is None:
        return
    stem, alike = _stem(wanted), _made_alike(syntax, wanted)
    used: dict[tuple[int, str], list[cst.Attribute]] = {}
    for node in syntax.all(cst.Attribute):
        above, name = syntax.parent(node), node.attr.value
        of_stem = isinstance(above, cst.Call) and _stem(name) == stem and stem
        if name != wanted and (of_stem or (isinstance(above, cst.Arg | cst.Call) and name in alike)):
            used.setdefault((id(syntax.function(node)), name), []).append(node)
    for nodes in used.values():
        for node in reversed(nodes[1:]):
            yield syntax.replaced((node.attr, cst.Name(wanted)))


def parameter_instead(text: str, place: Place, wanted: str) -> Iterator[str]:
    """`self.prompt` in the place of another value of `self`'s that the line reads."""
    syntax = of_text(text)
    if syntax is None:
        return
    for node in syntax.on_line(place, cst.Attribute):
        above = syntax.parent(node)
        is_called = isinstance(above, cst.Call) and above.func is node
        if isinstance(above, cst.AssignTarget):
            continue
        if syntax.code(node.value) == "self" and node.attr.value != wanted and not is_called:
            yield syntax.replaced((node.attr, cst.Name(wanted)))


def _made_alike(syntax: Syntax, wanted: str) -> set[str]:
    """The attributes that are given what the same call makes as the attribute `wanted` is."""
    made: list[tuple[str, str]] = []
    for assign in syntax.all(cst.Assign):
        target, value = assign.targets[0].target, assign.value
        pairs: list[tuple[cst.BaseExpression, cst.BaseExpression]] = [(target, value)]
        if isinstance(target, cst.Tuple) and isinstance(value, cst.Tuple):
            pairs = [(t.value, v.value) for t, v in zip(target.elements, value.elements, strict=False)]
        made += [
            (t.attr.value, syntax.code(v)) for t, v in pairs if isinstance(t, cst.Attribute) and isinstance(v, cst.Call)
        ]
    own = {code for name, code in made if name == wanted}
    return {name for name, code in made if code in own and name != wanted}


def _stem(name: str) -> str:
    """What siblings share: `bn` of `bn1`, `norm` of `norm_a`."""
    return re.sub(r"(_?\d+|_[a-z]+)$", "", name)
