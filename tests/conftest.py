"""What holds for all tests."""

from __future__ import annotations

# Programs to audit, not modules with examples in their docstrings; some import libraries that need not be there.
collect_ignore_glob = ["programs/*", "trainers/*"]
