"""Lines that do not do what they seem to, names in lists, and who is registered where, as far as the source tells."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from fxaudit.program.course import Seen
from fxaudit.program.groups import params_chosen, restraints_given
from fxaudit.program.name_lists import listed_in_vain
from fxaudit.program.names import parallel, picked_from, repeating
from fxaudit.program.registrations import registration_of
from fxaudit.program.slips import flag_of_text, lone_text, made_flags, only_compared, shallow_copies
from fxaudit.program.tree import Tree, tree_of

NAMES = ["encoder.weight", "encoder.norm.weight", "adapter.weight", "head.weight"]


def written(folder: Path, text: str, name: str = "program.py") -> str:
    file = folder / name
    file.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return str(file)


def parsed(folder: Path, text: str) -> Tree:
    tree = tree_of(written(folder, text))
    assert tree is not None
    return tree


@pytest.mark.parametrize(
    ("test", "text"),
    [
        ('"a" in name or "b"', "b"),
        ('"b" or "a" in name', "b"),
        ('not ("a" in name or "b")', "b"),
        ('"a" in name or "b" in name', None),
        ('name in ("a", "b") or flag', None),
        ('"a" and name', None),
        ('name or ""', None),
    ],
)
def test_a_text_that_stands_alone_in_an_or_is_found(test: str, text: str | None) -> None:
    assert lone_text(ast.parse(test, mode="eval").body) == text


@pytest.mark.parametrize(
    ("statement", "read", "text"),
    [
        ('flag = bool(os.environ.get("FREEZE", "0"))', {}, "0"),
        ('flag = bool(env["FREEZE"])', {"env['FREEZE']": Seen("plain", "False")}, "False"),
        ("flag = bool(text)", {"text": Seen("plain", "no")}, "no"),
        ("flag = bool(text)", {"text": Seen("plain", "yes")}, None),
        ('flag = bool(os.environ.get("FREEZE"))', {}, None),
        ("flag = bool(count)", {"count": Seen("plain", 0)}, None),
        ('parser.add_argument("--freeze", type=bool)', {}, "a text"),
        ('parser.add_argument("--freeze", type=flag)', {}, None),
    ],
)
def test_a_text_that_means_no_and_is_taken_for_a_flag(
    tmp_path: Path, statement: str, read: dict[str, Seen], text: str | None
) -> None:
    assert flag_of_text(written(tmp_path, statement), 1, read) == text


def test_flags_are_found_by_the_name_under_which_they_are_given(tmp_path: Path) -> None:
    text = """
    def flag(text):
        return bool(text)


    options = dict(freeze=flag("0"), width=int("3"))
    self.quiet = bool("")
    """
    file = written(tmp_path, text)
    assert made_flags([file], "freeze") == [(file, 2)]
    assert made_flags([file], "quiet") == [(file, 6)]
    assert made_flags([file], "width") == []


def test_only_a_statement_that_drops_its_answer_compares_for_nothing(tmp_path: Path) -> None:
    text = """
    p.requires_grad == True
    if p.requires_grad == True:
        q.requires_grad = True
    same = p.requires_grad == q.requires_grad
    p.grad == None
    """
    tree = parsed(tmp_path, text)
    assert [node.lineno for node in only_compared(tree, "requires_grad")] == [1]


def test_shallow_copies_are_told_from_deep_ones(tmp_path: Path) -> None:
    text = """
    self.shadow = copy.copy(net)
    deep = copy.deepcopy(net)
    again = net.copy()
    """
    found = [(node.lineno, target) for _, node, target in shallow_copies([written(tmp_path, text)])]
    assert found == [(1, "self.shadow")]


def test_a_name_in_a_list_beside_names_that_are_there(tmp_path: Path) -> None:
    program = written(tmp_path, 'PARTS = ["encoder", "adaptor"]\nLABELS = ["cat", "dog"]\nKINDS = ("heat", "rain")\n')
    settings = written(tmp_path, "parts: [norm, heads]\nother:\n  - encoder\n  - adaptor\n", "settings.yaml")
    found = list(listed_in_vain([program], [settings], NAMES, NAMES))
    assert [(vain.file, vain.line, vain.text, vain.nearest) for vain in found] == [
        (program, 1, "adaptor", "adapter"),
        (settings, 1, "heads", "head"),
        (settings, 4, "adaptor", "adapter"),
    ]


def test_lists_of_names_that_all_exist_or_are_far_from_any_are_none(tmp_path: Path) -> None:
    program = written(
        tmp_path, 'A = ["encoder", "head"]\nB = ["encoder", "decoder"]\nC = ["hat", "head"]\nD = ["adaptors"]\n'
    )
    assert list(listed_in_vain([program], [], NAMES, ["adapter.weight"])) == []


REGISTERED = """
@bus.on("net.update")
def refresh(step):
    optimizer.step()


