"""The server: `streamlit run streamlit_app.py`. Starts the engine host before any visitor comes."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st

from app.ui.drawn import drawn_route
from app.ui.server import close_server, get_server
from app.ui.visitor import VisitorCookie
from backends.errors import DynoError


@asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:
    """Start the parts that outlive any page, and end them with the server."""
    try:
        server = get_server()
    except DynoError as error:
        # One sentence instead of a traceback, which the server would print for any exception here.
        print(f"LLM Dyno cannot start. {error.message} {error.remedy}", file=sys.stderr)  # noqa: T201
        sys.stderr.flush()
        os._exit(2)
    try:
        yield {"server": server}
    finally:
        close_server()


app = st.App(
    "app/ui/main.py",
    lifespan=lifespan,
    middleware=[VisitorCookie.middleware()],
    routes=[drawn_route()],
)
