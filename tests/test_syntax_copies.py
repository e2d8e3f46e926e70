"""Writes into copies of param groups, in the text of a program: those that nobody hears of, and those that somebody
does."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxaudit.program.copies import copied_writes

LOST = {
    "a deep copy": "for g in copy.deepcopy(opt.param_groups):\n    g['lr'] = 0.1  # lost",
    "a list of dicts": "groups = [dict(g) for g in opt.param_groups]\ngroups[0]['lr'] = 0.1  # lost",
    "an unpacked group": "group = {**opt.param_groups[0]}\ngroup['lr'] *= 2  # lost",
    "a copy in a loop": "for g in opt.param_groups:\n    mine = g.copy()\n    mine.update(lr=0.1)  # lost",
    "numbered copies": "for i, g in enumerate(copy.deepcopy(opt.param_groups)):\n    g['lr'] = i  # lost",
    "a state dict": "for g in opt.state_dict()['param_groups']:\n    g['lr'] = 0.1  # lost",
    "a state with a name": "state = opt.state_dict()\nstate['param_groups'][0]['lr'] = 0.1  # lost",
    "in a method": "class T:\n    def set(self, lr):\n        for g in self.opt.state_dict()['param_groups']:\n"
    "            g['lr'] = lr  # lost",
}
HEARD = {
    "the groups themselves": "for g in opt.param_groups:\n    g['lr'] = 0.1",
    "a list of the groups": "for g in list(opt.param_groups):\n    g['lr'] = 0.1",
    "a shallow copy of the list": "for g in copy.copy(opt.param_groups):\n    g['lr'] = 0.1",
    "loaded back": "state = opt.state_dict()\nstate['param_groups'][0]['lr'] = 0.1\nopt.load_state_dict(state)",
    "another optimizer": "gs = [dict(g) for g in opt.param_groups]\nfor g in gs:\n    g['lr'] = 0.1\nopt = SGD(gs)",
    "assigned back": "gs = [dict(g) for g in opt.param_groups]\ngs[0]['lr'] = 0.1\nopt.param_groups = gs",
    "written back": "gs = [dict(g) for g in opt.param_groups]\ngs[0]['lr'] = 0.1\nopt.param_groups[:] = gs",
    "printed": "rows = [dict(g) for g in opt.param_groups]\nfor r in rows:\n    r['lr'] = 'x'\nprint(rows)",
    "returned": "def f():\n    gs = copy.deepcopy(opt.param_groups)\n    gs[0]['lr'] = 1\n    return gs",
    "read elsewhere": "old = copy.deepcopy(opt.param_groups)\nold[0]['lr'] = 1\nrate = old[0]['lr']",
    "kept": "class S:\n    def __init__(self, opt):\n        gs = [dict(g) for g in opt.param_groups]\n"
    "        gs[0]['lr'] = 1\n        self.gs = gs",
    "a name for both": "g = dict(opt.param_groups[0])\ng = opt.param_groups[0]\ng['lr'] = 0.1",
    "a dict of one's own": "g = {'lr': 0}\nn = len(opt.param_groups)\ng['lr'] = 0.1",
}


def lines_lost(folder: Path, text: str) -> list[int]:
    """The lines of the writes that are found in the program."""
    path = folder / "program.py"
    path.write_text(f"import copy\n{text}\n", encoding="utf-8")
    return [write.statement.lineno for write in copied_writes([str(path)])]


@pytest.mark.parametrize("how", LOST)
def test_a_write_into_a_copy_that_is_given_to_nobody_is_found(how: str, tmp_path: Path) -> None:
    lines = f"import copy\n{LOST[how]}".splitlines()
    assert lines_lost(tmp_path, LOST[how]) == [n for n, line in enumerate(lines, 1) if line.endswith("# lost")]


@pytest.mark.parametrize("how", HEARD)
def test_a_write_that_somebody_hears_of_is_not(how: str, tmp_path: Path) -> None:
    assert lines_lost(tmp_path, HEARD[how]) == []
