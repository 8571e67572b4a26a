"""The cookie that tells visitors apart is kept by browsers, also in the frame of a Space."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.ui.visitor import VisitorCookie
from backends.settings import get_settings


def cookie(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    """The cookie that a first visit to a public server gets."""
    for name, value in ({"DYNO_PUBLIC": "1"} | environment).items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    sent: list[Any] = []

    async def page(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "headers": []}
    asyncio.run(VisitorCookie(page)(scope, None, send))
    get_settings.cache_clear()
    return str(dict(sent[0]["headers"])[b"set-cookie"].decode())


def test_elsewhere_it_stays_on_its_own_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert "HttpOnly; SameSite=Lax;" in cookie(monkeypatch)


def test_in_a_space_it_is_made_for_the_frame_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = cookie(monkeypatch, SPACE_ID="me/dyno", DYNO_DATA_DIR="unused")
    assert "SameSite=None; Secure; Partitioned;" in made
