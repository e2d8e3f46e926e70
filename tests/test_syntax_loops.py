"""What is asked of loops, iterators and param groups in the text of a program."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from fxaudit.program.groups import group_changes, late_thaws, local_updates
from fxaudit.program.loops import UsedUp, late_closures, leaves_loop_after, leftover_variable, loop_over, used_up
from fxaudit.program.tree import Tree, tree_of


@pytest.fixture
def parsed(tmp_path: Path):
    def parse(source: str) -> Tree:
        path = tmp_path / f"program{len(list(tmp_path.iterdir()))}.py"
        path.write_text(textwrap.dedent(source).strip() + "\n", encoding="utf-8")
        tree = tree_of(str(path))
        assert tree is not None
        return tree

    return parse


def call_of(tree: Tree, method: str) -> ast.Call:
    return next(
        node
        for node in ast.walk(tree.root)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method
    )


def test_an_iterator_that_is_read_twice_is_used_up_by_the_first_reader(parsed):
    tree = parsed(
        """
        params = model.parameters()
        print(sum(p.numel() for p in params))
        optimizer = SGD(params, lr=0.1)
        """
    )
    assert used_up(tree.file, 3) == [UsedUp("params", 2, 3, owner="model")]


def test_a_list_can_be_read_twice(parsed):
    tree = parsed(
        """
        params = list(model.parameters())
        print(len(params))
        optimizer = SGD(params, lr=0.1)
        """
    )
    assert used_up(tree.file, 3) == []


def test_a_generator_function_gives_its_items_once_also_to_a_loop(parsed):
    tree = parsed(
        """
        def named(model):
            yield from model.named_parameters()

        items = named(model)
        groups = [[p for n, p in items if n.startswith(prefix)] for prefix in ("a", "b")]
        optimizer = SGD(groups, lr=0.1)
        """
    )
    assert used_up(tree.file, 6) == [UsedUp("items", 5, 5)]


def test_an_iterator_read_once_is_not_used_up(parsed):
    tree = parsed(
        """
        named = model.named_parameters()
        optimizer = SGD([p for _, p in named], lr=0.1)
        """
    )
    assert used_up(tree.file, 2) == []


def test_a_return_behind_the_step_leaves_the_loop_in_its_first_round(parsed):
    tree = parsed(
        """
        def update(optimizers):
            for optimizer in optimizers:
                optimizer.step()
                return 1
        """
    )
    left = leaves_loop_after(tree, call_of(tree, "step"))
    assert left is not None and left.lineno == 4


def test_a_return_behind_the_loop_leaves_nothing_out(parsed):
    tree = parsed(
        """
        def update(optimizers):
            for optimizer in optimizers:
                optimizer.step()
            return 1
        """
    )
    assert leaves_loop_after(tree, call_of(tree, "step")) is None


def test_the_variable_of_a_finished_loop_has_its_last_value(parsed):
    tree = parsed(
        """
        for name in names:
            losses[name].backward()
        optimizers[name].step()
        """
    )
    assert leftover_variable(tree, call_of(tree, "step")) == "name"
    assert leftover_variable(tree, call_of(tree, "backward")) == ""


def test_functions_made_in_a_loop_share_its_variable_unless_they_bind_it(parsed):
    late = parsed("closures = [lambda: loss(i) for i in range(3)]")
    bound = parsed("closures = [lambda i=i: loss(i) for i in range(3)]")
    at_once = parsed("for key in keys:\n    rows = sorted(rows, key=lambda row: row[key])")
    assert late_closures(late) == [(1, "i")]
    assert late_closures(bound) == []
    assert late_closures(at_once) == []


def test_param_groups_are_changed_by_assignment_deletion_and_calls(parsed):
    tree = parsed(
        """
        optimizer.param_groups = optimizer.param_groups[1:]
        del optimizer.param_groups[0]
        rest = optimizer.param_groups.pop()
        optimizer.param_groups[0]["lr"] = 0.1
        """
    )
    assert [line for _, line in group_changes([tree.file])] == [1, 2, 3]


def test_what_lets_a_parameter_train_by_assignment_is_found(parsed):
    tree = parsed(
        """
        p.requires_grad = True
        p.requires_grad = flag
        p.requires_grad = False
        optimizer.param_groups.append(group)
        """
    )
    assert [line for _, line in late_thaws([tree.file])] == [1, 2, 4]


def test_an_update_of_a_local_name_is_told_from_one_in_place(parsed):
    tree = parsed(
        """
        for p in model.parameters():
            p = p - lr * p.grad
            p -= lr * p.grad
            q = p - lr * p.grad
        """
    )
    assert [line for _, line in local_updates([tree.file])] == [2]


def mention(tree: Tree) -> ast.Attribute:
    return next(n for n in ast.walk(tree.root) if isinstance(n, ast.Attribute) and n.attr == "layers")


def test_a_loop_over_layers_tells_the_call_and_what_chooses_among_them(parsed):
    tree = parsed(
        """
        for number, layer in enumerate(self.layers):
            if number < self.depth:
                x = layer(x)
        """
    )
    found = loop_over(tree, mention(tree))
    assert found is not None and found.call.lineno == 3
    assert [obstacle.line for obstacle in found.missed] == [2]


def test_where_each_round_calls_its_layer_what_ends_the_loop_is_told(parsed):
    tree = parsed(
        """
        for layer in self.layers:
            x = layer(x)
            if x.norm() > 3:
                break
        """
    )
    found = loop_over(tree, mention(tree))
    assert found is not None and [obstacle.line for obstacle in found.missed] == [3]


def test_a_loop_that_does_not_call_what_it_goes_through_is_none(parsed):
    tree = parsed(
        """
        for layer in self.layers:
            print(layer)
        """
    )
    assert loop_over(tree, mention(tree)) is None
