"""The one engine host of this process, started on first need and ended at exit."""

from __future__ import annotations

import atexit
import threading

from backends.host.client import HostClient
from backends.settings import get_settings

_lock = threading.Lock()
_host: HostClient | None = None


def shared_host() -> HostClient:
    """The host, started (it preloads in the background)."""
    global _host
    with _lock:
        if _host is None:
            _host = HostClient(get_settings().logs_dir)
            atexit.register(close_shared_host)
        _host.start()
        return _host


def close_shared_host() -> None:
    """End the host and all its workers; the next use starts a new one."""
    global _host
    with _lock:
        host, _host = _host, None
    if host is not None:
        host.close()
