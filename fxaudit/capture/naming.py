"""Names for modules and tensors: attribute paths, variables, and what tells several roots apart."""

from __future__ import annotations

import functools
import types
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from fxaudit.capture import operations
from fxaudit.capture.members import named_modules, named_parameters
from fxaudit.capture.reading import grad_fn_of, is_leaf
from fxaudit.capture.registry import LiveModule
from fxaudit.program.bindings import made_at, object_name

if TYPE_CHECKING:
    from fxaudit.capture.recorder import Recorder
    from fxaudit.capture.session import Session

__all__ = [
    "ModelName",
    "is_own_object",
    "models_seen",
    "names_in_containers",
]

MAX_VISITED = 20_000
MAX_DEPTH = 6
_ATOMS = frozenset((bool, int, float, str, type(None)))


@dataclass(frozen=True, slots=True)
class ModelName:
    """A root module, what is known of it, and the prefix of its parameters' names ("" where there is only one root)."""

    info: LiveModule
    module: nn.Module
    prefix: str


def models_seen(session: Session) -> list[ModelName]:
    """The root modules that took part: called, read from, or held by an optimizer. The one with most held comes
    first."""
    record = session.record
    active: set[int] = set()
    live = {info.index: module for info, module in session.live_modules()}
    parents: dict[int, list[nn.Module]] = {}
    wrappers = {id(wrapper) for wrapper in session.wrapped().values()}
    for module in live.values():
        for child in vars(module).get("_modules", {}).values():
            if child is not None and id(module) not in wrappers:
                parents.setdefault(id(child), []).append(module)
    called = {call.module for call in record.calls}
    for index in called:
        if index in live:
            active.update(id(top) for top in _tops(live[index], parents))
    reading = [op for op in record.ops if op.phase == "forward" and _is_reading(op.name)]
    read = {record.values[vid].track for op in reading for vid in op.inputs}
    used = {record.values[vid].track for op in reading for vid in op.inputs if vid not in op.mutates}
    parameters_by_track = [(track.index, id(t)) for track in record.tracks if (t := track.ref()) is not None]
    read_modules = {number for index, number in parameters_by_track if index in read}
    used_modules = {number for index, number in parameters_by_track if index in used}
    first = next((event.time for event in record.backwards()), len(record.ops))
    handed_on = {record.values[vid].track for op in record.ops[first:] if op.phase == "forward" for vid in op.inputs}
    held = {t for info in session.optimizers for _, members in info.groups for t in members}
    chosen: list[tuple[int, int, LiveModule, nn.Module]] = []
    roots = session.roots()
    for order, (info, root) in enumerate(roots):
        parameters = [p for _, p in named_parameters(root)]
        if not parameters and not _has_hidden(root):
            continue
        holds = sum(
            1 for p in parameters if (track := session.recorder.known_track(p)) is not None and track.index in held
        )
        if not holds and id(root) in active and _only_inside(session, root):
            continue  # a module that others keep and call; what the loss reaches of it is listed as unregistered
        in_use = id(root) in active or (holds > 0 and _copied_each_round(session, root, handed_on))
        if in_use or any(id(p) in read_modules for p in parameters):
            # What was only initialised comes last: an optimizer may still hold the model of another fold.
            rank = -holds if in_use or any(id(p) in used_modules for p in parameters) else 1
            chosen.append((rank, order, info, root))
    if not chosen:
        chosen = [
            (0, order, info, root) for order, (info, root) in enumerate(roots) if any(True for _ in root.parameters())
        ]
    chosen.sort(key=lambda entry: (entry[0], entry[1]))
    chosen = _without_wrappers(session, chosen)
    chosen = _without_originals(session, chosen, active, handed_on)
    chosen = _without_contained(session, chosen)
    if len(chosen) == 1:
        return [ModelName(chosen[0][2], chosen[0][3], "")]
    named: list[ModelName] = []
    taken: set[str] = set()
    made = [object_name(record.stacks, made_at(record.stacks, info.created)) for _, _, info, _ in chosen]
    known = [session.variables.get(id(root), "") for _, _, _, root in chosen]
    for (_, _, info, root), seen_as, bound in zip(chosen, known, made, strict=True):
        # A variable that held several of them, as a function's argument does, tells none from the other.
        shared = known.count(seen_as) > 1 and bound and made.count(bound) == 1
        name = (bound if shared else seen_as) or bound or type(root).__name__.lower()
        base, number = name, 2
        while name in taken:
            name, number = f"{base}{number}", number + 1
        taken.add(name)
        named.append(ModelName(info, root, f"{name}."))
    return named


