"""Turns what a PostgreSQL server or the way to it refuses into sentences with a remedy.

Its driver is not imported for it: the server's five-letter codes say what happened
(PostgreSQL's documentation, appendix A).
"""

from __future__ import annotations

_CHECK_SERVER = "Start it, or correct DYNO_DATABASE_URL"
_BY_CODE = {
    "53100": ("the disk of the database's server is full", "Free some space there"),
    "53200": ("the database's server is out of memory", "Give it more, or end other work there"),
    "53300": ("the database takes no more connections", "Raise its max_connections"),
    "25006": ("the database is read-only", "Make it writable, or name another DYNO_DATABASE_URL"),
    "42501": (
        "the database's user may not do this",
        "Grant it the right to create and change tables",
    ),
    "28P01": ("the database refused the password", "Correct DYNO_DATABASE_URL"),
    "28000": ("the database refused the user", "Correct DYNO_DATABASE_URL"),
    "3D000": ("there is no such database", "Create it, or correct DYNO_DATABASE_URL"),
    "55P03": ("another program holds the database", "Wait for it, or close it"),
    "57P01": ("the database's server was shut down", "Start it again"),
    "57P03": ("the database's server is starting up or shutting down", "Wait for it"),
}
# Until the connection stands there is no code, only the server's words.
_BY_WORDS = {
    "password authentication failed": "28P01",
    "no password supplied": "28P01",
    "no pg_hba.conf entry": "28000",
    'role "': "28000",
    "too many clients": "53300",
    "the database system is": "57P03",
    'database "': "3D000",
}


def explain(error: BaseException | None) -> tuple[str, str]:
    """What happened and what to do, from the driver's error."""
    code = getattr(error, "sqlstate", None)
    if not code:
        said = str(error)
        code = next((one for words, one in _BY_WORDS.items() if words in said), None)
    if code in _BY_CODE:
        return _BY_CODE[code]
    if code and not str(code).startswith("08"):
        return f"the database failed (its code is {code})", "Look into its server's log"
    return "the database's server does not answer", _CHECK_SERVER


def detail(error: BaseException | None) -> str:
    """The error's kind and code. Its own words may repeat what was to be written."""
    code = getattr(error, "sqlstate", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__
