"""A chat server on loopback that does exactly what it is told, the bad things too."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route


def event(content: str = "", **more: Any) -> bytes:
    """One event of a stream, with a piece of the answer."""
    delta = {"content": content} if content else {}
    delta |= more.pop("delta", {})
    choice = {"index": 0, "delta": delta, "finish_reason": more.pop("finish_reason", None)}
    return _data({"id": "1", "model": "m", "choices": [choice], **more})


def usage(
    prompt: int, answer: int, cached: int | None = None, reasoning: int | None = None
) -> bytes:
    told: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": answer}
    if cached is not None:
        told["prompt_tokens_details"] = {"cached_tokens": cached}
    if reasoning is not None:
        told["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return _data({"id": "1", "model": "m", "choices": [], "usage": told})


def _data(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


ROLE = event(delta={"role": "assistant", "content": ""})
END = event(finish_reason="stop")
DONE = b"data: [DONE]\n\n"
ANSWER = (ROLE, event("Paris"), event(" is"), event(" it."), END, usage(7, 4), DONE)


@dataclass
class Act:
    """What the server does with one request: it answers with `status`, or streams `pieces`, each
    after `pause_s`; it breaks the connection after them where `breaks`, and goes on with the last
    one for ever where `is_endless`."""

    pieces: tuple[bytes, ...] = ANSWER
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    first_pause_s: float = 0.0
    pause_s: float = 0.0
    breaks: bool = False
    is_endless: bool = False


@dataclass
class FaultServer:
    """`acts` are played in turn, the last one again and again. `connections` are the ports of the
    client, one for each chat request."""

    address: str
    acts: list[Act] = field(default_factory=lambda: [Act()])
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: list[int] = field(default_factory=list)
    lists_models: bool = True
    model_ids: tuple[str, ...] = ("m", "other")
    pieces_sent: int = 0
    was_left: threading.Event = field(default_factory=threading.Event)

    def plays(self, *acts: Act) -> None:
        self.acts = list(acts)

    async def models(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        if not self.lists_models:
            return Response("Internal Server Error", 500)
        listed = [{"id": id_, "max_model_len": 4096} for id_ in self.model_ids]
        return JSONResponse({"data": listed})

    async def chat(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        self.connections.append(request.client.port if request.client else 0)
        self.bodies.append(json.loads(await request.body()))
        act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
        if act.status != 200:
            return JSONResponse(act.body, act.status, act.headers)
        return StreamingResponse(self._stream(act), 200, act.headers, "text/event-stream")

    async def _stream(self, act: Act) -> AsyncIterator[bytes]:
        try:
            await asyncio.sleep(act.first_pause_s)
            for piece in act.pieces:
                yield piece
                self.pieces_sent += 1
                await asyncio.sleep(act.pause_s)
            while act.is_endless:
                yield act.pieces[-1]
                self.pieces_sent += 1
                await asyncio.sleep(act.pause_s)
            if act.breaks:
                raise ConnectionResetError("as told")
        except asyncio.CancelledError:
            self.was_left.set()
            raise


@contextmanager
def fault_server() -> Iterator[FaultServer]:
    """A server in a thread of this process, on a free port."""
    # With its protocol named, asyncio sends each piece at once: else it waits for the last one's
    # acknowledgement.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        server = FaultServer(f"http://127.0.0.1:{listening.getsockname()[1]}/v1")
        routes = [
            Route("/v1/models", server.models),
            Route("/v1/chat/completions", server.chat, methods=["POST"]),
        ]
        config = uvicorn.Config(Starlette(routes=routes), log_level="critical", lifespan="off")
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, args=([listening],), daemon=True)
        thread.start()
        while not running.started:
            thread.join(0.01)
        yield server
        running.should_exit = running.force_exit = True
        thread.join(10)


@contextmanager
def forgetful_server() -> Iterator[tuple[str, list[str]]]:
    """A server that closes its first connection when a second request comes in on it. Gives its
    address and, as they come, the methods of the requests."""
    methods: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_forget, args=(listening, methods), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1", methods
        thread.join(5)


def _forget(listening: socket.socket, methods: list[str]) -> None:
    answers = [json.dumps({"data": [{"id": "m"}]}).encode(), None, b"".join(ANSWER)]
    connection, _ = listening.accept()
    for answer in answers:
        methods.append(connection.recv(65_536).split(b" ")[0].decode())
        if answer is None:
            connection.close()
            connection, _ = listening.accept()
            continue
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(answer)}\r\n"
        connection.sendall(f"{head}content-type: text/event-stream\r\n\r\n".encode() + answer)
    connection.close()
