"""Turns a database driver's errors into sentences with a remedy."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.bench.store import server_failures
from backends.errors import DynoError, NotRecorded

_HARDLY_ANY_SPACE_BYTES = 256 * 1024
_RETRY = "then press retry; a download keeps the result meanwhile."


def not_recorded(error: Exception, folder: Path | None) -> NotRecorded:
    """Why a write did not reach the disk. `folder` is that of a SQLite database."""
    reason, remedy = _explain(error, folder)
    return NotRecorded(f"Not recorded: {reason}.", f"{remedy}, {_RETRY}", detail=_detail(error))


def not_readable(error: Exception, folder: Path | None) -> DynoError:
    reason, remedy = _explain(error, folder)
    return DynoError(f"The records cannot be read: {reason}.", f"{remedy}.", detail=_detail(error))


def _detail(error: Exception) -> str:
    """The driver's own words; SQLAlchemy's would repeat the statement with its values."""
    original = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(original, sqlite3.Error | OSError):
        return f"{type(original).__name__}: {original}"
    return server_failures.detail(original)


def _explain(error: Exception, folder: Path | None) -> tuple[str, str]:
    original = error.orig if isinstance(error, DBAPIError) else error
    where = f"the data folder {folder}" if folder else "the database"
    if isinstance(original, OSError):
        if _is_full(folder):
            return _full(where)
        return (
            f"{where} cannot be used ({original.strerror or original})",
            "Make it writable, or set DYNO_DATA_DIR to another folder",
        )
    if not isinstance(original, sqlite3.Error):
        if isinstance(error, SQLAlchemyError):
            return server_failures.explain(original)
        return f"{where} cannot be used ({original})", "Look into the log"
    name = str(original.sqlite_errorname or "") if _has_code(original) else ""
    if name.startswith("SQLITE_FULL") or (name.startswith("SQLITE_IOERR") and _is_full(folder)):
        return _full(where)
    if name.startswith("SQLITE_READONLY"):
        return f"{where} is read-only", "Make it writable, or set DYNO_DATA_DIR to another folder"
    if name.startswith("SQLITE_CANTOPEN"):
        if _is_full(folder):
            return _full(where)
        return (
            f"the database in {where} cannot be opened or made",
            "Make the folder writable, or set DYNO_DATA_DIR to another one",
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another program holds the database", "Wait for it, or close it"
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return (
            f"the database in {where} is damaged",
            "Move the file dyno.sqlite3 elsewhere (a new one is made)",
        )
    if name == "SQLITE_ERROR":  # a table or a column that is not there
        return (
            f"the database in {where} is not of this version ({original})",
            "Use the version that wrote it, or move dyno.sqlite3 elsewhere (a new one is made)",
        )
    return f"the database in {where} failed ({original})", "Check the disk"


def _full(where: str) -> tuple[str, str]:
    return f"the disk of {where} is full", "Free some space"


def _has_code(error: sqlite3.Error) -> bool:
    """The driver's own errors (a bad parameter) carry no SQLite code."""
    return "sqlite_errorname" in vars(error)


def _is_full(folder: Path | None) -> bool:
    if folder is None:
        return False
    try:
        return shutil.disk_usage(folder).free < _HARDLY_ANY_SPACE_BYTES
    except OSError:
        return False
