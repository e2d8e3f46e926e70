"""peft: what is expected of a model with adapters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fxaudit.errors import InvalidModelError
from fxaudit.integrations.hosts import host

__all__ = ["AdaptersTrain", "peft"]


def peft() -> AdaptersTrain:
    """Expect of a model of `peft` that all of its active adapters train, with `modules_to_save`, and nothing else.

    To be given as `expect` to `fxaudit.audit`, `assert_trains`, `watch` and the callbacks. What has to train is what
    `peft` itself would save of the model; everything else has to be frozen.

    Raises:
        MissingLibraryError: `peft` is not installed.

    Example:
        fxaudit.assert_trains(model, loss, optimizer, expect=fxaudit.peft())
    """
    return AdaptersTrain(host("fxaudit.peft", "peft"))


class AdaptersTrain:
    """An expectation that is asked of the models when they are known."""

    def __init__(self, library: Any) -> None:
        self._library = library

    def __call__(self, named: Sequence[tuple[str, Any]]) -> Mapping[str, str]:
        """Patterns of the (name, module) pairs: those of the adapters, then one for everything else in the model.

        Raises:
            InvalidModelError: No model in there has adapters of `peft`.
        """
        wanted: dict[str, str] = {}
        others: dict[str, str] = {}
        for name, module in named:
            prefix = f"{name}." if name and len(named) > 1 else ""
            for path, model in _adapted(module):
                inside = prefix + (f"{path}." if path else "")
                trained = set(self._trained(model))
                names = [known for known, _ in model.named_parameters()]
                wanted.update({inside + pattern: "trained" for pattern in patterns(trained, names, _active(model))})
                if len(trained) < len(names):
                    others[f"{inside}*"] = "frozen"
        if not wanted:
            raise InvalidModelError(
                "`expect=fxaudit.peft()` is for models with adapters of peft, and this has none. Expected: a model "
                "from `peft.get_peft_model(…)` or one with `add_adapter(…)`."
            )
        return {**wanted, **others}

    def _trained(self, model: Any) -> Iterator[str]:
        """The names of the parameters that have to train."""
        parameters = dict(model.named_parameters())
        kept: set[int] = set()
        for adapter in _active(model):
            if model.peft_config[adapter].is_prompt_learning:
                kept |= {id(parameter) for parameter in model.prompt_encoder[adapter].parameters()}
                continue
            saved = self._library.get_peft_model_state_dict(
                model, state_dict=parameters, adapter_name=adapter, save_embedding_layers=False
            )
            kept |= {id(parameter) for parameter in saved.values()}
        return (name for name, parameter in parameters.items() if id(parameter) in kept)


def _adapted(module: Any) -> Iterator[tuple[str, Any]]:
    """The outermost modules with adapters: (path, module)."""
    found: list[str] = []
    for path, part in module.named_modules():
        if isinstance(getattr(part, "peft_config", None), dict) and not any(_is_below(path, other) for other in found):
            found.append(path)
            yield path, part


def _is_below(path: str, other: str) -> bool:
    return not other or path.startswith(f"{other}.")


def _active(model: Any) -> list[str]:
    """The names of the adapters that are in use."""
    active = model.active_adapters
    found = active() if callable(active) else active
    return [found] if isinstance(found, str) else list(found)


def patterns(trained: set[str], names: Iterable[str], adapters: Sequence[str]) -> list[str]:
    """Few patterns that match all of `trained` and no other of `names`: by the part of a name around an adapter's.

    Example:
        >>> trained = {"a.lora_A.default.weight", "b.lora_A.default.weight", "b.bias"}
        >>> patterns(trained, [*trained, "a.weight", "a.lora_A.other.weight"], ["default"])
        ['*.lora_A.default.*', 'b.bias']
    """
    from fnmatch import fnmatchcase

    rest = [name for name in names if name not in trained]
    found: dict[str, None] = {}
    refused: set[str] = set()
    for name in sorted(trained):
        pattern = _pattern(name, adapters)
        if pattern in found:
            continue
        if pattern in refused or any(fnmatchcase(other, pattern) for other in rest):
            refused.add(pattern)
            pattern = name
        found[pattern] = None
    return list(found)


def _pattern(name: str, adapters: Sequence[str]) -> str:
    parts = name.split(".")
    place = next((n for n in range(len(parts) - 1, 0, -1) if parts[n] in adapters), 0)
    if not place:
        return name
    before = "*." if place > 1 else ""
    after = ".*" if place + 1 < len(parts) else ""
    return f"{before}{parts[place - 1]}.{parts[place]}{after}"
