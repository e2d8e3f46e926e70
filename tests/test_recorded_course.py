"""A recording has the course of the program in it, says the same when it is judged again, and tells no secret."""

from __future__ import annotations

import json
import textwrap
import zlib
from pathlib import Path

import pytest

from fxaudit.judge.from_file import judged_again
from fxaudit.judge.write_up import Options
from fxaudit.program.config_files import MAX_BYTES, entry_of_file, keys_of_file, without_passwords
from fxaudit.report import Report
from tests.scripts import judged

SECRET = "hunter2-stands-in-no-file"

TRAINING = """
import torch
from torch import nn

{setup}

body, aux = nn.Linear(4, 1), nn.Linear(4, 1)
optimizer = torch.optim.SGD([*body.parameters(), *aux.parameters()], lr=0.1)
for step in range(3):
    x = torch.ones(8, 4)
    optimizer.zero_grad()
    loss = body(x).square().mean() + {use} * aux(x).square().mean()
    loss.backward()
    if {when}:
        optimizer.step()
"""

COURSES = {
    "a default": ("def weigh(scale=0.0):\n    return scale", "weigh()", "True"),
    "an entry of a file": (
        "import json\nwith open('conf.json') as file:\n    conf = json.load(file)",
        "conf['loss']['aux']",
        "True",
    ),
    "a misspelt entry of a file": (
        "import json\nwith open('conf.json') as file:\n    conf = json.load(file)",
        "conf['loss'].get('auxiliary', 0.0)",
        "True",
    ),
    "a key that was made": (
        "terms = {}\nfor n in range(2):\n    terms[f'term_{n}'] = 1.0 - n",
        "terms['term_1']",
        "True",
    ),
    "a test": (
        "from types import SimpleNamespace\ngiven = SimpleNamespace(mode='fitting')",
        "1.0",
        "given.mode == 'fit'",
    ),
    "numbers that JSON has not": (
        "highest, nothing, odd, long = float('inf'), float('nan'), '\\udc80', 2 ** 62 - 1\n"
        "copy = odd, long\nweight = 1 / highest",
        "weight",
        "True",
    ),
}


@pytest.mark.parametrize("kind", COURSES)
def test_a_recording_gives_the_same_answer(kind: str, tmp_path: Path) -> None:
    text = json.dumps({"loss": {"aux": 0.0, "auxilliary": 1.0}}, indent=1)
    (tmp_path / "conf.json").write_text(text, encoding="utf-8")
    setup, use, when = COURSES[kind]
    program = TRAINING.format(setup=setup, use=use, when=when)
    report = judged(tmp_path, program, record=tmp_path / "recording.fxr")
    again = Report.of(judged_again((tmp_path / "recording.fxr").read_bytes(), Options()))
    is_by_choice = kind == "an entry of a file"  # which says no in as many words
    assert (report.findings[0].level == "note") is is_by_choice
    assert [*again.findings] == [*report.findings]
    assert [*again] == [*report]


def test_no_text_from_outside_is_in_a_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FXAUDIT_TEST_TOKEN", SECRET)
    setup = textwrap.dedent(
        """
        import os
        from pathlib import Path
        from types import SimpleNamespace

        token = os.environ["FXAUDIT_TEST_TOKEN"]
        space = SimpleNamespace(token=token)
        pair = token, [token]
        cache = {token: 0.0}
        cache[token] = 0
        headers = {"authorization": "Bearer " + token}
        headers[token] = headers["authorization"]
        setattr(space, token, 0)
        place = Path.home() / token
        def send(key, *, again=None):
            other = key
            return again == other
        send(token, again=token)
        for key in cache:
            last = key
        if token == "nothing":
            last = token
        weight = cache[token]
        """
    )
    (tmp_path / "conf.yaml").write_text(
        "password: stands-in-a-file-1\nhub:\n  api_key: 'stands-in-a-file-2'\n  max_tokens: 512\n", encoding="utf-8"
    )
    program = TRAINING.format(setup=f"{setup}\nsettings = open('conf.yaml').read()", use="weight", when="token")
    report = judged(tmp_path, program, record=tmp_path / "recording.fxr")
    written = zlib.decompress((tmp_path / "recording.fxr").read_bytes()).decode("utf-8", "surrogatepass")
    assert "FXAUDIT_TEST_TOKEN" in written and "max_tokens: 512" in written
    assert SECRET not in written
    assert "stands-in-a-file" not in written
    assert str(Path.home()) not in written.replace(str(tmp_path), "")
    assert SECRET not in report.to_json()


LINES = {
    "password: abc def": 'password: "..."',
    '{"token": "abc", "lr": 0.1, "max_tokens": 512}': '{"token": "...", "lr": 0.1, "max_tokens": 512}',
    "api_key = 'x y'": 'api_key = "..."',
    "tokenizer: bert": "tokenizer: bert",
    "key: 0.5": "key: 0.5",
    "auth: true": "auth: true",
    "aux_weight: 0.0": "aux_weight: 0.0",
}


@pytest.mark.parametrize("line", LINES)
def test_what_an_entry_gives_for_a_password_is_left_out(line: str) -> None:
    assert without_passwords(line) == LINES[line]


FILES = {
    "a comment of its own": ("a.yaml", "# aux: 0.0\naux: 0.0\n", [2]),
    "a comment behind": ("a.yaml", "aux: 0.1  # was aux: 0.0\n", []),
    "a comment of an ini": ("a.ini", "; aux = 0.0\naux = 0.0\n", [2]),
    "no comment": ("a.yaml", "name: 'a #1'\ncolor: \"# aux: 1\"\naux: 0\n", [3]),
    "one line of json": ("a.json", '{"loss": {"aux": 0.0}, "url": "http://host//x"}', [1]),
    "off": ("a.yaml", "aux: off\n", []),
}


@pytest.mark.parametrize("kind", FILES)
def test_an_entry_is_found_where_it_counts(kind: str, tmp_path: Path) -> None:
    name, text, lines = FILES[kind]
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert [line for line, _ in entry_of_file(str(tmp_path / name), "aux", 0.0)] == lines


def test_a_table_of_data_is_no_configuration(tmp_path: Path) -> None:
    """Annotations by the hundred megabytes are neither read for their keys nor put into a recording."""
    (tmp_path / "annotations.json").write_text('{"aux": 0.0}\n' * (MAX_BYTES // 13 + 1), encoding="utf-8")
    assert [*keys_of_file(str(tmp_path / "annotations.json"))] == []
    program = TRAINING.format(setup="place = 'annotations.json'", use="0.0", when="True")
    judged(tmp_path, program, record=tmp_path / "recording.fxr")
    written = zlib.decompress((tmp_path / "recording.fxr").read_bytes()).decode("utf-8")
    assert "annotations.json" not in json.loads(written)["texts"]
