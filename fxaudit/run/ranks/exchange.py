"""Bringing the reports of several processes together, through the key-value store that their launcher started.

Nothing here is a collective: every question to the store is answered at once, and every wait has an end. So the
process groups of the program are never touched, and a rank that has died, or waits for one that has, keeps nobody.

A rank that has seen enough says so, and all leave in the round after the one in which the last of them said it: in
whatever order they learn of it, each has then taken part in every collective that another still needs. Where the ranks
do not run in step, some may still wait for others that have left; a thread of each rank notices that, reports for it,
and ends it.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from types import CodeType, FrameType
from typing import Any, get_args

import torch

from fxaudit.answer.answer import Answer
from fxaudit.capture.processes import is_one_of_several
from fxaudit.program.source import displayed_path, is_skipped
from fxaudit.run.ranks.merge import Ending, RankReport, merged

__all__ = ["Company", "Exchange", "Terminated"]

PULSE = 0.2
"""Seconds between two looks at the store."""
MORE_STEPS = 50
"""For how many steps, and at least `GRACE`, a rank that has seen enough goes on for the others to say so, too."""
GRACE = 5.0
"""Seconds in which a rank may end by itself once another has died or left, or once it got a signal."""
PATIENCE = float(os.environ.get("FXAUDIT_RANK_TIMEOUT") or 30)
"""Seconds without a sign of life after which a rank counts as lost; and, once another rank has come to the end of its
script, the seconds without any progress in a collective after which a rank counts as waiting in vain."""


class Terminated(BaseException):
    """Ends the script of a rank that got SIGTERM: its launcher ends all ranks when one has died."""


class _Lost(Exception):
    """The store cannot be reached."""


@dataclass
class _Board:
    """Keys and values that all ranks see. Every call returns at once, or raises `_Lost`."""

    store: Any

    def get(self, key: str) -> bytes | None:
        """The value under `key`, None where there is none yet."""
        with _losing():
            return bytes(self.store.get(key)) if self.store.check([key]) else None

    def put(self, key: str, value: bytes | str) -> None:
        """Write `value` under `key`."""
        with _losing():
            self.store.set(key, value)

    def count(self, key: str) -> int:
        """Add one to the counter `key`; what it was before."""
        with _losing():
            return int(self.store.add(key, 1)) - 1


@contextlib.contextmanager
def _losing() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # torch's DistError and its kin
        raise _Lost(str(error).splitlines()[0]) from error


def _group_board(topic: str) -> tuple[_Board, int, int] | None:
    """(board, rank, world) of the default process group; None where there is none, or this process is alone in it."""
    if not is_one_of_several():
        return None
    distributed = torch.distributed
    store = distributed.distributed_c10d._get_default_store()
    return (
        _Board(distributed.PrefixStore(f"fxaudit/{topic}", store)),
        distributed.get_rank(),
        distributed.get_world_size(),
    )


def _launcher_board(topic: str) -> tuple[_Board, int, int] | None:
    """The same from the environment that `torchrun` sets up: its store outlives every rank."""
    env = os.environ
    if env.get("TORCHELASTIC_USE_AGENT_STORE") != "True" or not torch.distributed.is_available():
        return None
    try:
        rank, world = int(env["RANK"]), int(env["WORLD_SIZE"])
        store = torch.distributed.TCPStore(
            env["MASTER_ADDR"],
            int(env["MASTER_PORT"]),
            is_master=False,
            wait_for_workers=False,
            timeout=timedelta(seconds=PATIENCE),
        )
    except (KeyError, ValueError, RuntimeError):
        return None
    if world < 2:
        return None
    attempt = env.get("TORCHELASTIC_RESTART_COUNT", "0")
    return _Board(torch.distributed.PrefixStore(f"fxaudit/{attempt}/{topic}", store)), rank, world


# -- around a block of every rank's program ------------------------------------------------------------------------


class Exchange:
    """Brings together what the ranks saw in the same block of their programs (`fxaudit.watch`).

    Rank 0 waits for the others at the end of the block, the others wait for nobody.
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self._board: _Board | None = None
        self._rank = self._world = 0
        self._time = ""

    @classmethod
    def of_block(cls, frame: FrameType) -> Exchange:
        """The exchange for the block that begins at the line `frame` is at."""
        return cls(f"watch/{displayed_path(frame.f_code.co_filename)}:{frame.f_lineno}")

    def enter(self) -> None:
        """Say that this rank is in the block; again at its end, as it may have become one of several since."""
        found = _launcher_board(self.topic) or _group_board(self.topic) if self._board is None else None
        if found is not None:
            board, self._rank, self._world = found
            with contextlib.suppress(_Lost):
                self._time = f"{board.count(f'times/{self._rank}')}/"
                board.put(f"{self._time}in/{self._rank}", b"1")
                self._board = board

    def merged(self, own: RankReport) -> Answer:
        """The merged report on rank 0, the rank's own on all others."""
        self.enter()
        board = self._board
        if board is None:
            return own.report
        own = replace(own, rank=self._rank)
        try:
            if self._rank:
                board.put(f"{self._time}report/{self._rank}", own.to_bytes())
                return own.report
            return merged([own, *self._collected(board)], self._world)
        except _Lost as error:
            note = f"The other ranks could not be asked: {error}."
            return replace(own.report, notes=(*own.report.notes, note))

    def _collected(self, board: _Board) -> list[RankReport]:
        """The reports of the others that arrive in time; a rank that never entered the block is not waited for long."""
        found: dict[int, RankReport] = {}
        start = time.monotonic()
        while True:
            missing = [rank for rank in range(1, self._world) if rank not in found]
            for rank in missing:
                data = board.get(f"{self._time}report/{rank}")
                if data is not None:
                    found[rank] = RankReport.from_bytes(data)
            waited = time.monotonic() - start
            expected = [r for r in missing if r not in found and (waited < GRACE or board.get(f"{self._time}in/{r}"))]
            if not expected or waited > PATIENCE:
                return list(found.values())
            time.sleep(PULSE / 4)


