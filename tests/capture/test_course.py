"""The course of a program is written down without anybody noticing, and within bounds."""

from __future__ import annotations

import gc
import textwrap
import weakref
from pathlib import Path
from typing import Any

import pytest

from fxaudit.capture import course as writing
from fxaudit.capture.course import CALLS, CourseWriter
from fxaudit.capture.session import Session
from fxaudit.program.course import PASSES, Course, Seen


def ran(tmp_path: Path, text: str) -> tuple[Session, dict[str, Any]]:
    """The session that saw the program run, and the program's variables."""
    file = tmp_path / "program.py"
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    session, variables = Session(), {"__name__": "program"}
    code = compile(file.read_text(encoding="utf-8"), str(file), "exec")
    with session.recording():
        exec(code, variables)
    return session, variables


def seen(course: Course, text: str) -> list[Seen]:
    """What the expression held wherever it was read."""
    return [sight.read[text] for sight in course.sights if text in sight.read]


def bound(course: Course, target: str) -> list[Seen]:
    return [sight.bound[target] for sight in course.sights if target in sight.bound]


HOOKS = """
asked = []


def nothing(*given):
    pass


class Loud:
    held = 0.5

    def __getattr__(self, name):
        asked.append(f"getattr {name}")
        raise AttributeError(name)

    def __eq__(self, other):
        asked.append("eq")
        return False

    def __hash__(self):
        asked.append("hash")
        return hash("key")

    def __len__(self):
        asked.append("len")
        return 0

    def __bool__(self):
        asked.append("bool")
        return True

    def __repr__(self):
        asked.append("repr")
        return ""

    def __call__(self):
        asked.append("call")

    def __getitem__(self, key):
        asked.append("getitem")
        return 0

    def __contains__(self, key):
        asked.append("contains")
        return True

    __str__ = __repr__

    @property
    def __class__(self):
        asked.append("class")
        return int

    @property
    def rate(self):
        asked.append("property")
        return 0.0
"""

QUIET = {
    "an object": ("loud = Loud()", "loud, loud.rate, loud.missing, loud['key'], loud.held, loud"),
    "an object that reads all its attributes itself": (
        """
        class Own(Loud):
            def __getattribute__(self, name):
                asked.append(name)
                return 0
        own = Own()
        """,
        "own.rate, own.held, own['key'], own",
    ),
    "an object with a dictionary of its own making": (
        """
        class Own:
            @property
            def __dict__(self):
                asked.append("dict")
                return {"rate": 0}
        own = Own()
        """,
        "own.rate, own",
    ),
    "a class whose class compares": (
        """
        class Meta(type):
            def __eq__(kind, other):
                asked.append("meta eq")
                return NotImplemented
            def __hash__(kind):
                asked.append("meta hash")
                return 1
            def __getattribute__(kind, name):
                asked.append(f"meta getattribute {name}")
                return type.__getattribute__(kind, name)
            def __instancecheck__(kind, other):
                asked.append("meta instance")
                return False
            def __subclasscheck__(kind, other):
                asked.append("meta subclass")
                return False
        class Kind(metaclass=Meta):
            rate = 0.5
        class Owner:
            pass
        kind, thing, owner, keyed, listed = Kind, Kind(), Owner(), {"key": Kind()}, [Kind()]
        Owner.part = thing
        """,
        "kind, thing, thing.rate, kind.rate, owner.part, owner.part.rate, keyed['key'], keyed[thing], listed[thing]",
    ),
    "descriptors": (
        """
        class Descriptor:
            def __get__(self, owner, kind):
                asked.append("get")
                return 3
        class Both(Descriptor):
            def __set__(self, owner, value):
                asked.append("set")
        class Owner:
            one, two = Descriptor(), Both()
        owner = Owner()
        owner.__dict__["two"] = 1
        """,
        "owner.one, owner.two, Owner.one",
    ),
    "slots": (
        "class Own:\n    __slots__ = ('rate', 'empty')\n    def __getattr__(self, name):\n        asked.append(name)\n"
        "        return 0\nown = Own()\nown.rate = 0.5",
        "own.rate, own.empty, own",
    ),
    "a dictionary that overrides everything": (
        """
        class Own(dict):
            def _say(self, *given):
                asked.append("dict")
            __getitem__ = get = keys = items = __contains__ = __len__ = __iter__ = __missing__ = _say
        own = Own(key=1)
        """,
        "own['key'], own['missing'], own",
    ),
    "a dictionary that makes what is missing": (
        "from collections import defaultdict\ndef make():\n    asked.append('made')\nown = defaultdict(make)",
        "own['key'], own",
    ),
    "members of a module kept in a dictionary of its own": (
        """
        class Members(dict):
            def __contains__(self, key):
                asked.append("contains")
                return True
            get = __contains__
        class Owner:
            pass
        owner = Owner()
        owner._modules, owner._parameters = Members(sub=1), Loud()
        """,
        "owner.sub, owner.missing",
    ),
    "a key with the hash of the text": ("loud = Loud()\nkeyed = {}\nkeyed[loud] = 1\nasked.clear()", "keyed['key']"),
    "a path": (
        """
        import pathlib
        class Own(type(pathlib.Path())):
            def __str__(self):
                asked.append("str")
                return ""
            def __getattr__(self, name):
                asked.append(name)
                raise AttributeError(name)
        own = Own("file.yaml")
        """,
        "own",
    ),
    "a stream": (
        """
        import io
        class Raw(io.RawIOBase):
            def readable(self):
                return True
            @property
            def name(self):
                asked.append("name")
                return "a"
        raw = io.BufferedReader(Raw())
        text = io.TextIOWrapper(io.BufferedReader(Raw()))
        gone = io.TextIOWrapper(io.BytesIO())
        gone.detach()
        asked.clear()
        """,
        "raw, text, gone",
    ),
    "a method of an object": ("import types\nmethod = types.MethodType(Loud(), 3)", "method"),
    "a proxy": ("import weakref\nloud = Loud()\nproxy = weakref.proxy(loud)", "proxy.rate, proxy['key'], proxy"),
    "a mock": (
        "from unittest import mock\nown = mock.MagicMock()\nbefore = len(own.mock_calls)",
        "own.rate, own['key'], own",
    ),
}


