"""Whether a saved report is typed as `fxaudit/schema.json` says, and of a size that somebody can read.

Only what is there is looked at: what is missing, `from_document` needs or does without, and what is unknown it ignores.
"""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any

__all__ = ["MAX_CHARACTERS", "MAX_ENTRIES", "MAX_TEXT", "misfit"]

MAX_TEXT = 512 * 1024 * 1024
"""The characters of a whole report. One of 100,000 parameters has some 100 million."""
MAX_CHARACTERS = 1_000_000
"""The characters of one text in it."""
MAX_ENTRIES = 5_000_000
"""The entries of one list in it."""
LARGEST = 2**63 - 1

Schema = dict[str, Any]

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
WORDS = {
    dict: "an object", list: "a list", str: "a text", int: "a whole number",
    float: "a number", bool: "true or false", type(None): "null",
}  # fmt: skip


def misfit(document: dict[str, Any]) -> str:
    """What does not fit the schema, as `place: what was expected, what is there`; empty where everything fits."""
    schema = _schema()
    return _misfit(document, schema, "", schema["$defs"]) or _misplaced(document["graph"])


@functools.cache
def _schema() -> Schema:
    found: Schema = json.loads(resources.files("fxaudit").joinpath("schema.json").read_text("utf-8"))
    return found


def _misfit(value: Any, schema: Schema, place: str, known: Schema) -> str:
    if "$ref" in schema:
        schema = known[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        found = [_misfit(value, one, place, known) for one in schema["anyOf"]]
        return "" if "" in found else found[0]
    if "enum" in schema or "const" in schema:
        words = schema.get("enum", [schema.get("const")])
        return "" if value in words else f"{place}: expected one of {', '.join(map(str, words))}"
    problem = _mistyped(value, schema, place)
    if problem or isinstance(value, str | int | float | None):
        return problem
    return _misfit_inside(value, schema, place, known)


def _mistyped(value: Any, schema: Schema, place: str) -> str:
    wanted = schema.get("type")
    names = wanted if isinstance(wanted, list) else [wanted] if wanted else []
    if names and not any(_is(value, name) for name in names):
        expected = " or ".join(WORDS[TYPES[name][-1]] for name in names)
        return f"{place}: expected {expected}, found {WORDS.get(type(value), 'something else')}"
    if isinstance(value, int) and not -LARGEST <= value <= LARGEST:
        return f"{place}: the number is too large"
    if isinstance(value, int | float) and value < schema.get("minimum", value):
        return f"{place}: expected at least {schema['minimum']}"
    if isinstance(value, str) and len(value) > MAX_CHARACTERS:
        return f"{place}: the text has more than {MAX_CHARACTERS:,} characters"
    if isinstance(value, list | dict) and len(value) > MAX_ENTRIES:
        return f"{place}: the list has more than {MAX_ENTRIES:,} entries"
    return ""


def _is(value: Any, name: str) -> bool:
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def _misfit_inside(value: Any, schema: Schema, place: str, known: Schema) -> str:
    if isinstance(value, dict):
        own, others = schema.get("properties", {}), schema.get("additionalProperties")
        for key, part in value.items():
            inner = own.get(key, others if isinstance(others, dict) else None)
            if inner and (problem := _misfit(part, inner, f"{place}.{key}" if place else key, known)):
                return problem
        return ""
    first, rest = schema.get("prefixItems", ()), schema.get("items")
    if len(value) < schema.get("minItems", 0) or (rest is False and len(value) > len(first)):
        return f"{place}: expected {len(first)} entries, found {len(value)}"
    for number, part in enumerate(value):
        inner = first[number] if number < len(first) else rest
        if inner and (problem := _misfit(part, inner, f"{place}[{number}]", known)):
            return problem
    return ""


def _misplaced(graph: dict[str, Any]) -> str:
    """An index in the graph that leads nowhere."""
    modules, sources, nodes, autograd = (len(graph[name]) for name in ("modules", "sources", "nodes", "autograd_nodes"))
    indices = {
        "modules": {2: modules},
        "nodes": {2: modules, 3: sources},
        "edges": {0: nodes, 1: nodes},
        "autograd_nodes": {1: nodes},
        "autograd_edges": {0: autograd, 1: autograd},
        "autograd_roots": {0: autograd, 1: nodes},
        "traced": {2: nodes},
    }
    for name, places in indices.items():
        for number, entry in enumerate(graph.get(name, ())):
            for place, count in places.items():
                if entry[place] >= count:
                    return f"graph.{name}[{number}]: there is no entry {entry[place]}"
    for number, (_, _, parent, _) in enumerate(graph["modules"]):
        if parent >= number:
            return f"graph.modules[{number}]: its parent does not come before it"
    return ""
