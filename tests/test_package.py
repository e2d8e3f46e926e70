"""The package as it is installed and as the README speaks of it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import fxaudit
from fxaudit import cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HEAVY = ("torch", "networkx", "graphviz", "rich", "jinja2", "click")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def commands() -> list[tuple[str, ...]]:
    """The command lines of the README, as a shell splits them."""
    lines = [shlex.split(line, comments=True) for block in blocks("sh") for line in block.splitlines()]
    return [tuple(words) for words in lines if words]


def test_importing_it_imports_nothing_heavy() -> None:
    script = f"import sys, fxaudit; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert process.stdout.split() == []


HEALTHY = """
import sys, torch, fxaudit
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
assert fxaudit.audit(model, lambda: model(torch.ones(2, 4)).sum(), optimizer).ok
print(*sorted(name for name in sys.modules if name.startswith(("fxaudit.capture.symbolic", "fxaudit.judge.structure"))))
"""


@pytest.mark.slow
def test_a_healthy_audit_does_not_load_the_symbolic_trace() -> None:
    process = subprocess.run([sys.executable, "-c", HEALTHY], capture_output=True, text=True, check=True)
    assert process.stdout.split() == []


@pytest.mark.parametrize("name", fxaudit.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(fxaudit, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'fxaudit' has no attribute 'adit'"):
        fxaudit.adit  # noqa: B018


@pytest.mark.parametrize("name", ["py.typed", "schema.json"])
def test_its_data_files_are_in_the_package(name: str) -> None:
    assert (Path(fxaudit.__file__).parent / name).is_file()


def test_the_console_script_is_the_command_line() -> None:
    scripts = [found for found in entry_points(group="console_scripts") if found.name == "fxaudit"]
    if not scripts:
        pytest.skip("fxaudit is importable here, but not installed")
    assert scripts[0].load() is cli.main


def test_the_readme_shows_the_commands_that_matter() -> None:
    shown = {words[:2] for words in commands()}
    assert {("make", "audit"), ("make", "test")} <= shown
    assert {("fxaudit", name) for name in cli.commands.commands.commands} <= shown


@pytest.mark.parametrize("words", [words for words in commands() if words[0] == "fxaudit"], ids=" ".join)
def test_every_fxaudit_command_in_the_readme_is_understood(words: tuple[str, ...]) -> None:
    command = cli.commands.commands.commands[words[1]]
    with command.make_context(words[1], list(words[2:])) as context:
        assert context.command is command


@pytest.mark.parametrize("words", [words for words in commands() if words[0] == "make"], ids=" ".join)
def test_every_make_target_in_the_readme_exists(words: tuple[str, ...]) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert set(words[1:]) <= set(targets)


def test_every_file_the_readme_links_to_is_there() -> None:
    links = [link for link in re.findall(r"\]\(([^)#:]+)\)", README) if link]
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_completion_shows_the_public_names() -> None:
    assert dir(fxaudit) == sorted(fxaudit.__all__)
