"""What a server's refusal means, in plain words and with what to do about it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from backends.errors import (
    ContextFull,
    DynoError,
    InvalidRequest,
    MissingCredential,
    ModelNotFound,
    RateLimited,
    RemoteError,
)

# Nothing was done yet when a server answers with these, so asking again is safe.
RETRIED_STATUSES = frozenset({429, 502, 503, 504})
_TOO_LONG = ("context length", "context window", "maximum context", "too long", "max_model_len")


def refusal(status: int, headers: Mapping[str, str], body: str, where: str) -> DynoError:
    """The error for an answer with this status from the server `where`."""
    told = _message(body)
    said = f" It says: {told.rstrip('.')}." if told else ""
    match status:
        case 400 | 413 | 422 if any(words in told.lower() for words in _TOO_LONG):
            return ContextFull(
                f"The prompt does not fit the model at {where}.{said}",
                "Clear the conversation or shorten the prompt.",
            )
        case 400 | 413 | 422:
            return InvalidRequest(
                f"{where} does not accept this request ({status}).{said}",
                "Change what it names; the kind of server may be set wrongly.",
            )
        case 401:
            return MissingCredential(
                f"{where} does not know the key (401).{said}", "Type the key again."
            )
        case 402:
            return RemoteError(
                f"{where} wants to be paid first (402).{said}", "Add credit there and try again."
            )
        case 403:
            return MissingCredential(
                f"The key may not use this model at {where} (403).{said}",
                "Ask for access, or choose another model.",
            )
        case 404:
            return ModelNotFound(
                f"{where} has no such model or address (404).{said}",
                "Choose one of its models; the address usually ends in /v1.",
            )
        case 429:
            wait = retry_after_seconds(headers)
            later = f" It may be asked again in {wait:.0f} s." if wait else ""
            return RateLimited(
                f"{where} asks to slow down (429).{later}{said}", "Wait and send again."
            )
        case 502 | 503 | 504:
            return RemoteError(
                f"{where} cannot answer now ({status}).{said}",
                "It may be starting: wait and send again.",
            )
    return RemoteError(f"{where} answered with status {status}.{said}", "Its log may say why.")


def retry_after_seconds(headers: Mapping[str, str], now: dt.datetime | None = None) -> float | None:
    """Seconds that the server asks to wait: a number, or a date; None where it asks for none."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (when - (now or dt.datetime.now(dt.UTC))).total_seconds())


def starting_seconds(status: int, body: str) -> float | None:
    """Seconds until a model is loaded that the server has begun to load, as it estimates them; None
    where it says nothing of the kind."""
    if status != 503:
        return None
    try:
        told = json.loads(body)["estimated_time"]
        return max(1.0, float(told))
    except (ValueError, TypeError, KeyError):
        return None


def _message(body: str) -> str:
    """What a server's error body says, without the JSON around it; no more than a few lines."""
    try:
        told = json.loads(body)
    except ValueError:
        # A page of HTML says nothing to a user.
        return "" if "<" in body[:50] else body.strip()[:300]
    for name in ("error", "message", "detail"):
        if isinstance(told, dict) and name in told:
            told = told[name]
    if isinstance(told, dict):
        told = told.get("message", "")
    return str(told)[:300].strip()
