"""A recording as a file: compressed JSON with the texts of the files that it names. Reading it runs no code.

Nothing tells of the machine: files under the working directory go by their path from there, installed ones by their
path in `site-packages`.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any, get_args, get_origin, get_type_hints

import cattrs.errors
from cattrs.preconf.json import JsonConverter, make_converter

from fxaudit.capture.events import LoopEvent
from fxaudit.capture.frozen import ModelRecord, OwnStep, Recording
from fxaudit.capture.recording import HeardLines, Record
from fxaudit.errors import InvalidRecordingError
from fxaudit.program.config_files import SUFFIXES, settings_in, without_passwords
from fxaudit.program.course import Plain
from fxaudit.program.source import KeptCode, StackTable, is_skipped, portable_path, qualified_name, read_source

__all__ = ["from_bytes", "to_bytes"]

FORMAT, VERSION = "fxaudit recording", 2
MAX_BYTES = 1 << 31
"""A file that unpacks to more is not read."""

_MISFIT: type[Exception] = getattr(cattrs.errors, "CattrsError", Exception)
"""What cattrs raises; older versions raise a plain `Exception` for a word that is none of those allowed."""

_EVENTS: dict[str, type[Any]] = {kind.__name__: kind for kind in LoopEvent.__args__}
_PARTS = get_type_hints(Record)
_WHOLE = get_type_hints(Recording)
_BY_HAND = ("record", "own_steps", "texts", "models")
"""The fields of a recording that refer to others."""


def to_bytes(recording: Recording) -> bytes:
    """The whole recording, with the texts of all files that it names as they are now."""
    plain = _converter()
    document: dict[str, Any] = {
        field.name: plain.unstructure(getattr(recording, field.name), _WHOLE[field.name])
        for field in fields(Recording)
        if field.name not in _BY_HAND
    }
    kept = recording.record.stacks.kept()
    document |= {
        "format": FORMAT,
        "version": VERSION,
        "stacks": _stacks(kept),
        "record": _record(plain, recording.record),
        "own_steps": [
            [index, _record(plain, step.record), [[track, own.index] for track, own in step.tracks.items()]]
            for index, step in recording.own_steps.items()
        ],
        "models": [[m.root.index, m.prefix, m.parameters, sorted(m.unlisted)] for m in recording.models],
    }
    if recording.texts is None:
        names = {file: portable_path(file) for file in sorted(set(_files(recording, kept)))}
        read = {file: "\n".join(_text_of(file)) for file in names if not is_skipped(file)}
        known = _Known(names, read.values())
        for record in (document["record"], *(own[1] for own in document["own_steps"])):
            _leave_out_secrets(record["course"], known)
            record["scopes"] = _with_known_keys(record["scopes"], known)
        document = _renamed(document, names)
        document["texts"] = {names[file]: text for file, text in read.items()}
    else:
        document["texts"] = dict(recording.texts)
    return zlib.compress(json.dumps(document, separators=(",", ":"), default=str).encode("utf-8", "surrogatepass"), 6)


def from_bytes(data: bytes) -> Recording:
    """The recording that `to_bytes` wrote.

    Raises:
        InvalidRecordingError: This is no recording, or one of another version.
    """
    expected = "Expected a file that `fxaudit run --record` wrote."
    try:
        unpacker = zlib.decompressobj()
        document = json.loads(unpacker.decompress(data, MAX_BYTES).decode("utf-8", "surrogatepass"))
    except (zlib.error, ValueError, RecursionError):
        raise InvalidRecordingError(f"This is no fxaudit recording. {expected}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InvalidRecordingError(f"This is no fxaudit recording. {expected}")
    if document.get("version") != VERSION:
        raise InvalidRecordingError(
            f"This recording has version {document.get('version')!r}; this fxaudit reads version {VERSION}. "
            "Judge it with the fxaudit that recorded it."
        )
    try:
        return _recording(document)
    except (_MISFIT, LookupError, TypeError, ValueError, AttributeError):
        raise InvalidRecordingError(
            "This recording is damaged: a part of it is missing, or of the wrong kind. Record it again."
        ) from None


def _recording(document: Mapping[str, Any]) -> Recording:
    plain = _converter()
    stacks = _table(document["stacks"])
    whole = {
        field.name: plain.structure(document[field.name], _WHOLE[field.name])
        for field in fields(Recording)
        if field.name not in _BY_HAND
    }
    own_steps = {}
    for index, step, tracks in document["own_steps"]:
        record = _record_of(plain, step, stacks)
        own_steps[int(index)] = OwnStep(record, {int(track): record.tracks[number] for track, number in tracks})
    return Recording(
        record=_record_of(plain, document["record"], stacks),
        own_steps=own_steps,
        models=tuple(
            ModelRecord(
                whole["modules"][root],
                prefix,
                plain.structure(parameters, tuple[tuple[str, int], ...]),
                frozenset(unlisted),
            )
            for root, prefix, parameters, unlisted in document["models"]
        ),
        texts=plain.structure(document["texts"], dict[str, str]),
        **whole,
    )


def _converter() -> JsonConverter:
    """Events with their classes; every value is of exactly the kind that its field has."""
    plain = make_converter(detailed_validation=False, unstruct_collection_overrides={frozenset: sorted})
    kinds: dict[type, type | tuple[type, ...]] = {int: int, float: (int, float), bool: bool, str: str}
    for kind, accepted in kinds.items():
        plain.register_structure_hook(kind, _of_kind(accepted))
    plain.register_structure_hook_func(lambda kind: kind == Plain, lambda value, _: _plain_value(value))
    plain.register_unstructure_hook_func(lambda kind: kind == Plain, lambda value: value)
    plain.register_structure_hook_func(lambda kind: kind is object, lambda value, _: _numbers(value))
    plain.register_unstructure_hook_factory(_has_other_keys, lambda kind: _pairs(plain, kind))
    plain.register_structure_hook_factory(_has_other_keys, lambda kind: _mapping(plain, kind))
    plain.register_unstructure_hook_func(
        lambda kind: kind == LoopEvent,
        lambda event: [type(event).__name__, plain.unstructure(event, type(event))],
    )
    plain.register_structure_hook_func(
        lambda kind: kind == LoopEvent, lambda row, _: plain.structure(row[1], _EVENTS[row[0]])
    )
    return plain


def _has_other_keys(kind: Any) -> bool:
    """Whether it is a type of mappings with keys that JSON has not."""
    return get_origin(kind) is dict and get_args(kind)[0] is not str


def _pairs(plain: JsonConverter, kind: Any) -> Any:
    of_key, of_value = get_args(kind)
    return lambda found: [[plain.unstructure(k, of_key), plain.unstructure(v, of_value)] for k, v in found.items()]


def _mapping(plain: JsonConverter, kind: Any) -> Any:
    of_key, of_value = get_args(kind)
    return lambda rows, _: {plain.structure(k, of_key): plain.structure(v, of_value) for k, v in rows}


def _numbers(value: Any) -> object:
    """What the variables of a frame held: numbers, and tuples and dicts of them."""
    if isinstance(value, list):
        return tuple(map(_numbers, value))
    return {key: _numbers(part) for key, part in value.items()} if isinstance(value, dict) else value


def _plain_value(value: Any) -> Plain:
    if value is not None and not isinstance(value, bool | int | float | str):
        raise TypeError(type(value).__name__)
    return value


def _of_kind(accepted: type | tuple[type, ...]) -> Any:
    def checked(value: Any, _: Any) -> Any:
        if not isinstance(value, accepted) or (isinstance(value, bool) and accepted is not bool):
            raise TypeError(type(value).__name__)
        return value

    return checked


# -- the record --------------------------------------------------------------------------------------------------


def _record(plain: JsonConverter, record: Record) -> dict[str, Any]:
    """All but the stacks, which the records of one recording share."""
    parts = ("ops", "values", "calls", "events", "tracks", "sizes", "scopes", "refused", "course")
    heard = record.lines
    return {
        **{part: plain.unstructure(getattr(record, part), _PARTS[part]) for part in parts},
        "heard": None if heard is None else [{f: sorted(lines) for f, lines in heard.ran().items()}, heard.is_whole],
    }


def _record_of(plain: JsonConverter, parts: Mapping[str, Any], stacks: StackTable) -> Record:
    heard = parts["heard"]
    lines = HeardLines({file: set(ran) for file, ran in heard[0].items()}, bool(heard[1])) if heard else None
    found = {name: plain.structure(part, _PARTS[name]) for name, part in parts.items() if name != "heard"}
    return Record(stacks=stacks, lines=lines, **found)


def _stacks(table: StackTable) -> dict[str, Any]:
    numbers: dict[int, int] = {}
    codes: list[list[Any]] = []
    for code in table.codes:
        if id(code) not in numbers:
            numbers[id(code)] = len(codes)
            places = code.positions.items() if isinstance(code, KeptCode) else ()
            name = (code.co_filename, code.co_name, qualified_name(code))
            codes.append([*name, code.co_firstlineno, [[lasti, *place] for lasti, place in places]])
    return {"codes": codes, "parents": table.parents, "code": [numbers[id(c)] for c in table.codes], "at": table.lasti}


def _table(document: Mapping[str, Any]) -> StackTable:
    codes = [
        KeptCode(
            file, name, qualified, first, {lasti: (line, last, start, end) for lasti, line, last, start, end in at}
        )
        for file, name, qualified, first, at in document["codes"]
    ]
    return StackTable(list(document["parents"]), [codes[number] for number in document["code"]], list(document["at"]))


# -- files -------------------------------------------------------------------------------------------------------


def _files(recording: Recording, stacks: StackTable) -> Iterator[str]:
    """Every file that the recording names."""
    yield from (code.co_filename for code in stacks.codes)
    yield from (module.defined_in for module in recording.modules if module.defined_in)
    for kind in recording.classes:
        yield from (file for _, _, file in kind.bases if file)
        yield from (file for file, _, _ in kind.methods)
        functions = (kind.forward, *kind.overrides.values())
        yield from (function.file for function in functions if function is not None)
    for info in recording.optimizers:
        yield from (file for places in info.factors.values() for file, _ in places)
    heard = recording.record.lines
    yield from heard.ran() if heard is not None else ()
    yield from (file for file in recording.record.course.config_files() if settings_in(file))


def _text_of(file: str) -> list[str]:
    lines = read_source(file)
    return [without_passwords(line) for line in lines] if file.endswith(SUFFIXES) else lines


class _Known:
    """The texts that may stand in a recording: those that stand in one of its files, and the names of these."""

    def __init__(self, names: Mapping[str, str], texts: Iterable[str]) -> None:
        self._names, self._whole = names, "\n".join(texts)
        self._asked: dict[str, bool] = {}

    def __contains__(self, text: str) -> bool:
        known = self._asked.get(text)
        if known is None:
            is_number = text.lstrip("-").isdigit()
            known = self._asked[text] = is_number or text in self._names or text in self._whole
        return known


def _leave_out_secrets(course: dict[str, Any], known: _Known) -> None:
    """Of the texts that variables held, and of the keys that were written, only those stay that stand in a file of the
    recording: no password that came from the environment, and no folder of the machine."""
    for sight in course["sights"]:
        for seen in (*sight["read"].values(), *sight["bound"].values()):
            is_text = isinstance(seen["value"], str) and seen["kind"] in ("plain", "file", "module")
            if is_text and seen["value"] not in known:
                seen["kind"], seen["value"] = "object", "str"
            if any(isinstance(member, str) and member not in known for member in seen["members"] or ()):
                seen["members"] = None
        owners = sight["owners"]
        for target, (owner, part) in owners.items():
            owners[target] = [owner, part if part in known else ""]


def _with_known_keys(held: Any, known: _Known) -> Any:
    """What variables held, without the entries whose keys stand in no file."""
    if isinstance(held, Mapping):
        return {key: _with_known_keys(part, known) for key, part in held.items() if key in known}
    return [_with_known_keys(part, known) for part in held] if isinstance(held, list | tuple) else held


def _renamed(document: Any, names: Mapping[str, str]) -> Any:
    """`document` with every text that is one of the keys of `names` in its other form."""
    if isinstance(document, str):
        return names.get(document, document)
    if isinstance(document, Mapping):
        return {names.get(key, key): _renamed(value, names) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [_renamed(value, names) for value in document]
    return document
