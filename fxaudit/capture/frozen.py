"""A recording at its end: one value that tells all that was seen, and in which nothing of the user's is alive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from fxaudit.capture.recording import NodeFlow, Record, Track
from fxaudit.capture.registry import ClassInfo, ModuleInfo, OptimizerInfo, SlotAssignment

__all__ = ["Flows", "Mirror", "Mode", "ModelRecord", "OwnStep", "Recording"]


@dataclass(frozen=True, slots=True)
class Mode:
    """What was looked at."""

    seen: Literal["structure", "one step", "part of a loop", "loop"]
    """The structure alone, without a run; one forward and backward; so many rounds of a loop; a loop as a whole."""
    optimizers_known: bool = True
    """Whether what no optimizer was seen to hold is held by none."""

    @property
    def is_loop(self) -> bool:
        """Whether the user's own loop was watched, in which steps are expected."""
        return self.seen in ("part of a loop", "loop")

    @property
    def is_part(self) -> bool:
        """Whether what has not happened may happen after what was watched."""
        return self.seen == "part of a loop"


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A root module, the prefix of its parameters' names ("" where there is only one root), and its parameters."""

    root: ModuleInfo
    prefix: str
    parameters: tuple[tuple[str, int], ...] = ()
    """(name, track) of each, in the model's own order."""
    unlisted: frozenset[int] = frozenset()
    """The tracks of those that `named_parameters()` of the model itself passes over."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """A `DistributedDataParallel` that was seen, and how it was called."""

    module: int
    inside: frozenset[int]
    """The modules that it wraps."""
    tracks: tuple[int, ...]
    """The parameters whose gradients it averages."""
    waits: bool
    """Whether it waits for every one of them in every backward."""
    calls: tuple[int, ...]
    """Its calls in training mode."""
    unsynchronised: tuple[int, ...]
    """Those of the calls after which no gradient is averaged (`no_sync`)."""


@dataclass(frozen=True, eq=False)
class Flows:
    """What went through each autograd node in one backward that was looked at."""

    event: int
    """The index of the backward among the events."""
    flows: tuple[NodeFlow, ...]
    edges: tuple[tuple[tuple[int, int], ...], ...]
    """For each node, the (next node, position) pairs of its inputs, towards the leaves; -1 where there is none."""


@dataclass(frozen=True, slots=True)
class OwnStep:
    """One step of an optimizer of the user's own: its operations, and the tracks that stand in them for those of the
    recording."""

    record: Record
    tracks: Mapping[int, Track]


@dataclass(frozen=True, eq=False)
class Recording:
    """All that was seen of a run, or of a structure.

    It is made by `freeze`, and judging changes nothing in it. Modules, optimizers, tensors and classes are indices into
    its tables; a tensor's index is that of its track.
    """

    mode: Mode
    record: Record
    title: str = ""
    """What was looked at: the name of a script, or of a model's class."""
    environment: dict[str, str] = field(default_factory=dict)
    """The versions of fxaudit, torch and Python, and the platform."""
    texts: Mapping[str, str] | None = None
    """File → its text as it was then; None where the files themselves are read."""
    models: tuple[ModelRecord, ...] = ()
    """The root modules that are judged; the one with most that is held comes first."""
    modules: tuple[ModuleInfo, ...] = ()
    optimizers: tuple[OptimizerInfo, ...] = ()
    classes: tuple[ClassInfo, ...] = ()
    assignments: tuple[SlotAssignment, ...] = ()
    mirrors: tuple[Mirror, ...] = ()
    probes: tuple[Flows, ...] = ()
    measured: tuple[Flows, ...] = ()
    """Backwards in which gradients were only measured, because some parameters get none."""
    own_steps: dict[int, OwnStep] = field(default_factory=dict)
    """Optimizer → the last step of it that was recorded."""
    names: dict[int, str] = field(default_factory=dict)
    """Track → the fully-qualified name last known, without a root's prefix."""
    owners: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Track → (module index of the root, name) last known."""
    history: dict[tuple[int, str], tuple[tuple[int, int], ...]] = field(default_factory=dict)
    """(root, name) → (time, track) of each tensor seen under the name."""
    leaf_names: dict[int, str] = field(default_factory=dict)
    """Track → the variable or attribute of a tensor that belongs to no module."""
    kept: dict[int, str] = field(default_factory=dict)
    """Track → the attribute path of what the models keep in lists, dicts, attributes or closures."""
    glances: frozenset[int] = frozenset()
    """Events of backwards before which only what was still alive could be looked at."""
    batch_began: int = -1
    """The moment at which the one batch of an audit without a loop begins; -1 where a loop was watched."""
    fixed_values: frozenset[int] = frozenset()
    """The values that modules kept then: parameters, buffers, and tensors in attributes."""
    warming: frozenset[int] = frozenset()
    """The optimizers whose rates are all 0 now, and are raised later by their schedulers."""
    compiled_calls: tuple[int, ...] = ()
    """The stacks at which compiled code was entered that no module stands for."""
    compiled_writes: frozenset[int] = frozenset()
    """The tracks whose value or gradient changed in such code."""
    elsewhere: frozenset[int] = frozenset()
    """The tracks of what was handed to processes that the program started."""
    stepped_elsewhere: frozenset[int] = frozenset()
    """The tracks that an optimizer stepped in another thread."""
    blind_children: bool = False
    """A process was started of which it is not known what it was given."""
    forward_unseen: bool = False
    """The loss was computed before anybody watched: only its autograd graph tells of the forward."""
    died: bool = False
    """An exception ended the program."""
    died_switched_off: bool = False
    """It died of a backward, with gradients switched off for good."""
    notes: tuple[str, ...] = ()
    """Sentences on what could not be seen."""

    # -- optimizers ----------------------------------------------------------------------------------------------

    @cached_property
    def _holders(self) -> dict[int, list[tuple[OptimizerInfo, int]]]:
        found: dict[int, list[tuple[OptimizerInfo, int]]] = {}
        for info in self.optimizers:
            if info.wrapper_of < 0 and info.is_asked_about and not info.is_abandoned:
                for track, numbers in info.held_in.items():
                    found.setdefault(track, []).extend((info, number) for number in dict.fromkeys(numbers))
        return found

    def holders(self, track: int) -> list[tuple[OptimizerInfo, int]]:
        """The optimizers and groups that hold the tensor."""
        return self._holders.get(track, [])

    def others_holding(self, track: int) -> list[OptimizerInfo]:
        """The optimizers in use that hold the tensor and that the audit was not given."""
        others = (info for info in self.optimizers if not info.is_asked_about and info.wrapper_of < 0 and info.is_alive)
        return [info for info in others if track in info.held_in]

    # -- modules -------------------------------------------------------------------------------------------------

    def class_of(self, info: ModuleInfo | OptimizerInfo) -> ClassInfo:
        """The class of a module or an optimizer."""
        return self.classes[info.kind]

    def model_of(self, root: int) -> ModelRecord | None:
        """The judged model with that root."""
        return next((model for model in self.models if model.root.index == root), None)

    def child(self, module: ModuleInfo, name: str) -> ModuleInfo | None:
        """The sub-module of that name."""
        index = module.children.get(name)
        return self.modules[index] if index is not None else None

    def way(self, root: ModuleInfo, path: str) -> list[ModuleInfo]:
        """The modules from `root` down along `path`, as far as there are modules."""
        found = [root]
        for part in path.split(".") if path else ():
            child = self.child(found[-1], part)
            if child is None:
                break
            found.append(child)
        return found

    @cached_property
    def _paths(self) -> dict[int, dict[str, ModuleInfo]]:
        return {}

    def paths(self, root: ModuleInfo) -> dict[str, ModuleInfo]:
        """Path → module of all that is in the tree of `root`, itself ("") first; a shared module has several paths."""
        known = self._paths.get(root.index)
        if known is None:
            known = self._paths[root.index] = dict(self._walk(root))
        return known

    def below(self, root: ModuleInfo) -> Iterator[tuple[str, ModuleInfo]]:
        """(path, module) of all that is in the tree of `root`, each module once."""
        seen: set[int] = set()
        for path, module in self.paths(root).items():
            if module.index not in seen:
                seen.add(module.index)
                yield path, module

    def tracks_below(self, root: ModuleInfo) -> set[int]:
        """The parameters in the tree of `root`."""
        return {track for _, module in self.below(root) for track in module.parameters.values()}

    def _walk(self, root: ModuleInfo) -> Iterator[tuple[str, ModuleInfo]]:
        queue: list[tuple[str, ModuleInfo | None, int]] = [("", root, -1)]
        above: set[int] = set()
        for _ in range(MAX_PATHS):
            if not queue:
                return
            path, module, left = queue.pop()
            if module is None:
                above.discard(left)
                continue
            yield path, module
            above.add(module.index)
            queue.append(("", None, module.index))
            prefix = f"{path}." if path else ""
            for name, index in reversed(module.children.items()):
                if index not in above:  # a module may keep the one that keeps it
                    queue.append((prefix + name, self.modules[index], -1))


MAX_PATHS = 1_000_000
"""So many paths of one tree are looked at: modules that share modules that share modules have more than are needed."""
