"""A Hugging Face Hub on this machine: models that a test makes up, and the ways they fail."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlparse

SHA = hashlib.sha1(b"a commit").hexdigest()


@dataclass(slots=True)
class HubModel:
    """Files of one commit. `gated` needs a token. `cut` names a file whose download ends after so
    many bytes; going on with it works unless the model is `broken`."""

    files: dict[str, bytes]
    gated: bool = False
    sha: str = SHA
    cut: tuple[str, int] | None = None
    broken: bool = False

    @classmethod
    def of_folder(cls, folder: Path) -> HubModel:
        return cls({path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()})


@dataclass(slots=True)
class Asked:
    """One request that reached the Hub."""

    method: str
    path: str
    range: str | None
    token: str | None


@dataclass(slots=True)
class FakeHub:
    """Start and stop it on the same port as often as needed; `asked` is what came in."""

    models: dict[str, HubModel] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        hub = self

        class Handler(_Handler):
            def handle_hub(self, method: str) -> None:
                _answer(hub, self, method)

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def downloads(self, pattern: str) -> list[Asked]:
        """GETs of files whose name matches."""
        return [
            one
            for one in self.asked
            if one.method == "GET"
            and "/resolve/" in one.path
            and fnmatch.fnmatch(one.path, pattern)
        ]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_hub(self, method: str) -> None:
        raise NotImplementedError

    def do_GET(self) -> None:
        self.handle_hub("GET")

    def do_HEAD(self) -> None:
        self.handle_hub("HEAD")

    def log_message(self, format: str, *args: object) -> None:
        pass


def _answer(hub: FakeHub, handler: _Handler, method: str) -> None:
    url = urlparse(handler.path)
    token = handler.headers.get("Authorization")
    hub.asked.append(Asked(method, unquote(url.path), handler.headers.get("Range"), token))
    parts = unquote(url.path).strip("/").split("/")
    is_api = parts[:2] == ["api", "models"]
    parts = parts[2:] if is_api else parts
    model = hub.models.get("/".join(parts[:2]))
    if model is None:
        _refuse(handler, 401, "RepoNotFound", "Repository not found")
    elif model.gated and not token:
        _refuse(handler, 403, "GatedRepo", "Access to this model is restricted")
    elif is_api and parts[2:3] == ["tree"]:
        _send_json(handler, [_tree_entry(name, data) for name, data in model.files.items()])
    elif is_api:
        revision = parts[3] if parts[2:3] == ["revision"] else "main"
        if revision not in ("main", model.sha):
            _refuse(handler, 404, "RevisionNotFound", "Invalid rev id")
        else:
            _send_json(handler, _info("/".join(parts[:2]), model, "blobs" in parse_qs(url.query)))
    else:
        _send_file(handler, method, model, "/".join(parts[4:]))


def _refuse(handler: _Handler, status: int, code: str, message: str) -> None:
    body = json.dumps({"error": message}).encode()
    _start(handler, status, len(body), {"X-Error-Code": code, "X-Error-Message": message})
    if handler.command != "HEAD":
        handler.wfile.write(body)


def _send_json(handler: _Handler, value: object) -> None:
    body = json.dumps(value).encode()
    _start(handler, 200, len(body), {"Content-Type": "application/json"})
    handler.wfile.write(body)


def _info(model_id: str, model: HubModel, with_sizes: bool) -> dict[str, object]:
    siblings = [
        {"rfilename": name} | ({"size": len(data)} if with_sizes else {})
        for name, data in model.files.items()
    ]
    return {"_id": "1", "id": model_id, "sha": model.sha, "private": False, "siblings": siblings}


def _tree_entry(name: str, data: bytes) -> dict[str, object]:
    return {"type": "file", "path": name, "size": len(data), "oid": _etag(data)}


def _etag(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


def _send_file(handler: _Handler, method: str, model: HubModel, name: str) -> None:
    data = model.files.get(name)
    if data is None:
        _refuse(handler, 404, "EntryNotFound", "Entry not found")
        return
    headers = {"ETag": f'"{_etag(data)}"', "X-Repo-Commit": model.sha, "Accept-Ranges": "bytes"}
    wanted = handler.headers.get("Range")
    if model.broken and method == "GET" and wanted:
        _refuse(handler, 503, "Down", "The Hub is down")
        return
    start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
    if wanted:
        headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
    body = data[start:]
    _start(handler, 206 if wanted else 200, len(body), headers)
    if method == "HEAD":
        return
    if model.cut is not None and model.cut[0] == name and not wanted:
        handler.wfile.write(body[: model.cut[1]])
        handler.wfile.flush()
        handler.close_connection = True  # in the middle of the file
        return
    handler.wfile.write(body)


def _start(handler: _Handler, status: int, length: int, headers: dict[str, str]) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(length))
    handler.end_headers()
