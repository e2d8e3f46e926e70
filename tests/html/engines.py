"""Firefox and WebKit as Debian has them, driven without any package: Marionette, and WebDriver over HTTP."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

__all__ = ["STARTERS", "Missing", "Viewer", "watched"]

SECONDS = 60.0
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
WEBKIT = shutil.which("WebKitWebDriver")
MINIBROWSER = next(iter(sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"), reverse=True)), None)
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key of an element's identity in WebDriver."""
KEYS = {"Enter": "\ue007", "ArrowRight": "\ue014", "Space": " "}

_LISTEN = """
window.complaints = [];
window.addEventListener("error", (event) => window.complaints.push(event.message));
window.addEventListener("unhandledrejection", (event) => window.complaints.push(String(event.reason)));
document.addEventListener("securitypolicyviolation", (event) => {
  if (event.blockedURI.includes("the-end.invalid")) window.ended = true;
  else window.complaints.push(event.violatedDirective);
});
"""
_END = "(window.ended = false, new Image().src = 'https://the-end.invalid/', 1)"
"""Asks for what the page's policy refuses. Refusals are told in their order, and later than they happen."""


class Missing(Exception):
    """The browser, or what it needs, is not on this machine, or does not start."""


class Connection(Protocol):
    """Sends WebDriver commands."""

    def command(self, name: str, **parameters: Any) -> Any:
        """The value that a command answers with."""


