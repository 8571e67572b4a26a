"""`guidellm`, a benchmark of servers that others use, in a virtual environment of its own.

What it calls its figures, read in the source of 0.8.1 (`schemas/base/request_stats.py`,
`backends/openai/http.py`), one request at a time:

- *time to first token*: first line of the stream with text − the request's headers began to leave,
  on a connection that is open by then. That is ours, down to the event of the HTTP library.
- *time per output token*: (last line with text − headers began to leave) / tokens. It holds the
  time to the first token, so it depends on the prompt and on how many tokens were asked for.
- *inter-token latency*: (last − first line with text) / (tokens − 1). Ours is called TPOT, with the
  tokens of the first chunk in the place of 1.

Tokens are the server's usage on both sides.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from app.bench.benchmarks.model_server import ModelServer
from app.bench.data_folder import TOOLS_FOLDER
from backends.errors import DynoError, MissingDependency
from backends.remote.wire import chat_body
from backends.request import Message, Request

_VERSION = "0.8.1"
_INSTALLED = ".installed"
_INSTALL_SECONDS = 1_800.0
_RUN_SECONDS = 280.0
_TRIES = 3
_LOG_TAIL_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Timing:
    """What it tells of one request, in its words, in nanoseconds."""

    time_to_first_token_ns: float
    time_per_output_token_ns: float
    inter_token_latency_ns: float
    output_tokens: int


def installed(data_dir: Path) -> Path:
    """The program; on first use it is installed, which takes minutes and a gigabyte or two.

    Raises `MissingDependency` with the end of pip's log where that fails.
    """
    folder = data_dir / TOOLS_FOLDER / f"guidellm-{_VERSION}"
    scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
    if not (folder / _INSTALLED).is_file():
        # Any torch does. Ours spares a second, larger download, and is the build that suits here.
        torch = version("torch").partition("+")[0]
        wanted = (f"torch=={torch}", f"guidellm=={_VERSION}")
        _call([sys.executable, "-m", "venv", "--clear", str(folder)])
        _call([str(scripts / "python"), "-m", "pip", "install", *wanted])
        (folder / _INSTALLED).touch()
    return scripts / "guidellm"


def _call(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise _not_installed("It took too long.") from error
    if done.returncode:
        raise _not_installed((done.stdout + done.stderr)[-_LOG_TAIL_CHARS:])


def _not_installed(detail: str) -> MissingDependency:
    return MissingDependency(
        f"guidellm {_VERSION} could not be installed.",
        "It comes from PyPI, with some gigabytes of other packages: look for network and disk.",
        detail,
    )


def timings(program: Path, server: ModelServer, requests: Sequence[Request]) -> list[Timing]:
    """Have it send these requests, one after the other and in this order. All share one sampling.

    Now and then it ends one too early and tells of one fewer; then all are asked again. Raises
    `DynoError` where a request failed or came out of turn.
    """
    for _ in range(_TRIES):
        told = _in_turn(_results(program, server, requests))
        if len(told) == len(requests):
            return [_timing(one, request) for one, request in zip(told, requests, strict=True)]
    raise DynoError(f"guidellm told of {len(told)} requests instead of {len(requests)}.")


def _results(program: Path, server: ModelServer, requests: Sequence[Request]) -> dict[str, Any]:
    """Its results by how the requests ended."""
    with tempfile.TemporaryDirectory(prefix="dyno-guidellm-") as folder:
        scenario, result = Path(folder) / "scenario.json", Path(folder) / "result.json"
        prompts = Path(folder) / "prompts.jsonl"
        lines = (json.dumps({"messages": _messages(request)}) for request in requests)
        prompts.write_text("\n".join(lines) + "\n", encoding="utf-8")
        spec = _spec(server, requests, prompts, result)
        scenario.write_text(json.dumps({"spec": spec}), encoding="utf-8")
        log = _finished([str(program), "run", "-c", str(scenario), "--disable-console"])
        if not result.is_file():
            raise DynoError("guidellm did not finish.", "Its log says why.", log)
        report = json.loads(result.read_text(encoding="utf-8"))
    told: dict[str, Any] = report["benchmarks"][0]["requests"]
    return told


def _finished(command: Sequence[str]) -> str:
    """Run it to its end, and give the end of its log. Whatever goes wrong, none of its processes
    stays."""
    process = subprocess.Popen(
        command,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        return process.communicate(timeout=_RUN_SECONDS)[0][-_LOG_TAIL_CHARS:]
    except subprocess.TimeoutExpired as error:
        raise DynoError("guidellm took too long.", "Measure on a quieter machine.") from error
    finally:
        with contextlib.suppress(OSError):  # it has ended, and with it its group
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _spec(
    server: ModelServer, requests: Sequence[Request], prompts: Path, result: Path
) -> dict[str, Any]:
    body = chat_body(str(server.folder), [], requests[0].sampling, {})
    kept = ("max_tokens", "temperature")
    extra = {name: body[name] for name in kept} | server.kind.fields(requests[0].sampling)
    return {
        "backend": {
            "kind": "openai_http",
            "target": server.address,
            "model": str(server.folder),
            "request_format": "/v1/chat/completions",
            "extras": {"body": extra},
        },
        "profile": {"kind": "synchronous"},
        "constraints": [{"kind": "max_requests", "count": len(requests)}],
        "tokenizer": {"kind": "huggingface_auto", "model": str(server.folder)},
        "data": [{"kind": "json_file", "path": str(prompts)}],
        "outputs": [{"kind": "json", "path": str(result)}],
    }


def _messages(request: Request) -> list[dict[str, Any]]:
    return [message.model_dump() for message in request.messages]


def _in_turn(told: dict[str, Any]) -> list[dict[str, Any]]:
    if told["errored"] or told["incomplete"]:
        failed = (told["errored"] or told["incomplete"])[0]["info"]["error"]
        raise DynoError(f"A request of guidellm failed: {failed}.")
    return sorted(
        told["successful"], key=lambda one: float(one["info"]["timings"]["request_start"])
    )


def _timing(told: dict[str, Any], request: Request) -> Timing:
    sent = json.loads(told["request_args"])["body"]["messages"]
    if [Message.model_validate(message) for message in sent] != list(request.messages):
        raise DynoError("guidellm sent its requests in another order.")
    return Timing(
        time_to_first_token_ns=float(told["time_to_first_token_ms"]) * 1e6,
        time_per_output_token_ns=float(told["time_per_output_token_ms"]) * 1e6,
        inter_token_latency_ns=float(told["inter_token_latency_ms"]) * 1e6,
        output_tokens=int(told["output_tokens"]),
    )
