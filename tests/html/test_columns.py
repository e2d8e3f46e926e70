"""The columns in which a page keeps what it knows of many parameters."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from fxaudit.renderers.html import columns
from tests.html import conftest as read

NAMES = st.lists(st.text(st.characters(), max_size=12), max_size=40, unique=True)


@given(st.lists(st.integers(0, 2**30)))
def test_whole_numbers_come_back(numbers: list[int]) -> None:
    assert read.whole(columns.whole(numbers)) == numbers


def test_what_repeats_is_written_once() -> None:
    assert len(columns.whole([7] * 100_000)) < 10
    assert read.whole(columns.whole([7] * 100_000 + [8])) == [7] * 100_000 + [8]


@given(st.lists(st.none() | st.floats(min_value=0, max_value=1e300)))
def test_sizes_come_back_with_three_digits(sizes: list[float | None]) -> None:
    wanted = [None if size is None else float(f"{size:.2e}") for size in sizes]
    assert read.sizes(columns.sizes(sizes)) == wanted


def test_a_size_that_is_not_finite_is_not_known() -> None:
    assert read.sizes(columns.sizes([math.inf, math.nan, 1.0, 0.0])) == [None, None, 1.0, 0.0]


@given(NAMES)
def test_names_come_back(names: list[str]) -> None:
    assert read.names(columns.named(names)) == names


def test_names_are_cut_where_javascript_can_cut_them() -> None:
    names = ["a\U0001f4a5x", "a\U0001f4a5y"]
    assert columns.named(names)["texts"] == ["a\U0001f4a5x", "\U0001f4a5y"]


def test_what_names_of_equal_blocks_share_is_written_once() -> None:
    written = columns.named([f"layers.{n}.{part}.weight" for n in range(1000) for part in ("query", "key", "value")])
    assert len(str(written)) < 15_000


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(1, 99))))
def test_spans_come_back(pairs: list[tuple[int, int]]) -> None:
    end, found = 0, []
    for gap, length in pairs:
        found.append([end + gap, end + gap + length])
        end = found[-1][1]
    assert read.spans(columns.spans(found)) == found
