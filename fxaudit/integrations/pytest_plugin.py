"""The pytest plugin: a fixture that audits, a marker for expectations, and the reports of what failed in a folder.

pytest loads it by its entry point; torch is imported when the first test asks for an audit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fxaudit.report import Report

__all__ = ["audit", "pytest_addoption", "pytest_configure", "pytest_runtest_makereport"]

MARKER = (
    "fxaudit(expect={pattern: verdict, ...}, **options): what the `audit` fixture expects in this test, and further "
    "arguments of `fxaudit.audit`"
)
SUFFIXES = (".html", ".json")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--fxaudit-report DIR`."""
    group = parser.getgroup("fxaudit")
    group.addoption(
        "--fxaudit-report",
        metavar="DIR",
        default=None,
        help="Write the report of each audit that made a test fail to DIR, as an HTML page and as JSON.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture
def audit(request: pytest.FixtureRequest) -> Callable[..., Report]:
    """`fxaudit.audit`, with the expectations of the test's `fxaudit` marker; its reports are kept if the test fails.

    Example:
        def test_every_layer_trains(audit):
            report = audit(model, lambda: loss(model(x)), optimizer)
            assert report.ok, report
    """
    marked: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("fxaudit"))):
        if marker.args:
            raise pytest.UsageError(
                f"{request.node.nodeid}: the marker `fxaudit` takes no positional arguments. Expected: "
                "`@pytest.mark.fxaudit(expect={'encoder.*': 'frozen'})`."
            )
        marked = {**marked, **marker.kwargs, "expect": {**marked.get("expect", {}), **marker.kwargs.get("expect", {})}}

    def made(model: Any, loss: Any = None, optimizer: Any = None, **options: Any) -> Report:
        from fxaudit.api import audit as audited

        expect = {**marked.get("expect", {}), **(options.pop("expect", None) or {})}
        report = audited(model, loss, optimizer, **{**marked, **options, "expect": expect or None})
        request.node.stash.setdefault(REPORTS, []).append(report)
        return report

    return made


REPORTS: pytest.StashKey[list[Any]] = pytest.StashKey()


@pytest.hookimpl(hookwrapper=True)  # pytest 7 knows no other
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """Where an audited test fails, write its reports and say where they are."""
    outcome: pytest.TestReport = (yield).get_result()
    if not outcome.failed:
        return
    error = call.excinfo.value if call.excinfo is not None else None
    asserted = getattr(error, "report", None) if isinstance(error, AssertionError) else None
    reports = [*item.stash.get(REPORTS, []), *([asserted] if asserted is not None else [])]
    folder = item.config.getoption("--fxaudit-report")
    if reports and folder:
        written = _write(Path(folder), item.nodeid, reports)
        outcome.sections.append(("fxaudit", "\n".join(str(path) for path in written)))


def _write(folder: Path, test: str, reports: list[Any]) -> list[Path]:
    """The pages and JSON files of the reports, named after the test."""
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w.-]+", "_", test).strip("_")[-150:]
    written = []
    for number, report in enumerate(reports, 1):
        tail = f"-{number}" if len(reports) > 1 else ""
        written += [report.save(folder / f"{name}{tail}{suffix}") for suffix in SUFFIXES]
    return written