def _without_wrappers(
    session: Session, chosen: list[tuple[int, int, LiveModule, nn.Module]]
) -> list[tuple[int, int, LiveModule, nn.Module]]:
    """In the place of several roots that were made around the same module, as a solver does in every call, that
    module."""
    by_parameters: dict[frozenset[int], list[tuple[int, int, LiveModule, nn.Module]]] = {}
    for entry in chosen:
        by_parameters.setdefault(frozenset(id(p) for p in entry[3].parameters()), []).append(entry)
    kept = []
    for entry in chosen:
        own = frozenset(id(p) for p in entry[3].parameters())
        rivals = by_parameters[own]
        if not own or len(rivals) == 1:
            kept.append(entry)
        elif rivals[0] is entry:
            shared = [module for module in entry[3].modules() if {id(p) for p in module.parameters()} == own]
            inside = [{id(part) for part in rival[3].modules()} for rival in rivals]
            core = next((module for module in shared if all(id(module) in parts for parts in inside)), entry[3])
            kept.append((entry[0], entry[1], session.module_info(core), core))
    return kept


def _without_originals(
    session: Session, chosen: list[tuple[int, int, LiveModule, nn.Module]], active: set[int], handed_on: set[int]
) -> list[tuple[int, int, LiveModule, nn.Module]]:
    """Leave out roots that were only filled and copied while another of the same parameters was called in their
    place."""
    record = session.record

    def shapes(root: nn.Module) -> list[tuple[str, torch.Size]]:
        return [(name, p.shape) for name, p in root.named_parameters()]

    called = [shapes(root) for _, _, _, root in chosen if id(root) in active]
    used = {
        record.values[vid].track
        for op in record.ops
        if _is_reading(op.name)
        for vid in op.inputs
        if not op.outputs or any(record.values[out].track != record.values[vid].track for out in op.outputs)
    }
    kept = []
    for entry in chosen:
        tracks = [session.recorder.known_track(p) for p in entry[3].parameters()]
        passive = id(entry[3]) not in active and all(
            track is None or (track.index not in used and all(fact.gradient == "none" for fact in track.facts))
            for track in tracks
        )
        if not passive or shapes(entry[3]) not in called or _copied_each_round(session, entry[3], handed_on):
            kept.append(entry)
    return kept


def _copied_each_round(session: Session, root: nn.Module, handed_on: set[int]) -> bool:
    """Whether models of the class are made and called in the loop, round after round: copies of this one, which
    learns from them."""
    backwards = session.record.backwards()
    first = backwards[0].time if backwards else session.record.time
    kind, seen = type(root).__name__, session.module_info(root)
    late = [info for info in session.modules if info.type == kind and info.calls and info.first_called >= first]
    tracks = [track for p in root.parameters() if (track := session.recorder.known_track(p)) is not None]
    read = all(track.index in handed_on for track in tracks)
    return read and not seen.calls and len(late) > 1 and all(info.index != seen.index for info in late)


def _only_inside(session: Session, root: nn.Module) -> bool:
    """Whether every call of the module, and of what is below it, happened inside the forward of another root."""
    own = {session.module_info(module).index for module in root.modules()}
    wrapper = session.wrapped().get(id(root))
    if wrapper is not None:
        own.add(session.module_info(wrapper).index)
    calls = session.record.calls
    outermost = [
        call for call in calls if call.module in own and (call.parent < 0 or calls[call.parent].module not in own)
    ]
    return bool(outermost) and all(call.parent >= 0 for call in outermost)


def _without_contained(
    session: Session, chosen: list[tuple[int, int, LiveModule, nn.Module]]
) -> list[tuple[int, int, LiveModule, nn.Module]]:
    """Leave out roots that another root keeps in a list, a dict or a plain attribute: they are its unregistered
    parts."""
    contained: set[int] = set()
    for _, _, _, root in chosen:
        known = names_in_containers([("", root)], session.recorder)
        own = {id(p) for p in root.parameters()}
        for track in known:
            tensor = session.record.tracks[track].ref()
            if tensor is not None and id(tensor) not in own:
                contained.add(id(tensor))
    kept = [entry for entry in chosen if not _all_in(entry[3], contained)]
    return kept or chosen


def _all_in(module: nn.Module, contained: set[int]) -> bool:
    parameters = list(module.parameters())
    return bool(parameters) and all(id(p) in contained for p in parameters)


def _is_reading(name: str) -> bool:
    """Whether the operation does more with a tensor than to copy it, to watch over it or to ask for its gradient."""
    operation = operations.of(name)
    looks = operation.bookkeeping or (operation.detaches and not operation.in_place)
    return not looks and operation.name not in ("clone", "copy_")


def _has_hidden(module: nn.Module) -> bool:
    """Whether a module without parameters keeps modules or tensors where torch does not look."""
    return any(
        isinstance(value, list | dict | tuple) and value
        for key, value in vars(module).items()
        if isinstance(key, str) and not key.startswith("_")
    )


def _tops(module: nn.Module, parents: dict[int, list[nn.Module]]) -> list[nn.Module]:
    """The topmost owners of `module`."""
    found, queue, seen = [], [module], {id(module)}
    while queue:
        part = queue.pop()
        above = parents.get(id(part), [])
        if not above:
            found.append(part)
        for owner in above:
            if id(owner) not in seen:
                seen.add(id(owner))
                queue.append(owner)
    return found


