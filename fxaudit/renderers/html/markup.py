"""The report as one HTML file that needs no network, and as a piece of a notebook."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from importlib.resources import files

import jinja2
from markupsafe import Markup

from fxaudit._version import __version__
from fxaudit.answer.answer import Answer
from fxaudit.renderers.html.columns import spans
from fxaudit.renderers.html.page import page_from_report
from fxaudit.renderers.html.table import encoded, table_data
from fxaudit.renderers.picture.palette import dark_rules, group_rules, light_rules, verdict_rules
from fxaudit.renderers.picture.svg import MONOSPACE, SANS

__all__ = ["SCRIPTS", "fragment", "page_style", "render", "style_policy"]

FRAGMENT_CAUSES = 6
SCRIPTS = ("data.js", "page.js", "map.js", "frames.js", "editor.js", "outline.js", "steps.js", "source.js")
DARK_HOSTS = '[data-jp-theme-light="false"],.vscode-dark,html[theme="dark"],html.dark,body.dark'
LIGHT_HOSTS = '[data-jp-theme-light="true"],.vscode-light,html[theme="light"],html.light,body.light'
"""How Jupyter, VS Code, Colab and marimo say which theme the reader chose there, whatever the system prefers."""


def render(report: Answer) -> str:
    """The whole report as one self-contained page.

    Nothing in it is loaded from anywhere, and its Content-Security-Policy forbids every script and style but its own.
    """
    page = page_from_report(report)
    style = Markup(page_style())
    script = Markup("\n".join(_text(name).strip() for name in SCRIPTS))
    lines = [spans(found) for found in page.through]
    data = {**table_data(report, page.boxes, page.titles, page.closed), "lines": lines}
    return (
        _templates()
        .get_template("page.html")
        .render(
            page=page,
            style=style,
            script=script,
            policy=_policy(style, script),
            data=Markup(encoded(data)),
            version=__version__,
        )
    )


def fragment(report: Answer) -> str:
    """The verdict, the causes and the picture of the modules, for a notebook's output cell; no script is needed."""
    seed = hashlib.sha256(f"{report.title}{report.summary}{len(report)}".encode("utf-8", "replace")).hexdigest()[:8]
    page = page_from_report(report, prefix=f"fxa{seed}", most_causes=FRAGMENT_CAUSES, links=False)
    style = Markup(page_style() + _host_rules())
    return _templates().get_template("fragment.html").render(page=page, style=style, version=__version__)


def page_style() -> str:
    """The style sheet of the report's page, for other pages of the same look."""
    return _css("page.css", ".fxa")


def style_policy(style: str) -> str:
    """The Content-Security-Policy of a page that has no script and no style but `style`."""
    return f"default-src 'none'; style-src '{_digest(style)}'; base-uri 'none'; form-action 'none'"


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _css(name: str, scope: str) -> str:
    dark = f"{verdict_rules(scope, dark=True)}{dark_rules(scope)}"
    return (
        f"{scope}{{--sans:{SANS};--mono:{MONOSPACE}}}{verdict_rules(scope)}\n"
        f"{_text(name).strip()}\n{group_rules(scope)}\n"
        f"@media screen and (prefers-color-scheme:dark){{{dark}}}"
    )


def _host_rules() -> str:
    """Style rules by which a fragment follows the theme of the notebook that it stands in."""
    light, dark = re.findall(r"\.fxa \{([^}]*)\}", _text("page.css"))[:2]
    rules = []
    for hosts, scheme, variables in ((DARK_HOSTS, "dark", dark), (LIGHT_HOSTS, "light", light)):
        scope = f":is({hosts}) .fxa"
        is_dark = scheme == "dark"
        rules.append(f"{scope}{{{variables.strip()};color-scheme:{scheme}}}")
        rules.append(verdict_rules(scope, dark=is_dark) + (dark_rules(scope) if is_dark else light_rules(scope)))
    return "\n".join(rules)


@functools.cache
def _text(name: str) -> str:
    return (files("fxaudit.renderers.html") / "templates" / name).read_text(encoding="utf-8")


@functools.cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_text),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_presentable,
    )


def _presentable(value: object) -> object:
    """Text without what HTML cannot hold: lone surrogates and control characters. Markup is ours and stays as it is."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return "".join(
        "\ufffd" if 0xD800 <= ord(c) <= 0xDFFF or (ord(c) < 32 and c not in "\n\t") or c in _REORDERING else c
        for c in value
    )


_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that would show a line of code in another order than Python reads it."""
