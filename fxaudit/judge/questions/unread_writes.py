"""Settings of optimizers that are written where no optimizer looks: copies of param groups, defaults, attributes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.copies import copied_writes
from fxaudit.program.reached import was_passed
from fxaudit.program.source import SourceLine, of_text
from fxaudit.program.tree import Tree, call_sites, tree_of

__all__ = ["UnreadWrite", "unread_writes"]


@dataclass(frozen=True, slots=True)
class UnreadWrite:
    """A write, the key that is written, and into what."""

    source: SourceLine
    key: str
    into: str
    copied: SourceLine | None = None
    """Where the copy is made into which it is written."""

    @property
    def to_edit(self) -> SourceLine:
        """The line to edit so that the write takes effect."""
        return self.copied or self.source

    @property
    def help(self) -> str:
        """What to do."""
        return f'Write it into the group itself: `optimizer.param_groups[0]["{self.key}"] = …`.'


def unread_writes(audit: Audit) -> Iterator[UnreadWrite]:
    """The writes of settings that an optimizer has, which the program came to, and which change none."""
    files, ran = audit.project_files, audit.record.ran()
    keys = {key for info in audit.recording.optimizers for key in info.settings}
    for write in copied_writes(files) if keys else ():
        if write.key in keys and was_passed(files, ran, write.tree, write.statement):
            made = source_at(write.tree.file, write.copy.lineno)
            where = source_at(write.tree.file, write.statement.lineno)
            yield UnreadWrite(where, write.key, "a copy of the param groups", made)
    if not call_sites(files, "add_param_group"):
        for tree, node, key in (entry for file in files for entry in _defaults_written(file)):
            if key in keys and was_passed(files, ran, tree, node):
                yield UnreadWrite(source_at(tree.file, node.lineno), key, "the defaults of an optimizer that is built")
    yield from _attributes(audit, keys)


@of_text
def _defaults_written(file: str) -> tuple[tuple[Tree, ast.stmt, str], ...]:
    """The assignments to `something.defaults["key"]`."""
    found: list[tuple[Tree, ast.stmt, str]] = []
    tree = tree_of(file)
    for node in tree.nodes if tree is not None else ():
        match node:
            case ast.Assign(
                targets=[ast.Subscript(value=ast.Attribute(attr="defaults"), slice=ast.Constant(value=str(key)))]
            ) if tree is not None:
                found.append((tree, node, key))
    return tuple(found)


def _attributes(audit: Audit, keys: set[str]) -> Iterator[UnreadWrite]:
    """Attributes of one of torch's own optimizers that bear the name of a setting: it reads none of them."""
    for info in audit.recording.optimizers:
        if not info.is_alive or not audit.recording.class_of(info).module.startswith("torch.optim."):
            continue
        for key in sorted(keys & info.attributes):
            name = audit.optimizer_variable(info.index)
            lines = [place for file in audit.project_files for place in _stored(file, key, name)]
            if len(lines) == 1:
                yield UnreadWrite(source_at(*lines[0]), key, f"an attribute of `{info.type}`")


def _stored(file: str, attribute: str, name: str) -> Iterator[tuple[str, int]]:
    """The lines that assign `name.attribute`."""
    tree = tree_of(file)
    for node in tree.nodes if tree is not None else ():
        match node:
            case ast.Attribute(value=owner, attr=found, ctx=ast.Store()) if found == attribute:
                if ast.unparse(owner).rpartition(".")[2] == name.rpartition(".")[2]:
                    yield file, node.lineno
