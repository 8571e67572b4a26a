"""Gives each browser an unguessable cookie, so that a public server knows whose is whose."""

from __future__ import annotations

import os
import secrets
from http.cookies import SimpleCookie
from typing import Any

from app.ui.server import VISITOR_COOKIE
from backends.settings import get_settings


class VisitorCookie:
    """ASGI middleware. Sets the cookie on pages in public mode; elsewhere it does nothing."""

    def __init__(self, app: Any) -> None:
        self._app = app

    @classmethod
    def middleware(cls) -> Any:
        from starlette.middleware import Middleware

        return Middleware(cls)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not get_settings().public or _has_cookie(scope):
            await self._app(scope, receive, send)
            return

        async def send_with_cookie(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), _new_cookie()]
            await send(message)

        await self._app(scope, receive, send_with_cookie)


def _has_cookie(scope: Any) -> bool:
    for name, value in scope["headers"]:
        if name == b"cookie" and VISITOR_COOKIE in SimpleCookie(value.decode("latin-1")):
            return True
    return False


def _new_cookie() -> tuple[bytes, bytes]:
    value = f"{VISITOR_COOKIE}={secrets.token_urlsafe(24)}; Path=/; HttpOnly; {_same_site()}"
    return b"set-cookie", f"{value}; Max-Age=31536000".encode()


def _same_site() -> str:
    """A Space is shown in a frame of another site, where browsers drop any other cookie."""
    return "SameSite=None; Secure; Partitioned" if "SPACE_ID" in os.environ else "SameSite=Lax"
