"""A real server of the app in a process of its own, with its own data folder and port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from app.bench.store import Store
from backends.settings import ROOT, Settings

START_SECONDS = 90.0
END_SECONDS = 20.0
# A loopback port where nobody listens: whoever asks the Hub is refused at once.
NO_HUB = "http://127.0.0.1:9"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Return as soon as `condition` holds; fail with `what` when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)


class AppServer:
    """`streamlit run streamlit_app.py` with its host and workers. `start` and `stop` repeat."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.log = Path(tempfile.mkstemp(prefix="dyno-server-", suffix=".log")[1])
        # Short, because the workers' sockets lie in it; its own, so that its device locks are too.
        self._tmp = tempfile.TemporaryDirectory(prefix="dyno-t-")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("DYNO_", "HF_"))}
        self._environment = {
            **inherited,
            "DYNO_DATA_DIR": str(data_dir),
            "TMPDIR": self._tmp.name,
            "HF_ENDPOINT": NO_HUB,
            "HF_HOME": f"{self._tmp.name}/hub",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._family: list[psutil.Process] = []

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/"

    @property
    def process(self) -> psutil.Process:
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def start(self) -> AppServer:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "streamlit", "run", "streamlit_app.py"),
                    *("--server.port", str(self.port)),
                ],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until(self._answers, START_SECONDS, f"the server answers; {self.log_tail()}")
        return self

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the server ended: {self.log_tail()}"
        try:
            with urllib.request.urlopen(f"{self.url}_stcore/health", timeout=2) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]

    def host(self) -> psutil.Process:
        """The engine host: the one child that runs `backends.host`."""
        return next(
            child for child in self.process.children() if "backends.host" in child.cmdline()
        )

    def workers(self) -> list[psutil.Process]:
        """The engines' processes, oldest first."""
        return sorted(self.host().children(), key=lambda worker: worker.create_time())

    def family(self) -> list[psutil.Process]:
        """The server and everything it started."""
        return [self.process, *self.process.children(recursive=True)]

    def end(self, signal: int) -> None:
        """Send the signal to the server alone, and see that all of its family goes."""
        family = self.family()
        assert self._process is not None
        self._process.send_signal(signal)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        left = psutil.wait_procs(family, timeout=END_SECONDS)[1]
        alive = [process for process in left if process.status() != psutil.STATUS_ZOMBIE]
        told = [f"{process.pid} {process.name()}" for process in alive]
        for process in alive:
            process.kill()
        self._process.wait(END_SECONDS)
        self._process = None
        assert not told, f"left after signal {signal}: {told}"

    def stop(self) -> None:
        """End it as Ctrl-C would, if it still runs."""
        import signal

        if self._process is not None:
            if self._process.poll() is None:
                self.end(signal.SIGINT)
            self._process = None

    def close(self) -> None:
        self.stop()
        self._tmp.cleanup()

    def store(self) -> Store:
        """The same database, opened from outside."""
        return Store.open(Settings(data_dir=self.data_dir))