bus.emit("net.updated")


class Callback:
    def on_loss(self):
        pass


@registry.add("aux")
class Aux:
    def term(self):
        pass


names = ["aux"]
fire("on_losses")
"""


def test_who_is_registered_under_a_name_that_nobody_asks_for(tmp_path: Path) -> None:
    tree = parsed(tmp_path, REGISTERED)
    functions = {node.name: node for node in ast.walk(tree.root) if isinstance(node, ast.FunctionDef)}
    found = {name: registration_of([tree.file], tree, node) for name, node in functions.items()}
    refresh, on_loss = found["refresh"], found["on_loss"]
    assert refresh is not None
    assert on_loss is not None
    assert (refresh.line, refresh.key, refresh.asked) == (1, "net.update", (tree.file, 6, "net.updated"))
    assert (on_loss.line, on_loss.asked) == (10, (tree.file, 21, "on_losses"))
    assert found["term"] is None  # `aux` is asked for


def test_the_line_that_chooses_what_an_optimizer_gets(tmp_path: Path) -> None:
    text = """
    def one(net):
        params = net.head.parameters()
        return SGD(params, lr=0.1)

    def two(net, params):
        return SGD(params, lr=0.1)

    def three(net):
        groups = []
        groups.append({"params": net.parameters()})
        return Adam(groups, eps=1e8, lr=0.1)
    """
    file = written(tmp_path, text)
    assert [params_chosen(file, line) for line in (3, 6, 11)] == [2, None, None]
    assert restraints_given(file, 11, lambda tree, line, node: []) == ["eps"]
    assert restraints_given(file, 3, lambda tree, line, node: []) == []


@pytest.mark.parametrize(
    ("options", "seen", "told"),
    [
        ("eps=1e-8, max_iter=20", [], []),
        ("eps=settings.eps", [1e8], ["eps"]),
        ("eps=settings.eps", [1e-8], []),
        ("eps=settings.eps", [], []),
        ("max_iter=0, tolerance_grad=1e2", [], ["max_iter", "tolerance_grad"]),
    ],
)
def test_an_option_restrains_a_step_only_by_its_number(
    tmp_path: Path, options: str, seen: list[float], told: list[str]
) -> None:
    file = written(tmp_path, f"optimizer = LBFGS(model.parameters(), {options})")
    assert restraints_given(file, 1, lambda tree, line, node: seen) == told


def test_forms_of_statements(tmp_path: Path) -> None:
    text = """
    def forward(self, x):
        q = self.to_q(x)
        k = self.to_k(x)
        v = torch.tanh(self.to_v(x))
        a = q @ q.transpose(1, 2)
        b = q @ k.transpose(1, 2)
        one, two = a.mean(), b.mean()
        return min(one, two)
    """
    tree = parsed(tmp_path, text)
    scope = tree.root.body[0]
    assert isinstance(scope, ast.FunctionDef)
    q, k, v, a, b, means, _ = scope.body
    assert parallel(q, k)
    assert not parallel(q, v)
    assert [repeating(statement) for statement in (a, b)] == ["q", ""]
    picked = picked_from(tree, means, "two")
    assert picked is not None
    assert (picked[0].lineno, picked[1]) == (8, "min")
    assert picked_from(tree, q, "q") is None