@pytest.mark.parametrize("kind", QUIET)
def test_nothing_of_the_users_is_called(kind: str, tmp_path: Path) -> None:
    made, read = QUIET[kind]
    text = (
        f"{HOOKS}\n{textwrap.dedent(made)}\nasked.clear()\nfor _ in range(3):\n    nothing(({read},) if asked else 0)\n"
    )
    text += "    one = two = Loud()\n    three, four = one, two\ntold = list(asked)\n"
    session, variables = ran(tmp_path, text)
    assert variables["told"] == []
    assert session.notes == []
    assert seen(session.record.course, "asked")


def test_what_stands_in_plain_sight_is_seen(tmp_path: Path) -> None:
    session, _ = ran(
        tmp_path,
        """
        from collections import OrderedDict, namedtuple
        from types import SimpleNamespace
        class Slotted:
            __slots__ = ("rate",)
        class Plain:
            share = 0.25
        own, plain, space = Slotted(), Plain(), SimpleNamespace(rate=0.75)
        own.rate = 0.5
        nested = {"a": [1, {"b": "text"}]}
        class Open(OrderedDict):
            __getattr__ = dict.get
        pair, entries, place = namedtuple("Pair", "left right")(1, 2.5), Open(scale=3), "a"
        def nothing(*given):
            pass
        nothing(own.rate, plain.share, space.rate, nested["a"][1]["b"], nested[place])
        nothing(pair.right, entries.scale, entries["scale"])
        """,
    )
    course = session.record.course
    values = {"own.rate": 0.5, "plain.share": 0.25, "space.rate": 0.75, "nested['a'][1]['b']": "text"}
    values |= {"pair.right": 2.5, "entries.scale": 3, "entries['scale']": 3}
    assert {text: seen(course, text)[-1].value for text in values} == values
    assert seen(course, "nested[place]")[-1].kind == "list"


def test_a_class_whose_body_writes_into_a_mapping_of_the_users_is_left_alone(tmp_path: Path) -> None:
    _, variables = ran(
        tmp_path,
        """
        asked = []
        class Space(dict):
            def get(self, *given):
                asked.append(given)
            def __missing__(self, key):
                asked.append(key)
                raise KeyError(key)
        class Meta(type):
            @classmethod
            def __prepare__(meta, name, bases):
                return Space()
        class Made(metaclass=Meta):
            rate = 0.5
            other = rate
        told = [name for name in asked if name not in ("__name__", "asked")]
        """,
    )
    assert variables["told"] == []


