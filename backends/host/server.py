"""The host's loop: reads commands from stdin, forks (or spawns) workers, tells how they ended.

Protocol, one JSON object a line. App → host: {"start": {"entry", "address", "log"}},
{"status": pid}. Host → app: {"ready": true} once, {"started": pid}, {"status": code or null}.
End of stdin means that the app is gone: every worker is killed and the host ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Listener
from pathlib import Path
from typing import Any

CAN_FORK = sys.platform == "linux"
_PR_SET_PDEATHSIG = 1
_KILLED = -9
_OOM_SCORE = "600"  # the kernel should take a worker before it takes the app


class Host:
    """Workers by process id. One thread, so that a fork copies nothing half done."""

    def __init__(self, authkey: bytes) -> None:
        self._authkey = authkey
        self._exit_codes: dict[int, int] = {}
        self._alive: set[int] = set()
        self._spawned: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, entry: str, address: str, log: str) -> int:
        """Start a worker that serves `entry` to whoever connects to `address`. Returns its id."""
        pid = self._fork(entry, address, log) if CAN_FORK else self._spawn(entry, address, log)
        self._alive.add(pid)
        return pid

    def _fork(self, entry: str, address: str, log: str) -> int:
        host_pid = os.getpid()
        pid = os.fork()
        if pid:
            return pid
        exit_code = 1
        try:
            die_with_parent(host_pid)
            redirect_output(log)
            run_worker(entry, Listener(address, authkey=self._authkey))
            exit_code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(exit_code)

    def _spawn(self, entry: str, address: str, log: str) -> int:
        with Path(log).open("ab") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "backends.host.spawned", entry, address],
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=stream,
            )
        assert process.stdin is not None
        process.stdin.write(self._authkey.hex().encode() + b"\n")
        process.stdin.flush()
        self._spawned[process.pid] = process
        return process.pid

    def status(self, pid: int) -> int | None:
        """Exit code of a worker (negative: the signal that ended it), None while it lives.

        A worker that is not ours was an earlier host's, and was killed with it.
        """
        self.reap()
        return self._exit_codes.get(pid, None if pid in self._alive else _KILLED)

    def reap(self) -> None:
        """Collect workers that have ended, so that none stays as a zombie."""
        for pid in list(self._alive):
            code = self._poll(pid)
            if code is not None:
                self._exit_codes[pid] = code
                self._alive.discard(pid)

    def _poll(self, pid: int) -> int | None:
        if not CAN_FORK:
            return self._spawned[pid].poll()
        try:
            ended, wait_status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:  # the signal's handler came in between and has collected it
            return None
        return os.waitstatus_to_exitcode(wait_status) if ended else None

    def kill_all(self) -> None:
        self.reap()
        for pid in self._alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM if not CAN_FORK else signal.SIGKILL)
        for _ in range(100):
            self.reap()
            if not self._alive:
                return
            time.sleep(0.01)


def die_with_parent(parent_pid: int) -> None:
    """Ask the kernel to kill this process when its parent ends, also when that is killed."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(1)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)


def redirect_output(log: str) -> None:
    """Send stdout and stderr to the worker's log; stdin and the host's pipes are let go."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    try:
        stream = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError:  # a read-only or full data folder must not stop the worker
        stream = os.open(os.devnull, os.O_WRONLY)
    os.dup2(stream, 1)
    os.dup2(stream, 2)
    os.close(null)
    os.close(stream)


def run_worker(entry: str, listener: Listener) -> None:
    """Accept the app's connection and serve it with `entry` ("module:function")."""
    with listener, listener.accept() as connection:
        module_name, _, function_name = entry.partition(":")
        vars(importlib.import_module(module_name))[function_name](connection)


def preload(modules: list[str]) -> None:
    """Import what workers need and freeze it, so that forks share it."""
    for name in modules:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _lines(descriptor: int) -> Iterator[bytes]:
    """Lines from a pipe until its end, without a buffer that a forked child would share."""
    pending = b""
    while True:
        block = os.read(descriptor, 65536)
        if not block:
            return
        *lines, pending = (pending + block).split(b"\n")
        yield from lines


def main() -> None:
    """Serve until stdin ends. The first line is {"authkey": hex, "preload": [modules]}."""
    replies = os.dup(1)
    os.set_inheritable(replies, False)
    os.dup2(2, 1)  # a library that prints must not break the protocol
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def reply(message: dict[str, Any]) -> None:
        os.write(replies, json.dumps(message).encode() + b"\n")

    lines = _lines(0)
    hello = json.loads(next(lines))
    host = Host(bytes.fromhex(hello["authkey"]))
    if CAN_FORK:
        signal.signal(signal.SIGCHLD, lambda *_: host.reap())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        preload(hello["preload"] if CAN_FORK else [])
        reply({"ready": True})
        for line in lines:
            command = json.loads(line)
            if "start" in command:
                try:
                    reply({"started": host.start(**command["start"])})
                except OSError as error:
                    reply({"error": str(error)})
            elif "status" in command:
                reply({"status": host.status(command["status"])})
    finally:
        if CAN_FORK:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        host.kill_all()
