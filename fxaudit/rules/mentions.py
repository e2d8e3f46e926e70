"""Where forward mentions a module or parameter that it never reached. Shared by the rules on things never used."""

from __future__ import annotations

import ast

from fxaudit.blame import source_at
from fxaudit.rule import Audit
from fxaudit.source import SourceLine
from fxaudit.syntax import Tree, attribute_mentions, obstacles

__all__ = ["registration", "unreached_mention"]

HOUSEKEEPING = frozenset(
    {
        "parameters", "named_parameters", "state_dict", "load_state_dict", "requires_grad_", "train", "eval", "zero_grad",
        "apply", "to", "cuda", "cpu", "half", "float", "modules", "named_modules", "children", "weight", "bias", "append",
        "extend", "data", "requires_grad", "register_forward_hook", "shape", "in_features", "out_features",
    }
)  # fmt: skip

Related = list[tuple[SourceLine | None, str]]


def unreached_mention(audit: Audit, root: int, path: str) -> tuple[SourceLine | None, Related, str]:
    """(culprit, related lines, condition in words) for a module or parameter at `path` that nothing reached.

    The culprit is the branch that keeps the mention from running, the mention itself where no branch explains it, and
    the registration where nothing mentions it.
    """
    made = registration(audit, root, path)
    ran = audit.record.stacks.lines_seen()
    for part in reversed([p for p in path.split(".") if not p.isdigit()] or [path]):
        for tree, node in _mentions(audit, part):
            found = obstacles(tree, node, ran.get(tree.file, set()))
            line = getattr(node, "lineno", 0)
            here = source_at(tree.file, line)
            related: Related = []
            if found:
                decisive = found[0]
                related.append((here, "the call that never runs"))
                if "training" in decisive.condition:
                    related.append((_switched(audit, root, path), "puts the module in evaluation mode"))
                related.append((made, "made here"))
                return source_at(decisive.file, decisive.line), related, decisive.role
            if line not in ran.get(tree.file, set()):
                return here, [(made, "made here")], ""
            return here, [(made, "made here")], ""
    return made, [], ""


def _mentions(audit: Audit, attribute: str) -> list[tuple[Tree, ast.AST]]:
    """Reads of the attribute inside functions, constructors and housekeeping left out."""
    files = dict.fromkeys([*audit.project_files, *(info.defined_in for info in audit.session.modules if info.calls)])
    found = []
    for tree, node in attribute_mentions([f for f in files if f], attribute):
        scope = tree.function(node)
        if scope is None or getattr(scope, "name", "") in ("__init__", "__repr__", "extra_repr"):
            continue
        outer = tree.parents.get(node)
        if isinstance(outer, ast.Attribute) and outer.attr in HOUSEKEEPING:
            continue
        found.append((tree, node))
    forward_first = sorted(found, key=lambda pair: getattr(pair[0].function(pair[1]), "name", "") != "forward")
    return forward_first


def registration(audit: Audit, root: int, path: str) -> SourceLine | None:
    """The line that put the module or parameter into its owner, where it was watched or can be read from the class."""
    model = next((m for m in audit.judge.models if m.info.index == root), None)
    if model is None:
        return None
    module = model.module
    parts = path.split(".")
    found: SourceLine | None = None
    for part in parts:
        info = audit.session.module_info(module)
        assignments = info.attributes.get(part)
        if assignments:
            found = audit.source(assignments[-1][1]) or found
        elif info.defined_in and not part.isdigit():
            found = _assignment_in_class(info.defined_in, info.type, part) or found
        child = vars(module).get("_modules", {}).get(part)
        if child is None:
            break
        module = child
    return found


def _assignment_in_class(file: str, kind: str, attribute: str) -> SourceLine | None:
    from fxaudit.syntax import tree_of

    tree = tree_of(file)
    if tree is None:
        return None
    for node in ast.walk(tree.root):
        if isinstance(node, ast.ClassDef) and node.name == kind:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Assign):
                    for target in inner.targets:
                        if isinstance(target, ast.Attribute) and target.attr == attribute:
                            return source_at(file, inner.lineno)
    return None


def _switched(audit: Audit, root: int, path: str) -> SourceLine | None:
    """The last line that put the module, or one above it, in evaluation mode."""
    best: tuple[int, int] | None = None
    model = next((m for m in audit.judge.models if m.info.index == root), None)
    module = model.module if model is not None else None
    for part in ["", *path.split(".")]:
        if part and module is not None:
            module = vars(module).get("_modules", {}).get(part)
        if module is None:
            break
        for time, training, stack in audit.session.module_info(module).modes:
            if not training and (best is None or time >= best[0]):
                best = (time, stack)
    return audit.source(best[1]) if best is not None else None
