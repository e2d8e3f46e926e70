"""Words that YAML reads as True or False where a name was meant: `no` for Norway."""

from __future__ import annotations

import re
from dataclasses import replace

from fxaudit.answer.finding import Finding
from fxaudit.judge.rule import Audit, related_lines
from fxaudit.judge.trail import source_at
from fxaudit.program.config_files import settings_in

__all__ = ["with_boolean_word"]

WORDS = {"False": r"no|off|n", "True": r"yes|on|y"}
"""What a name becomes, and the words that YAML makes it of."""


def with_boolean_word(audit: Audit, finding: Finding) -> Finding:
    """The finding; with the line of a YAML file whose word became the name of a part that nothing asks for."""
    if finding.code not in ("FXA101", "FXA102"):
        return finding
    for name, words in WORDS.items():
        if not finding.parameters or not all(name in parameter.split(".") for parameter in finding.parameters):
            continue
        listed = re.compile(rf"[\[,-]\s*({words})\s*(?:[,\]#]|$)", re.IGNORECASE)
        for file in audit.record.course.config_files():
            lines = settings_in(file) if file.endswith((".yaml", ".yml")) else ()
            for number, line in enumerate(lines, 1):
                found = listed.search(line)
                if found is not None:
                    here = source_at(file, number)
                    told = [(finding.culprit, "never called"), *((r.source, r.role) for r in finding.related)]
                    return replace(
                        finding,
                        culprit=here,
                        related=related_lines(here, told),
                        message=f"{finding.message}: YAML reads `{found[1]}` as {name}",
                        fix=f'Write it as a text: "{found[1]}".',
                    )
    return finding