class Viewer:
    """What a reader does, in any browser that speaks WebDriver."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(self, path: Path) -> None:
        """Load a page from disk."""
        self._connection.command("Navigate", url=path.as_uri())

    def ask(self, expression: str, *given: Any) -> Any:
        """What an expression of JavaScript is on the page."""
        found = self._connection.command("ExecuteScript", script=f"return {expression}", args=list(given))
        return found

    def text(self, selector: str) -> str:
        """The text of an element as it is shown."""
        return str(self.ask("document.querySelector(arguments[0]).innerText", selector))

    def click(self, selector: str) -> None:
        """Click an element."""
        self._connection.command("ElementClick", id=self._find(selector))

    def press(self, selector: str, key: str) -> None:
        """Give an element the focus, and press a key."""
        self.ask("(document.querySelector(arguments[0]).focus(), 1)", selector)
        pressed = [{"type": kind, "value": KEYS[key]} for kind in ("keyDown", "keyUp")]
        self._connection.command("PerformActions", actions=[{"type": "key", "id": "keys", "actions": pressed}])

    def type(self, selector: str, text: str) -> None:
        """Write into a field."""
        self._connection.command("ElementSendKeys", id=self._find(selector), text=text)

    def hover(self, selector: str, *, press: bool = False) -> None:
        """Point at the middle of an element, also of one in a picture, and press the mouse there."""
        x, y = self.ask(
            "((e) => (e.scrollIntoView({block: 'center', behavior: 'instant'}), e = e.getBoundingClientRect(),"
            " [e.left + e.width / 2, e.top + e.height / 2].map(Math.round)))(document.querySelector(arguments[0]))",
            selector,
        )
        actions: list[dict[str, Any]] = [
            {"type": "pointerMove", "x": x, "y": y, "duration": 0, "origin": "viewport"},
            *({"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp") if press),
        ]
        mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions}
        self._connection.command("PerformActions", actions=[mouse])

    def complaints(self) -> list[str]:
        """What went wrong on the page until now."""
        self.ask(_END)
        end = time.monotonic() + SECONDS
        while not self.ask("window.ended"):
            if time.monotonic() > end:
                raise TimeoutError(f"the browser did not tell of a refusal in {SECONDS:g} seconds")
            time.sleep(0.02)
        found: list[str] = self.ask("window.complaints")
        return found

    def _find(self, selector: str) -> str:
        found = self._connection.command("FindElement", using="css selector", value=selector)
        return str(found[ELEMENT])


def watched(page: str) -> str:
    """`page`, whose policy allows one more script, which keeps a list of what goes wrong."""
    digest = base64.b64encode(hashlib.sha256(_LISTEN.encode()).digest()).decode()
    allowed = page.replace("script-src ", f"script-src &#39;sha256-{digest}&#39; ", 1)
    return allowed.replace("<title>", f"<script>{_LISTEN}</script><title>", 1)


# -- Firefox -----------------------------------------------------------------------------------------------------


class _Marionette:
    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self._sent = 0
        self._receive()

    def command(self, name: str, **parameters: Any) -> Any:
        self._sent += 1
        prefix = "" if ":" in name else "WebDriver:"
        message = json.dumps([0, self._sent, f"{prefix}{name}", parameters]).encode()
        self._socket.sendall(f"{len(message)}:".encode() + message)
        _, _, error, result = self._receive()
        if error:
            raise RuntimeError(f"{name}: {error['error']}: {error['message']}")
        return result.get("value", result) if isinstance(result, dict) else result

    def _receive(self) -> Any:
        length = b""
        while (byte := self._socket.recv(1)) != b":":
            if not byte:
                raise ConnectionError("the browser has gone")
            length += byte
        data = b""
        while len(data) < int(length):
            data += self._socket.recv(int(length) - len(data))
        return json.loads(data)

    def close(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            self.command("Marionette:Quit", flags=["eForceQuit"])
        self._socket.close()


@contextlib.contextmanager
def _firefox() -> Iterator[Viewer]:
    if FIREFOX is None:
        raise Missing("there is no firefox-esr and no firefox on PATH")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        settings = {"marionette.port": 0, "datareporting.policy.dataSubmissionEnabled": False}
        lines = [f'user_pref("{name}", {json.dumps(value)});\n' for name, value in settings.items()]
        Path(profile, "user.js").write_text("".join(lines), encoding="utf-8")
        command = [FIREFOX, "--headless", "--marionette", "--no-remote", "--profile", profile]
        with _running(command, {}) as process:
            connection = _Marionette(int(_appeared(Path(profile, "MarionetteActivePort"), process)))
            try:
                connection.command("NewSession", capabilities={"alwaysMatch": {}})
                yield Viewer(connection)
            finally:
                connection.close()


# -- WebKit ------------------------------------------------------------------------------------------------------

_PATHS = {
    "Navigate": "url",
    "ExecuteScript": "execute/sync",
    "FindElement": "element",
    "ElementClick": "element/{id}/click",
    "ElementSendKeys": "element/{id}/value",
    "PerformActions": "actions",
}


class _Http:
    def __init__(self, port: int, options: dict[str, Any]) -> None:
        self._base = f"http://127.0.0.1:{port}"
        started = self._send("POST", "/session", {"capabilities": {"alwaysMatch": options}})
        self._session = f"/session/{started['sessionId']}"

    def command(self, name: str, **parameters: Any) -> Any:
        path = _PATHS[name].format(**parameters)
        return self._send("POST", f"{self._session}/{path}", {k: v for k, v in parameters.items() if k != "id"})

    def close(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            self._send("DELETE", self._session, None)

    def _send(self, method: str, path: str, body: Any) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode("utf-8", "replace")[:400]) from None


@contextlib.contextmanager
def _webkit() -> Iterator[Viewer]:
    if WEBKIT is None or MINIBROWSER is None:
        raise Missing("there is no WebKitWebDriver (webkit2gtk-driver) on PATH")
    if (screens := shutil.which("Xvfb")) is None:
        raise Missing("there is no Xvfb on PATH, on which WebKit could draw")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, contextlib.ExitStack() as running:
        shown = os.open(Path(folder, "display"), os.O_CREAT | os.O_WRONLY)
        command = [screens, "-displayfd", str(shown), "-screen", "0", "1400x1000x24", "-nolisten", "tcp"]
        screen = running.enter_context(_running(command, {}, keep=(shown,)))
        display = _appeared(Path(folder, "display"), screen)
        os.close(shown)
        # The page is our own; in a container its sandbox cannot be had.
        own = {"DISPLAY": f":{display}", "GDK_BACKEND": "x11", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}
        driver = running.enter_context(_running([WEBKIT, f"--port={port}"], own))
        _listening(port, driver)
        browser = {"webkitgtk:browserOptions": {"binary": str(MINIBROWSER), "args": ["--automation"]}}
        try:
            connection = _Http(port, browser)
        except RuntimeError as error:
            raise Missing(f"WebKit does not start: {error}") from error
        try:
            yield Viewer(connection)
        finally:
            connection.close()


STARTERS = {"firefox": _firefox, "webkit": _webkit}


# -- processes ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _running(command: list[str], own: dict[str, str], keep: tuple[int, ...] = ()) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command,
        env={**os.environ, **own},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=keep,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _appeared(file: Path, process: subprocess.Popen[bytes]) -> str:
    """What a process that starts writes into a file."""
    for _ in _while_it_starts(process):
        if file.is_file() and (text := file.read_text(encoding="utf-8").strip()):
            return text
    raise Missing(f"{Path(str(process.args[0])).name} does not start")  # type: ignore[index]


def _listening(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in _while_it_starts(process):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
    raise Missing(f"{Path(str(process.args[0])).name} does not listen")  # type: ignore[index]


def _while_it_starts(process: subprocess.Popen[bytes]) -> Iterator[None]:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        yield
        time.sleep(0.05)
