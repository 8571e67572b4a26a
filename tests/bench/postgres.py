"""A real PostgreSQL server on loopback for tests of the store, where it is installed."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

from app.bench.benchmarks.server_process import free_port
from tests.needs import lacking

USER, PASSWORD = "dyno", "not a secret"
_START_SECONDS = 60.0
# The tests' data may be lost: nothing waits for the disk.
_IN_A_HURRY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def program(name: str) -> str:
    """Debian keeps some of them off the path, one folder a version."""
    here = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = str(here[-1]) if here else shutil.which(name)
    if found is None:
        lacking("POSTGRES", "PostgreSQL is not installed here (Debian: apt install postgresql)")
    return found


class PostgresServer:
    """A server with its own folder, port and password. It never runs as root, which it refuses."""

    def __init__(self, parent: Path) -> None:
        self._initdb, self._postgres = program("initdb"), program("postgres")
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="dyno-postgres-", dir=parent))
        self.data = self.folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0

    def url(self, database: str, password: str = PASSWORD) -> str:
        address = f"127.0.0.1:{self.port}/{database}"
        return f"postgresql://{USER}:{password.replace(' ', '%20')}@{address}"

    def initialise(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        self.give_away(self.folder, password)
        done = subprocess.run(
            [
                *(self._initdb, "--pgdata", str(self.data), "--username", USER),
                *("--pwfile", str(password), "--auth", "scram-sha-256"),
                *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            capture_output=True,
            text=True,
            **self._as_user(),
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        options = {
            **_IN_A_HURRY,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "shared_buffers": "32MB",
        }
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(self._postgres, "-D", str(self.data), "-p", str(self.port)),
                    *(
                        part
                        for name, value in options.items()
                        for part in ("-c", f"{name}={value}")
                    ),
                ],
                stdout=log,
                stderr=log,
                **self._as_user(),
            )
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.run("SELECT 1")
                return
            except psycopg.OperationalError:
                said = (self.folder / "log").read_text()[-2_000:]
                assert self._process.poll() is None, said
                assert time.monotonic() < deadline, said
                time.sleep(0.05)

    def start_if_stopped(self) -> None:
        if self._process is None:
            self.start()

    def stop(self) -> None:
        """As `pg_ctl stop -m fast` does: who is connected is thrown out."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def create(self, template: str = "template0") -> str:
        """A new database; its name."""
        self._databases += 1
        name = f"store{self._databases}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        with contextlib.suppress(psycopg.OperationalError):
            self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _as_user(self) -> dict[str, object]:
        if os.geteuid() != 0:
            return {}
        user = self._unprivileged()
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def give_away(self, *paths: Path) -> None:
        if os.geteuid() == 0:
            user = self._unprivileged()
            for path in paths:
                os.chown(path, user.pw_uid, user.pw_gid)

    def _unprivileged(self) -> pwd.struct_passwd:
        for name in ("postgres", "nobody"):
            with contextlib.suppress(KeyError):
                return pwd.getpwnam(name)
        lacking("POSTGRES", "PostgreSQL refuses to run as root, and there is no user “nobody”")