def test_nothing_is_kept_alive(tmp_path: Path) -> None:
    """Neither objects, nor classes, nor the variables of a function that has ended; and no reference to them stays."""
    session, variables = ran(
        tmp_path,
        """
        import weakref
        import torch
        class Thing:
            pass
        def work():
            class Local:
                __slots__ = ("rate",)
            thing, slotted, tensor = Thing(), Local(), torch.ones(3)
            thing.me, thing.slotted = thing, slotted
            kept = [weakref.ref(thing), weakref.ref(Local), weakref.ref(tensor)]
            return kept
        kept = work()
        alone = Thing()
        kept.append(weakref.ref(alone))
        alone = None
        died_at_once = kept[-1]() is None
        """,
    )
    assert variables["died_at_once"]
    gc.collect()
    assert [reference() for reference in variables["kept"]] == [None] * 4
    held = variables["Thing"]()
    writer = session.lines.writer
    writer._token(held)
    assert writer.references_to(held) and weakref.getweakrefcount(held) == 1
    session.release()
    assert weakref.getweakrefcount(held) == 0


def test_tensors_that_were_seen_can_be_swapped(tmp_path: Path) -> None:
    _, variables = ran(
        tmp_path,
        """
        import torch, weakref
        one, two = torch.zeros(2), torch.ones(2)
        three = one
        torch.utils.swap_tensors(one, two)
        kept = weakref.ref(one)
        try:
            torch.utils.swap_tensors(one, two)
        except RuntimeError as error:
            refused = str(error)
        """,
    )
    assert variables["three"].tolist() == [1, 1]
    assert "weakref" in variables["refused"], "the program's own reference still counts"


PROGRAMS = {
    "a generator": """
        def numbers(count):
            total = 0
            for number in range(count):
                total += number
                sent = yield total
            return total
        def outer(count):
            last = yield from numbers(count)
            yield last
        result = [*outer(3), *outer(2), next(numbers(5))]
    """,
    "a generator that is closed and one that raises": """
        said = []
        def numbers():
            try:
                kept = 1
                yield kept
                yield 2
            finally:
                said.append("closed")
        first = numbers()
        next(first)
        first.close()
        second = numbers()
        next(second)
        try:
            second.throw(KeyError("a"))
        except KeyError as error:
            said.append(error.args[0])
        result = said
    """,
    "asynchronous functions": """
        import asyncio
        async def numbers(count):
            for number in range(count):
                await asyncio.sleep(0)
                yield number
        async def summed(count):
            total = 0
            async for number in numbers(count):
                total += number
            async with asyncio.Lock() as nothing:
                total += 1
            return total
        async def main():
            return await asyncio.gather(summed(3), summed(4))
        result = asyncio.run(main())
    """,
    "recursion": """
        def depth(number):
            below = depth(number - 1) if number else 0
            return below + 1
        result = depth(200)
    """,
    "exceptions": """
        def fails(number):
            try:
                part = 1 / number
            except ZeroDivisionError as error:
                part = str(error)
                raise ValueError(part) from error
            finally:
                last = number
            return part
        result = []
        for number in (1, 0):
            try:
                result.append(fails(number))
            except ValueError as error:
                result.append((error.args, type(error.__cause__).__name__))
    """,
    "variables that come and go": """
        def work(first, *rest, key=1, **more):
            gone = first
            del gone
            if key:
                late = rest
            def inner():
                nonlocal key
                key += 1
                return key
            values = [inner() for _ in range(3)]
            (a, *b), c = [1, 2, 3], {"d": 4}
            c["d"] += a
            if (walrus := len(b)) > 1:
                values.append(walrus)
            return first, late, key, values, a, b, c, sorted(more)
        result = work(1, 2, 3, key=4, other=5), work(6)
    """,
    "match, with, while": """
        import contextlib
        def work(value):
            match value:
                case {"a": [first, *_]} if first:
                    found = first
                case [x, y] | (x, y, _):
                    found = x + y
                case _:
                    found = None
            with contextlib.suppress(ZeroDivisionError), contextlib.nullcontext(3) as three:
                found = 1 / 0
            count = three
            while count:
                count -= 1
            else:
                count = "done"
            return found, three, count
        result = [work({"a": [1]}), work([1, 2]), work((1, 2, 3)), work(0)]
    """,
    "a thread": """
        import threading
        result = []
        def work(number):
            doubled = number * 2
            result.append(doubled)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
            thread.join()
    """,
    "its own variables": """
        def work(a):
            b = a
            before = dict(locals())
            c = 3
            return before, sorted(vars())
        result = work(1)
    """,
    "code made from text": """
        space = {}
        exec("a = 1\\nb = [a for _ in range(2)]", space)
        result = space["b"], eval("x + 1", {"x": 2})
    """,
}