def names_in_containers(roots: Sequence[tuple[str, nn.Module]], recorder: Recorder) -> dict[int, str]:
    """Attribute paths of tensors that the modules keep in lists, dicts, plain attributes or closures, by track.

    A bounded walk: at most 20,000 objects, six levels deep. Registered parameters are not listed; buffers are, for
    those that require grad, and so is what the user's classes have as attributes. A tensor that is no
    leaf (`Parameter(...).expand(...)`) gives its path to the leaf it was made from.
    """
    found: dict[int, str] = {}
    visited = 0
    registered = {id(p) for _, root in roots for _, p in named_parameters(root)}
    queue: deque[tuple[str, object, int]] = deque()
    seen: set[int] = set()
    of_class: dict[type, list[tuple[str, object]]] = {}
    for prefix, root in roots:
        for name, module in named_modules(root):
            path = prefix + name + "." if name else prefix
            queue.extend((path + key, value, 0) for key, value in _kept_by(module, of_class))
    while queue and visited < MAX_VISITED:
        path, value, depth = queue.popleft()
        visited += 1
        if isinstance(value, torch.Tensor):
            _name_tensor(path, value, registered, recorder, found)
            continue
        if depth > MAX_DEPTH or id(value) in seen:
            continue
        if isinstance(value, nn.Module):
            seen.add(id(value))
            for name, parameter in value.named_parameters():
                _name_tensor(f"{path}.{name}", parameter, registered, recorder, found)
            for name, module in value.named_modules():
                for key, inner in vars(module).items():
                    if isinstance(key, str) and not key.startswith("_"):
                        queue.append((".".join(part for part in (path, name, key) if part), inner, depth + 1))
        elif isinstance(value, dict):
            seen.add(id(value))
            queue.extend(
                (f"{path}.{key}" if isinstance(key, str) else f"{path}[{key!r}]", inner, depth + 1)
                for key, inner in list(value.items())[:2000]
            )
        elif isinstance(value, list | tuple | set | frozenset):
            seen.add(id(value))
            queue.extend((f"{path}[{number}]", inner, depth + 1) for number, inner in enumerate(list(value)[:2000]))
        elif isinstance(value, types.FunctionType):
            seen.add(id(value))
            for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=False):
                try:
                    queue.append((f"{path}.{name}", cell.cell_contents, depth + 1))
                except ValueError:  # an empty cell
                    continue
        elif isinstance(value, functools.partial):
            seen.add(id(value))
            parts = {"func": value.func, **{f"args[{n}]": a for n, a in enumerate(value.args)}, **value.keywords}
            queue.extend((f"{path}.{key}", inner, depth + 1) for key, inner in parts.items())
        elif isinstance(value, types.MethodType):
            seen.add(id(value))
            queue.append((f"{path}.__self__", value.__self__, depth + 1))
        elif is_own_object(value):
            seen.add(id(value))
            queue.extend((f"{path}.{key}", inner, depth + 1) for key, inner in list(vars(value).items())[:200])
    return found


def _kept_by(module: nn.Module, of_class: dict[type, list[tuple[str, object]]]) -> Iterator[tuple[str, object]]:
    """What a module keeps under names that are not private: its attributes, its buffers, and the modules and tensors
    among the attributes of its own classes, which `of_class` remembers."""
    own, kind = vars(module), type(module)
    if kind not in of_class:
        of_class[kind] = list(_kept_by_class(kind))
    for key in _public(tuple(own)):
        if type(own[key]) not in _ATOMS:
            yield key, own[key]
    for kept in (own.get("_buffers", {}).items(), of_class[kind]):
        for key, value in kept:
            if _is_public(key) and type(value) not in _ATOMS:
                yield key, value


@functools.lru_cache(maxsize=1024)
def _public(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names that are not private; most modules have the same ones."""
    return tuple(name for name in names if _is_public(name))


def _is_public(name: object) -> bool:
    return isinstance(name, str) and (not name.startswith("_") or name.startswith("__"))  # `__dict__` takes all keys


def _kept_by_class(kind: type) -> Iterator[tuple[str, object]]:
    for base in kind.__mro__:
        if not base.__module__.startswith(("torch.", "builtins")):
            yield from ((k, v) for k, v in vars(base).items() if isinstance(v, nn.Module | torch.Tensor | list | dict))


def is_own_object(value: object) -> bool:
    """Whether `value` is an object of a class of the user's, or of a library's, with attributes to look into."""
    kind = type(value)
    return (
        hasattr(value, "__dict__")
        and not isinstance(value, type | types.ModuleType)
        and not kind.__module__.startswith(("torch", "builtins"))
    )


def _name_tensor(
    path: str, tensor: torch.Tensor, registered: set[int], recorder: Recorder, found: dict[int, str]
) -> None:
    if id(tensor) in registered:
        return
    if is_leaf(tensor):
        if tensor.requires_grad:
            found.setdefault(recorder.track(tensor).index, path)
        return
    node = grad_fn_of(tensor)
    for _ in range(64):  # the leaf behind `.to(...)`, `.expand(...)`, `.clone()`
        if node is None:
            return
        leaf = getattr(node, "variable", None)
        if leaf is not None:
            if id(leaf) not in registered:
                found.setdefault(recorder.track(leaf).index, path)
            return
        following = [n for n, _ in node.next_functions if n is not None]
        if len(following) != 1:
            return
        node = following[0]
