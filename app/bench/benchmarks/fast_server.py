"""A chat server that answers at once: what a client costs shows where a server costs nothing.

`python -m app.bench.benchmarks.fast_server PORT`, a program of its own. As many events as the
request's `max_tokens`, each in a piece of its own as a real server sends them, all in one write.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "fast"


def _event(**fields: Any) -> bytes:
    """One event in the framing of a chunked body, with the fields that vLLM sends."""
    told = {
        "id": "chatcmpl-0123456789abcdef0123456789abcdef",
        "object": "chat.completion.chunk",
        "created": 1_795_000_000,
        "model": MODEL,
        **fields,
    }
    return _piece(b"data: " + json.dumps(told).encode() + b"\n\n")


def _piece(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


def _choice(finish_reason: str | None = None, **delta: str) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def answer(tokens: int) -> bytes:
    """A whole chunked body: the role, a word for each token, the end and the usage."""
    usage = {"prompt_tokens": 7, "completion_tokens": tokens, "total_tokens": 7 + tokens}
    return b"".join(
        (
            _event(choices=[_choice(role="assistant", content="")]),
            *(_event(choices=[_choice(content=f" word{index % 10}")]) for index in range(tokens)),
            _event(choices=[_choice("length")]),
            _event(choices=[], usage=usage),
            _piece(b"data: [DONE]\n\n"),
            b"0\r\n\r\n",
        )
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # By their length, so that making them is not part of the wait.
    answers: dict[int, bytes] = {}  # noqa: RUF012 (one for all requests)

    def do_GET(self) -> None:
        self._send(b"application/json", json.dumps({"data": [{"id": MODEL}]}).encode())

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        tokens = int(asked["max_tokens"])
        body = self.answers.get(tokens) or self.answers.setdefault(tokens, answer(tokens))
        self._send(b"text/event-stream", body, is_chunked=True)

    def _send(self, kind: bytes, body: bytes, *, is_chunked: bool = False) -> None:
        framing = b"transfer-encoding: chunked" if is_chunked else b"content-length: %d" % len(body)
        head = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\n%s\r\n\r\n" % (kind, framing)
        self.wfile.write(head + body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), _Handler).serve_forever()