@pytest.mark.parametrize("kind", PROGRAMS)
def test_a_program_computes_what_it_computes_alone(kind: str, tmp_path: Path) -> None:
    alone: dict[str, Any] = {"__name__": "program"}
    exec(compile(textwrap.dedent(PROGRAMS[kind]), "<alone>", "exec"), alone)
    session, variables = ran(tmp_path, PROGRAMS[kind])
    assert variables["result"] == alone["result"]
    assert session.notes == [] and session.record.course.sights


def test_a_generator_that_is_made_again_is_another_call(tmp_path: Path) -> None:
    """Also where its frame stands where that of the first stood."""
    session, _ = ran(
        tmp_path,
        """
        def scaled(weight):
            for number in range(2):
                product = number * weight
                yield product
        result = []
        for weight in (1.0, 0.5, 0.0):
            result += [*scaled(weight)]
        """,
    )
    course = session.record.course
    calls = [number for number, frame in enumerate(course.frames) if frame.function == "scaled"]
    assert len(calls) == 3
    values = [{s.read["weight"].value for s in course.in_frame(number) if "weight" in s.read} for number in calls]
    assert values == [{1.0}, {0.5}, {0.0}]


def test_the_elements_of_comprehensions_are_seen_with_what_they_call(tmp_path: Path) -> None:
    """From Python 3.12 on they run in the frame of the function around them."""
    session, _ = ran(
        tmp_path,
        """
        def double(number):
            result = number * 2
            return result
        def work(scale):
            listed = [
                double(one) * scale
                for one in (1, 2, 3)
                if one > 1
            ]
            keyed = {name: (
                double(value)) for name, value in {"a": 4}.items()}
            return listed, keyed, [[inner + outer for inner in (7, 8)] for outer in (0.25,)]
        result = work(0.5)
        table = {one for one in (5, 6)}
        """,
    )
    course = session.record.course
    names = [frame.function.rpartition(".")[2] for frame in course.frames]
    assert {name: names.count(name) for name in set(names) if name.startswith("<")} == {
        "<module>": 1,
        "<listcomp>": 3,
        "<dictcomp>": 1,
        "<setcomp>": 1,
    }
    inside = {number for number, name in enumerate(names) if name.endswith("comp>")}
    assert {course.frames[n].caller for n, name in enumerate(names) if name == "double"} <= inside
    given = [s.read["one"].value for s in course.sights if s.frame in inside and {"one", "scale"} <= s.read.keys()]
    assert set(given) >= {2, 3}
    assert seen(course, "scale")[-1].value == 0.5
    assert {s.value for s in seen(course, "value")} == {4} and 0.25 in {s.value for s in seen(course, "outer")}


def test_of_a_hot_loop_only_the_first_passes_are_kept(tmp_path: Path) -> None:
    session, _ = ran(
        tmp_path,
        """
        def work(number):
            half = number / 2
            return half
        total = 0
        for number in range(2000):
            total += work(number)
        """,
    )
    course = session.record.course
    by_line: dict[int, int] = {}
    for sight in course.sights:
        by_line[sight.line] = by_line.get(sight.line, 0) + 1
    assert max(by_line.values()) == PASSES
    assert sum(frame.function == "work" for frame in course.frames) == CALLS
    assert len(course.sights) <= PASSES * 6


def test_the_number_of_sights_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "MAX_SIGHTS", 50)
    text = "".join(f"def f{n}():\n    a = {n}\n    return a\nf{n}()\n" for n in range(60))
    session, _ = ran(tmp_path, text)
    assert len(session.record.course.sights) == 50


def test_large_values_stand_for_what_they_are_only(tmp_path: Path) -> None:
    session, _ = ran(tmp_path, "text, number, table = 'a' * 5000, 10 ** 400, dict.fromkeys(map(str, range(5000)), 0)\n"
                     "one = table['7']\nother = text, number\n")  # fmt: skip
    course = session.record.course
    assert [bound(course, name)[0].kind for name in ("text", "number", "table")] == ["object", "object", "dict"]
    assert seen(course, "table['7']") == [], "the keys of a large dictionary are not looked through"


def test_an_error_of_its_own_ends_the_course_and_not_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: CourseWriter, value: object) -> Seen:
        raise RuntimeError("a defect")

    monkeypatch.delenv("FXAUDIT_STRICT", raising=False)
    monkeypatch.setattr(CourseWriter, "_seen", broken)
    session, variables = ran(tmp_path, "a = 1\nb = a\nc = b\n")
    assert variables["c"] == 1
    assert len(session.notes) == 1 and "the course of the program" in session.notes[0]
    assert len(session.record.course.sights) <= 1
