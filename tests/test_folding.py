import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxaudit.answer.folding import Universe, expand, fold, fold_sentence, folds

BLOCK = ("attn.q.weight", "attn.q.bias", "attn.k.weight", "attn.k.bias", "mlp.weight", "mlp.bias")
TRANSFORMER = [
    "embed.weight",
    *(f"encoder.layers.{number}.{name}" for number in range(12) for name in BLOCK),
    "head.weight",
    "head.bias",
]

components = st.sampled_from(
    [
        "a",
        "b",
        "weight",
        "bias",
        "0",
        "1",
        "2",
        "3",
        "11",
        "007",
        "²",
        "{",
        "}",
        "*",
        "\\",
        ",",
        "x[0]",
        "[1]",
        "",
        "1..3",
    ]
)
names = st.lists(components, max_size=4).map(".".join)


def attention(name: str) -> bool:
    return ".attn." in name


def test_a_module_in_every_layer_is_one_pattern() -> None:
    dead = list(filter(attention, TRANSFORMER))
    assert len(dead) == 48
    assert fold(dead, TRANSFORMER) == ["encoder.layers.{0..11}.attn.*"]


def test_without_a_universe_no_star_is_claimed() -> None:
    assert fold(filter(attention, TRANSFORMER)) == ["encoder.layers.{0..11}.attn.{q,k}.{weight,bias}"]


@pytest.mark.parametrize(
    ("given_names", "patterns"),
    [
        (["w.weight", "w.bias"], ["w.{weight,bias}"]),
        (["l.0.w", "l.1.w"], ["l.{0,1}.w"]),
        (["l.0.w", "l.2.w", "l.5.w"], ["l.{0,2,5}.w"]),
        (["l.0.w", "l.1.w", "l.2.w", "l.7.w"], ["l.{0..2,7}.w"]),
        (["l.2.w", "l.10.w", "l.1.w", "l.3.w"], ["l.{1..3,10}.w"]),
        (["layers[0].weight", "layers[1].weight"], ["layers[{0,1}].weight"]),
        (["<Parameter (4, 8)>"], ["<Parameter (4, 8)>"]),
        (["a{b", "c*"], ["{a\\{b,c\\*}"]),
        (["fc1.weight", "fc2.weight"], ["fc1.weight", "fc2.weight"]),
        ([], []),
    ],
)
def test_names_are_folded_as_people_would_write_them(given_names: list[str], patterns: list[str]) -> None:
    assert fold(given_names) == patterns


def test_the_odd_layer_out_is_listed_apart() -> None:
    dead = [name for name in TRANSFORMER if attention(name) and name != "encoder.layers.7.attn.k.bias"]
    assert fold(dead, TRANSFORMER) == [
        "encoder.layers.{0..6,8..11}.attn.*",
        "encoder.layers.7.attn.q.*",
        "encoder.layers.7.attn.k.weight",
    ]


def test_a_name_that_the_universe_lacks_never_hides_behind_a_star() -> None:
    assert fold(["a.x", "a.y"], universe=["a.x", "a.z"]) == ["a.{x,y}"]


def test_long_lists_of_alternatives_are_broken_into_several_patterns() -> None:
    found = fold([f"p.name{letter}" for letter in "abcdefghij"])
    assert [pattern.count(",") for pattern in found] == [7, 1]


def test_a_sentence_names_the_first_patterns_and_counts_the_parameters_left() -> None:
    assert fold_sentence(TRANSFORMER, TRANSFORMER) == "`embed.weight`, `encoder.*` and `head.*`"
    assert fold_sentence(TRANSFORMER, limit=1) == "`embed.weight` and 74 more"
    assert fold_sentence(["a"]) == "`a`"
    assert fold_sentence([]) == ""


def test_a_star_without_a_universe_cannot_be_expanded() -> None:
    with pytest.raises(ValueError, match="give the universe of all names"):
        expand("encoder.*")


@given(st.sets(names), st.sets(names))
def test_expanding_the_patterns_gives_the_names_back(chosen: set[str], others: set[str]) -> None:
    universe = chosen | others
    found = [name for pattern in fold(chosen, universe) for name in expand(pattern, universe)]
    assert sorted(found) == sorted(chosen)


@given(st.sets(names))
def test_expanding_needs_no_universe_where_none_was_given(chosen: set[str]) -> None:
    assert sorted(name for pattern in fold(chosen) for name in expand(pattern)) == sorted(chosen)


@given(st.sets(names), st.sets(names))
def test_every_pattern_says_which_names_it_stands_for(chosen: set[str], universe: set[str]) -> None:
    for folded in folds(sorted(chosen), Universe.of(universe)):
        assert sorted(expand(folded.pattern, universe)) == sorted(folded.names)


def test_a_name_of_a_thousand_components_folds() -> None:
    deep = ".".join(["m"] * 1000)
    assert fold([f"{deep}.0", f"{deep}.1"]) == [deep + ".{0,1}"]


@pytest.mark.slow
def test_a_hundred_thousand_names_fold_in_seconds() -> None:
    experts = [
        f"layers.{i}.experts.{e}.{w}" for i in range(50) for e in range(500) for w in ("gate", "up", "down", "x")
    ]
    start = time.process_time()
    found = fold((name for name in experts if not name.endswith(".x")), experts)
    assert found == ["layers.{0..49}.experts.{0..499}.{gate,up,down}"]
    assert time.process_time() - start < 20


def test_a_dot_within_a_key_parts_nothing() -> None:
    names = ["params['0.weight']", "params['0.bias']", "net.0.weight", "net.0.bias"]
    assert fold(names, names) == ["{params['0.weight'],params['0.bias']}", "net.*"]
    assert expand("{params['0.weight'],params['0.bias']}") == names[:2]