# -- a whole script on every rank ----------------------------------------------------------------------------------


class Company:
    """This process as one of several that run the same script under `fxaudit run`."""

    def __init__(self, rank: int, world: int) -> None:
        self.rank, self.world = rank, world
        self.on_stuck: Callable[[Ending, str], int] | None = None
        """Reports for a script that cannot end by itself: (why, where it is) → the exit status."""
        self.script: frozenset[CodeType] = frozenset()
        """The functions in which the script runs: SIGTERM ends it there, and is only noted elsewhere."""
        self._board: _Board | None = None
        self._wanted: int | None = None
        self._wanted_at = 0.0
        self._ended: Ending | None = None
        self._signalled = 0.0
        self._concluding = threading.Lock()
        self._noticed: dict[Ending, float] = {}
        self._seen: dict[int, tuple[bytes | None, float]] = {}
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._main = threading.main_thread()
        self._bell = socket.socketpair()

    @classmethod
    def of_launcher(cls) -> Company | None:
        """The company that the environment speaks of (`RANK`, `WORLD_SIZE`); None where this process is alone."""
        try:
            rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        except (KeyError, ValueError):
            return None
        return cls(rank, world) if world > 1 else None

    # -- while the script runs ---------------------------------------------------------------------------------

    @contextlib.contextmanager
    def attending(self) -> Iterator[None]:
        """Look after the script that runs inside: signs of life, other ranks' ends, and signals."""
        self._attach()
        self._listen()
        self._thread = threading.Thread(target=self._attend, name="fxaudit", daemon=True)
        self._thread.start()
        try:
            yield
        finally:
            if self._ended is None:
                self.ended("end")

    def may_leave(self, done: bool, step: int) -> bool:
        """Whether a rank may end its script now, after its `step`-th step; `done` says that it has seen enough."""
        board = self._attach()
        if board is None:
            return done
        with contextlib.suppress(_Lost):
            if any(board.get(f"left/{kind}") for kind in get_args(Ending) if kind != "end"):
                return True
            if not done:
                return False
            if self._wanted is None:
                self._wanted, self._wanted_at = step, time.monotonic()
                board.put(f"want/{self.rank}", str(step))
            if step < self._wanted + MORE_STEPS or time.monotonic() - self._wanted_at < GRACE:
                wanted = [board.get(f"want/{rank}") for rank in range(self.world)]
                return all(wanted) and step > max(int(one) for one in wanted if one)
        return done

    def ended(self, ending: Ending) -> int:
        """The script has ended; how many ranks had died before. Does not return where this rank is ended already."""
        if not self._concluding.acquire(blocking=False):
            threading.Event().wait()  # the thread is reporting, and will end the process
        return self._end(ending)

    def _end(self, ending: Ending) -> int:
        deaths = 0
        board = self._attach()
        if board is not None:
            with contextlib.suppress(_Lost):
                deaths = board.count("deaths") if ending == "death" else 0
                board.put(f"left/{ending}", str(self.rank))
                if self._wanted is None and ending == "end":
                    board.put(f"want/{self.rank}", "0")
        self._ended = ending
        return deaths

    # -- when it has ended --------------------------------------------------------------------------------------

    def conclude(self, own: RankReport, deliver: Callable[[Answer], int]) -> int:
        """Hand in this rank's report; the first rank alive merges all of them and delivers. Returns the exit status.

        The status is the same on every rank, and no rank returns before the report is delivered: a launcher ends all
        ranks as soon as one fails.
        """
        own = replace(own, rank=self.rank)
        try:
            status = self._conclude(own, deliver)
        except _Lost as error:
            status = self._conclude_alone(own, deliver, str(error))
        _tell_launcher(status)
        self._close()
        return status

    def _conclude(self, own: RankReport, deliver: Callable[[Answer], int]) -> int:
        board = self._attach()
        if board is None:
            raise _Lost("they share no process group")
        board.put(f"report/{self.rank}", own.to_bytes())
        while True:
            status = board.get("status")
            if status is not None:
                board.put(f"read/{self.rank}", b"1")
                return int(status)
            if self._leads(board):
                break
            time.sleep(PULSE / 4)
        found = self._gathered(board, own)
        code = deliver(merged(found, self.world))
        board.put("status", str(code))
        self._until(lambda: all(board.get(f"read/{one.rank}") for one in found if one.rank != self.rank), GRACE)
        return code

    def _conclude_alone(self, own: RankReport, deliver: Callable[[Answer], int], why: str) -> int:
        """Without a store nobody knows of the others: rank 0 delivers its own report, the others say why not."""
        if self.rank:
            print(f"fxaudit: rank {self.rank} could not hand in its report: {why}", file=sys.stderr)
            return own.report.exit_code
        note = f"Only rank 0 of {self.world} is reported: the other ranks could not be asked ({why})."
        return deliver(replace(own.report, notes=(*own.report.notes, note)))

    def _leads(self, board: _Board) -> bool:
        """Whether this rank is the one to deliver: the first of those alive, settled once and for all."""
        leader = board.get("leader")
        if leader is None and all(self._is_lost(board, rank) for rank in range(self.rank)):
            with _losing():
                leader = bytes(board.store.compare_set("leader", "", str(self.rank)))
        if leader is None or int(leader) == self.rank:
            return leader is not None
        if self._is_lost(board, int(leader)):  # it died while delivering
            with _losing():
                leader = bytes(board.store.compare_set("leader", leader.decode(), str(self.rank)))
        return int(leader) == self.rank

    def _gathered(self, board: _Board, own: RankReport) -> list[RankReport]:
        found = {self.rank: own}
        while len(found) < self.world:
            for rank in set(range(self.world)) - found.keys():
                data = board.get(f"report/{rank}")
                if data is not None:
                    found[rank] = RankReport.from_bytes(data)
            if all(rank in found or self._is_lost(board, rank) for rank in range(self.world)):
                break
            time.sleep(PULSE / 4)
        return list(found.values())

    def _is_lost(self, board: _Board, rank: int) -> bool:
        """Whether a rank has shown no sign of life for too long; after a signal, for a short while."""
        beat, now = board.get(f"beat/{rank}"), time.monotonic()
        known = self._seen.get(rank)
        if known is None or known[0] != beat:
            self._seen[rank] = (beat, now)
            return False
        return now - known[1] > (GRACE if self._signalled else PATIENCE)

    # -- the thread ---------------------------------------------------------------------------------------------

    def _attend(self) -> None:
        """Give signs of life; while the script runs, notice when it cannot end by itself any more."""
        beats, watch = 0, _Watch(self._main)
        while not self._closed.is_set():
            if self._rung():
                self._signalled = self._signalled or time.monotonic()
            beats += 1
            self._tell("beat", str(beats))
            if self._ended is None:
                reason = self._must_end(watch)
                if reason is not None:
                    self._end_from_here(reason)
                    return

    def _must_end(self, watch: _Watch) -> Ending | None:
        """Why the script has to be ended from here, None while it may go on."""
        now = time.monotonic()
        blocked = watch.blocked_for(now)
        if self._signalled and now - self._signalled > GRACE:
            return "terminated"
        board = self._board
        if board is None:
            return None
        with contextlib.suppress(_Lost):
            for kind in get_args(Ending):
                if board.get(f"left/{kind}") is not None:
                    since = now - self._noticed.setdefault(kind, now)
                    reason = _after(kind, since, blocked)
                    if reason is not None:
                        return reason
        return None

    def _end_from_here(self, reason: Ending) -> None:
        """Answer for the main thread, which is held up in a call that nothing can break off, and end the process."""
        if self.on_stuck is None or not self._concluding.acquire(blocking=False):
            return
        where = _line_of(self._main)
        heart = threading.Thread(target=self._beat_on, name="fxaudit", daemon=True)
        heart.start()
        status = 1
        try:
            status = self.on_stuck(reason, where)
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def _beat_on(self) -> None:
        number = 0
        while not self._closed.wait(PULSE):
            number -= 1
            self._tell("beat", str(number))

    # -- small things -------------------------------------------------------------------------------------------

    def _attach(self) -> _Board | None:
        """The store, as soon as there is one."""
        if self._board is None:
            found = _launcher_board("run") or _group_board("run")
            if found is not None:
                self._board = found[0]
        return self._board

    def _tell(self, what: str, value: str) -> None:
        board = self._board
        if board is not None:
            with contextlib.suppress(_Lost):
                board.put(f"{what}/{self.rank}", value)

    def _until(self, done: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        with contextlib.suppress(_Lost):
            while not done() and time.monotonic() < end:
                time.sleep(PULSE / 4)

    def _listen(self) -> None:
        """Let SIGTERM end the script, not the process; the thread hears of it even where Python cannot run."""
        if threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
            return
        for end in self._bell:
            end.setblocking(False)

        def terminate(number: int, frame: FrameType | None) -> None:
            self._signalled = self._signalled or time.monotonic()
            while frame is not None:
                if frame.f_code in self.script:
                    raise Terminated
                frame = frame.f_back

        signal.signal(signal.SIGTERM, terminate)
        signal.set_wakeup_fd(self._bell[1].fileno(), warn_on_full_buffer=False)

    def is_signalled(self) -> bool:
        """Whether the launcher has sent SIGTERM, after which it waits a while and kills."""
        if self._rung():
            self._signalled = self._signalled or time.monotonic()
        return self._signalled > 0

    def _rung(self) -> bool:
        """Wait a pulse; whether SIGTERM came."""
        ready, _, _ = select.select([self._bell[0]], [], [], PULSE)
        return bool(ready) and signal.SIGTERM in self._bell[0].recv(64)

    def _close(self) -> None:
        self._closed.set()
        if threading.current_thread() is threading.main_thread() and self.script:
            with contextlib.suppress(ValueError):
                signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the first rank to fail makes the launcher send it
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(GRACE)


def _after(kind: Ending, since: float, blocked: float) -> Ending | None:
    """Why a script has to be ended that goes on `since` seconds after another rank has left, or None.

    `blocked` is for how long it has been waiting in a collective.
    """
    match kind:
        case "death" | "terminated":  # the launcher would end all ranks at once
            return "blocked" if since > GRACE and blocked else "followed" if since > GRACE else None
        case "blocked":
            return "blocked" if min(since, blocked) > GRACE else None
        case "enough" | "followed":  # ranks out of step: this one waits only because fxaudit ended the other
            return "followed" if min(since, blocked) > GRACE or since > 2 * PATIENCE else None
        case "end":  # it may be busy with what only it has to do
            return "blocked" if min(since, blocked) > PATIENCE else None


class _Watch:
    """Notices how long a thread has been waiting in a collective: the same instruction, and no time on a processor."""

    def __init__(self, thread: threading.Thread) -> None:
        self._ident = thread.ident or 0
        self._clock = time.pthread_getcpuclockid(self._ident) if hasattr(time, "pthread_getcpuclockid") else None
        self._at: tuple[int, int] | None = None
        self._used = 0.0
        self._since = 0.0

    def blocked_for(self, now: float) -> float:
        """Seconds since the thread last moved; 0 where it is not in a collective or a backward."""
        frame = sys._current_frames().get(self._ident)
        if frame is None or not _may_be_collective(frame):
            self._at = None
            return 0.0
        at = (id(frame), frame.f_lasti)
        used = time.clock_gettime(self._clock) if self._clock is not None else 0.0
        if at != self._at or used - self._used > 0.1:
            self._at, self._used, self._since = at, used, now
        return now - self._since


def _may_be_collective(frame: FrameType | None) -> bool:
    """Whether a thread whose innermost frame this is may be waiting for other ranks."""
    while frame is not None and is_skipped(frame.f_code.co_filename):
        path = frame.f_code.co_filename.replace(os.sep, "/")
        if "/torch/distributed/" in path or "/torch/nn/parallel/" in path or "/torch/autograd/" in path:
            return True
        frame = frame.f_back
    return False


def _line_of(thread: threading.Thread) -> str:
    """The user's line that a thread is at: `file:line`."""
    frame = sys._current_frames().get(thread.ident or 0)
    while frame is not None and is_skipped(frame.f_code.co_filename):
        frame = frame.f_back
    return f"{displayed_path(frame.f_code.co_filename)}:{frame.f_lineno}" if frame is not None else ""


def _tell_launcher(status: int) -> None:
    """Say in torchrun's own words that nothing crashed: it takes every exit status but 0 for a failure."""
    path = os.environ.get("TORCHELASTIC_ERROR_FILE")
    if not status or not path or os.path.exists(path):
        return
    said = f"fxaudit ended with {status}, see its report (1: findings, or the script's own status); it did not crash."
    about = {"py_callstack": said, "timestamp": str(int(time.time()))}
    with contextlib.suppress(OSError), open(path, "w", encoding="utf-8") as file:
        json.dump({"message": {"message": said, "extraInfo": about}}, file)
