"""How the app talks to its engine host: start it, ask for workers, learn how they ended.

Everything here may be called from any thread. The host is started again when it has died.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import IO, Any

from backends.errors import EngineCrashed
from backends.settings import ROOT

PRELOAD = ("backends.local.worker.serve",)
_CONNECT_SECONDS = 60.0
_LOG_TAIL_BYTES = 4_000
_LOGS_KEPT = 40
_DIED_WITH_ITS_HOST = -9


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """A started worker: its process, the open connection to it, and where its stderr goes."""

    pid: int
    connection: Connection[Any, Any]
    log: Path

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)

    def log_tail(self) -> str:
        with contextlib.suppress(OSError), self.log.open("rb") as stream:
            stream.seek(max(0, self.log.stat().st_size - _LOG_TAIL_BYTES))
            return stream.read().decode(errors="replace").strip()
        return ""


class HostClient:
    """One engine host of this process. `start` returns at once; preloading goes on meanwhile."""

    def __init__(self, logs_dir: Path, preload: Sequence[str] = PRELOAD) -> None:
        self._logs_dir = logs_dir
        self._preload = list(preload)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._closed = False
        self._authkey = secrets.token_bytes(32)
        self._sockets_dir = Path(tempfile.mkdtemp(prefix="llm-dyno-"))

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def is_ready(self) -> bool:
        """Whether preloading is over (as far as it has been asked about)."""
        return self._ready and self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the host program unless it runs. Does not wait for its preloading."""
        with self._lock:
            self._ensure_running()

    def _ensure_running(self) -> None:
        if self._closed:
            raise EngineCrashed("The app is shutting down.", "Start it again.")
        if self._process is not None and self._process.poll() is None:
            return
        self._logs_dir_or_none()
        with self._host_log() as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "backends.host"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal ends the app, which ends the host
            )
        self._ready = False
        self._send({"authkey": self._authkey.hex(), "preload": self._preload})

    def _logs_dir_or_none(self) -> Path | None:
        try:
            self._logs_dir.mkdir(parents=True, exist_ok=True)
            for old in sorted(self._logs_dir.glob("worker-*.log"))[:-_LOGS_KEPT]:
                old.unlink(missing_ok=True)
        except OSError:
            return None
        return self._logs_dir

    def _host_log(self) -> IO[bytes]:
        try:
            return (self._logs_dir / "host.log").open("ab")
        except OSError:
            return Path(os.devnull).open("ab")

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise self._host_ended() from error

    def _receive(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._host_ended()
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _host_ended(self) -> EngineCrashed:
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1.0)  # its pipes close a moment before it has ended
        return EngineCrashed(
            "The engine host ended.", "Try again: it is started anew.", self._host_log_tail()
        )

    def _host_log_tail(self) -> str:
        with contextlib.suppress(OSError):
            return (self._logs_dir / "host.log").read_text(errors="replace")[-_LOG_TAIL_BYTES:]
        return ""

    def wait_ready(self) -> None:
        """Return once everything is preloaded. Raises `EngineCrashed` if the host dies instead."""
        with self._lock:
            self._ensure_running()
            self._wait_ready()

    def _wait_ready(self) -> None:
        if not self._ready:
            self._receive()
            self._ready = True

    def start_worker(self, entry: str) -> WorkerProcess:
        """Start a worker serving `entry` ("module:function") and connect to it."""
        name = uuid.uuid4().hex[:12]
        log = self._logs_dir / f"worker-{time.strftime('%Y%m%d-%H%M%S')}-{name}.log"
        address = str(self._sockets_dir / name)
        if sys.platform == "win32":
            address = rf"\\.\pipe\llm-dyno-{name}"
        order = {"start": {"entry": entry, "address": address, "log": str(log)}}
        with self._lock:
            try:
                reply = self._ask(order)
            except EngineCrashed:  # it had ended unnoticed: once more, with a new one
                reply = self._ask(order)
        if "started" not in reply:
            raise EngineCrashed(
                f"No worker could be started: {reply.get('error')}",
                "Free some memory or disk space and try again.",
            )
        return WorkerProcess(reply["started"], self._connect(address, reply["started"]), log)

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        self._ensure_running()
        self._wait_ready()
        self._send(message)
        return self._receive()

    def _connect(self, address: str, pid: int) -> Connection[Any, Any]:
        deadline = time.monotonic() + _CONNECT_SECONDS
        while True:
            try:
                return Client(address, authkey=self._authkey)
            except (FileNotFoundError, ConnectionRefusedError) as error:
                if self.exit_code(pid) is not None or time.monotonic() > deadline:
                    raise EngineCrashed(
                        "The worker ended before it could be reached.", "Try again."
                    ) from error
                time.sleep(0.002)  # the worker makes its address right after it was forked

    def exit_code(self, pid: int, wait_seconds: float = 0.0) -> int | None:
        """How a worker ended (negative: by that signal); None while it lives or is unknown."""
        deadline = time.monotonic() + wait_seconds
        while True:
            with self._lock:
                code = self._exit_code(pid)
            if code is not None or time.monotonic() >= deadline:
                return code
            time.sleep(0.005)

    def _exit_code(self, pid: int) -> int | None:
        if not self.is_ready:  # gone, or so new that it has started no worker yet
            return _DIED_WITH_ITS_HOST
        try:
            self._send({"status": pid})
            code: int | None = self._receive()["status"]
        except EngineCrashed:
            return _DIED_WITH_ITS_HOST
        return code

    def close(self) -> None:
        """End the host and with it every worker. Safe to call twice."""
        with self._lock:
            self._closed = True
            process, self._process = self._process, None
            if process is not None:
                with contextlib.suppress(OSError):
                    if process.stdin:
                        process.stdin.close()
                try:
                    process.wait(timeout=5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                if process.stdout:
                    process.stdout.close()
            shutil.rmtree(self._sockets_dir, ignore_errors=True)
