"""What fxaudit says of every program in `tests/programs`: the net under a change.

`python -m tools.program_answers` judges them all and prints what is said otherwise than on record, program by program,
and how often the line and the rule are named first; with `--renew` the record, `tests/programs/answers.json`, is
written anew. Names of programs (parts of them) judge only those.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from tests import judged
from tests.warming import pay_for_the_first_step

WORKERS = 2


def answers(paths: list[Path]) -> dict[str, dict[str, Any]]:
    """Program → mode → what is said of it, where its line is named, and whether the rule is right."""
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn"), initializer=one_thread) as pool:
        return dict(zip(map(judged.name_of, paths), pool.map(_of_program, paths, chunksize=4), strict=True))


def one_thread() -> None:
    """Set a worker up: each has one core, and the first step is paid for."""
    torch.set_num_threads(1)
    pay_for_the_first_step()


def _of_program(path: Path) -> dict[str, Any]:
    said = {}
    for mode in judged.modes_of(path):
        report = judged.judged(path, mode)
        said[mode] = {"answer": judged.answer(report, path)}
        if path in judged.BUGS:
            said[mode]["level"] = judged.level_of(report, path)
            said[mode]["cause"] = judged.has_cause(report, judged.load(path).CAUSE)
    return said


def differences(old: dict[str, Any] | None, new: dict[str, Any]) -> list[str]:
    """What `new` says otherwise than `old`, a line for each verdict and finding."""
    if old is None:
        return ["  is not on record"]
    before, after = old["verdicts"], new["verdicts"]
    changed = [n for n in {**before, **after} if before.get(n) != after.get(n)]
    lines = [f"  {name}: {before.get(name)} -> {after.get(name)}" for name in changed]
    lines += [f"  - {_brief(finding)}" for finding in old["findings"] if finding not in new["findings"]]
    return lines + [f"  + {_brief(finding)}" for finding in new["findings"] if finding not in old["findings"]]


def _brief(finding: list[Any]) -> str:
    code, level, line, related, message = finding
    beside = f" beside {', '.join(map(str, related))}" if related else ""
    return f"{level}[{code}] line {line}{beside}: {message}"


def compare(new: dict[str, dict[str, Any]], old: dict[str, dict[str, Any]]) -> int:
    """Print what differs; returns how many answers do."""
    count = 0
    for name, modes in new.items():
        for mode, said in modes.items():
            if lines := differences(old.get(name, {}).get(mode), said["answer"]):
                count += 1
                print(f"{name} ({mode})", *lines, sep="\n")
    return count


def figures(new: dict[str, dict[str, Any]]) -> None:
    """Print on which level the marked line is named, how often, and where not first."""
    for mode in ("run", "audit"):
        said = {name: modes[mode] for name, modes in new.items() if "level" in modes.get(mode, {})}
        counts = {level: sum(one["level"] == level for one in said.values()) for level in judged.LEVELS}
        right = sum(one["cause"] for one in said.values())
        print(f"{mode}: {len(said)} broken programs, rule right in {right}, line: {counts}")


def lower_levels(new: dict[str, dict[str, Any]]) -> dict[str, dict[str, dict[str, str]]]:
    """What `tests/programs/lower_levels.json` would hold."""
    held: dict[str, dict[str, dict[str, str]]] = {"lines": {}, "causes": {}}
    for mode in ("run", "audit"):
        said = {name: modes[mode] for name, modes in new.items() if "level" in modes.get(mode, {})}
        held["lines"][mode] = {name: one["level"] for name, one in said.items() if one["level"] != "first"}
        held["causes"][mode] = {
            name: "+".join(sorted({f[0] for f in one["answer"]["findings"]})) or "none"
            for name, one in said.items()
            if not one["cause"]
        }
    return held


def main(arguments: list[str]) -> int:
    """Judge, compare, and renew if asked to; 1 when something differs."""
    renew = "--renew" in arguments
    parts = [argument for argument in arguments if argument != "--renew"]
    known = [*judged.BUGS, *judged.HEALTHY]
    paths = [path for path in known if not parts or any(part in judged.name_of(path) for part in parts)]
    if not paths:
        print(f"No program in tests/programs has {' or '.join(parts)} in its name.", file=sys.stderr)
        return 2
    new, old = answers(paths), judged.answers_on_record()
    count = compare(new, old)
    print(f"{count} answers differ from those on record.")
    figures(new)
    if not renew:
        return 1 if count else 0
    kept = {name: said for name, said in old.items() if name in set(map(judged.name_of, known))}
    kept |= {name: {mode: said["answer"] for mode, said in modes.items()} for name, modes in new.items()}
    lines = [f"{json.dumps(name)}: {json.dumps(kept[name], ensure_ascii=False)}" for name in sorted(kept)]
    judged.ANSWERS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return _shorten(new)


def _shorten(new: dict[str, dict[str, Any]]) -> int:
    """Take from the list of lower levels what is reached now; 1 when something would have to be added."""
    listed, today = judged.lower_levels(), lower_levels(new)
    lost = 0
    for kind, modes in today.items():
        for mode, names in modes.items():
            held = listed[kind][mode]
            for name in [name for name in held if name in new and name not in names]:
                del held[name]
            for name in [name for name in names if held.get(name) != names[name]]:
                lost += 1
                print(
                    f"{name} ({mode}): {kind} reach only {names[name]!r}; the list says {held.get(name, 'the first')!r}"
                )
    judged.LOWER_LEVELS.write_text(json.dumps(listed, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 1 if lost else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
