"""A worker where forking is not safe (macOS, Windows): a fresh interpreter, slower to start.

`python -m backends.host.spawned ENTRY ADDRESS`, with the key on stdin; ends when stdin does.
"""

from __future__ import annotations

import os
import sys
import threading
from multiprocessing.connection import Listener

from backends.host.server import run_worker


def _end_with_stdin() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    entry, address = sys.argv[1:]
    authkey = bytes.fromhex(sys.stdin.buffer.readline().decode().strip())
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    run_worker(entry, Listener(address, authkey=authkey))
