"""The command line: `fxaudit run`, `check`, `trace`, `render`, `diff`, `explain`, `rules`,
`config`."""

from fxaudit.cli.commands import main

__all__ = ["main"]
