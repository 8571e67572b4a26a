"""Who answered: what the headers of an answer tell beside it."""

from __future__ import annotations

from collections.abc import Mapping

PROVIDER = "provider"
REQUEST_ID = "request id"
_PROVIDER_HEADER = "x-inference-provider"
_REQUEST_ID_HEADERS = ("x-request-id", "request-id", "inference-id", "x-amzn-requestid")
_MAX_CHARS = 200


def served(headers: Mapping[str, str]) -> dict[str, str]:
    """Provider, request id and rate limits, as far as they are told. `headers` has lower-case
    names. A limit keeps its header's name, since each server has its own."""
    told = {PROVIDER: headers.get(_PROVIDER_HEADER, "")}
    told[REQUEST_ID] = next((headers[name] for name in _REQUEST_ID_HEADERS if name in headers), "")
    told |= {name: value for name, value in headers.items() if "ratelimit" in name.lower()}
    return {name: value[:_MAX_CHARS] for name, value in told.items() if value}
