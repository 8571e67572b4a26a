"""A key is planted, a nasty server repeats it wherever it can, and everything written is searched.

Searched are all bytes under the data folder (the database with its journal, prices, logs), what was
logged and printed, exports, permalinks, and tracebacks with the values of our variables.
"""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bench.conversation import Column, Comparison
from app.bench.export import conversation_json, conversation_markdown, runs_csv, runs_json
from app.bench.store import RunFilter
from backends.engine import CancelToken
from backends.errors import DynoError, MissingCredential
from backends.registry import get_backend
from backends.remote.endpoint import EndpointBackend
from backends.remote.line import Line
from backends.request import Message, Request
from backends.settings import ROOT
from tests.fakes.workshop import VISITOR, Workshop
from tests.remote.conftest import QUICK, setup_of
from tests.remote.fault_server import ANSWER, DONE, END, Act, FaultServer, event

KEY = 'sk-planted-"quoted"-0123456789'  # JSON writes it in another way
PROMPT = "What does the planted prompt say?"
_ECHO = {"error": {"message": f"Wrong key {KEY}.", "headers": {"authorization": f"Bearer {KEY}"}}}
# What a server can do with a key that it was sent. The first is what all setups of its kind do.
FAILURES = {
    "refused": Act(status=401, body=_ECHO),
    "refused in other words": Act(status=403, body={"detail": [{"sent": KEY}]}),
    "not found": Act(status=404, body=f"no model for {KEY}"),
    "slow down": Act(status=429, body=_ECHO, headers={"retry-after": "300"}),
    "sent elsewhere": Act(status=307, headers={"location": f"http://127.0.0.1:9/?key={KEY}"}),
    "broken off": Act(pieces=(event("Par"), b"data: %s\n\n" % str(_ECHO).encode())),
    "told in the stream": Act(pieces=(event("Par"), event(error={"message": f"bad {KEY}"}))),
    "ends early": Act(pieces=(event(f"You sent {KEY}"),)),
    "no events": Act(pieces=(KEY.encode() + b"\n\n",)),
    "another type": Act(headers={"content-type": f"text/{KEY}"}),
    "reset": Act(pieces=(event("Par"),), breaks=True, pause_s=0.02),
}
GOOD = Act(
    pieces=(*ANSWER[:-2], event(f"It is {KEY}."), END, DONE),
    headers={"x-request-id": KEY, "x-ratelimit-of": f"key {KEY}"},
)


@pytest.fixture
def keyed(
    server: FaultServer, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultServer]:
    """A server for which the endpoint backend that runs use has the key."""
    backend = get_backend("endpoint")
    assert isinstance(backend, EndpointBackend)
    monkeypatch.setattr(backend, "_patience", QUICK)
    backend.keep_key(setup_of(server.address), KEY)
    yield server
    backend.keep_key(setup_of(server.address), "")


def forms_of(key: str) -> list[bytes]:
    """The key as it may lie in a file: plain, as JSON or a repr writes it, in base64."""
    plain = key.encode()
    quoted = key.replace('"', '\\"').encode()
    shifted = [base64.b64encode(b"x" * skip + plain)[4:-4] for skip in range(3)]
    return [plain, quoted, key.replace('"', '""').encode(), key[:12].encode(), *shifted]


def assert_absent(where: str, content: bytes) -> None:
    found = [form for form in forms_of(KEY) if form in content]
    assert not found, f"the key is in {where}: {found}"


def written_under(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def failure_at(address: str) -> DynoError:
    """The error of a request there, and nothing of what this test knows in its frames."""
    asked = Request(messages=(Message(role="user", content=PROMPT),))
    backend = get_backend("endpoint")
    with backend.open(setup_of(address), lambda _: None, CancelToken()) as engine:
        try:
            list(engine.generate(asked, CancelToken()))
        except DynoError as error:
            return error
    pytest.fail("this should have failed")


def test_nothing_that_is_written_holds_the_key(
    keyed: FaultServer,
    workshop: Workshop,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    column = Column(key="there", setup=setup_of(keyed.address))
    conversation = workshop.conversation([column], PROMPT)
    keyed.plays(GOOD)
    for _name, act in [("good", GOOD), *FAILURES.items()]:
        keyed.acts = [act]
        workshop.finish(workshop.jobs.answer(workshop.now(conversation.id), 0))
    said = workshop.now(conversation.id)
    runs = workshop.store.records(RunFilter(visitor=VISITOR, limit=None))
    assert [run.status for run in runs].count("finished") == 1
    assert [run.status for run in runs].count("failed") == len(FAILURES)
    assert keyed.headers[-1]["authorization"] == f"Bearer {KEY}", "the key was in use all the time"

    workshop.store.close()
    files = written_under(tmp_path)
    in_database = [name for name, content in files.items() if PROMPT.encode() in content]
    assert in_database, "what is stored can be found by searching bytes"
    for name, content in files.items():
        assert_absent(name, content)
    exports = {
        "runs.csv": runs_csv(runs),
        "runs.json": runs_json(runs),
        "conversation.json": conversation_json(said),
        "conversation.md": conversation_markdown(said, lambda figure: figure.reason, {}),
        "permalink": said.comparison.to_permalink(),
        "what a permalink holds": repr(Comparison.from_permalink(said.comparison.to_permalink())),
        "log": caplog.text,
        "output": "".join(capfd.readouterr()),
    }
    for name, text in exports.items():
        assert_absent(name, text.encode())


@pytest.mark.parametrize("name", FAILURES)
def test_no_traceback_holds_the_key(keyed: FaultServer, name: str) -> None:
    keyed.plays(FAILURES[name])
    error = failure_at(keyed.address)
    told = f"{error.message} {error.remedy} {error.detail} {error!r}"
    values = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [f"{frame.locals}" for frame in values.stack if str(ROOT) in frame.filename]
    assert ours
    assert_absent("what the user is told", told.encode())
    assert_absent("the traceback", "".join(traceback.format_exception(error)).encode())
    assert_absent("the values of our variables", " ".join(ours).encode())


def test_a_key_among_the_models_of_a_server_is_no_name(keyed: FaultServer) -> None:
    backend = EndpointBackend(QUICK)
    backend.keep_key(setup_of(keyed.address), KEY)
    keyed.listed = ({"id": f"for-{KEY}"},)
    with backend.open(setup_of(keyed.address), lambda _: None, CancelToken()) as engine:
        assert_absent("what an engine tells of itself", repr(engine.describe()).encode())
        assert engine.describe().model_path == "for-[the key]"


@pytest.mark.parametrize("key", ["sk-cut\nin-two", "sk-…-0123456789"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_repeated(
    server: FaultServer, key: str
) -> None:
    backend = EndpointBackend(QUICK)
    backend.keep_key(setup_of(server.address), key)
    with pytest.raises(MissingCredential) as refused:
        backend.open(setup_of(server.address), lambda _: None, CancelToken())
    assert "sk-" not in "".join(traceback.format_exception(refused.value))
    assert refused.value.remedy
    assert not server.headers


def test_the_key_is_in_no_repr(server: FaultServer) -> None:
    backend = EndpointBackend(QUICK)
    backend.keep_key(setup_of(server.address), KEY)
    line = Line(server.address, lambda: backend._key(setup_of(server.address)))
    assert_absent(
        "a repr", f"{backend!r} {backend._keys!r} {vars(backend._keys)} {line!r}".encode()
    )


def test_a_short_key_is_blotted_out_of_errors_and_left_in_answers(server: FaultServer) -> None:
    backend = get_backend("endpoint")
    assert isinstance(backend, EndpointBackend)
    backend.keep_key(setup_of(server.address), "delta")  # a word of the protocol, too
    server.plays(
        Act(pieces=(event("Alpha, beta, gamma, delta."), END, DONE)),
        Act(status=401, body={"error": {"message": "delta is no key"}}),
    )
    asked = Request(messages=(Message(role="user", content=PROMPT),))
    with backend.open(setup_of(server.address), lambda _: None, CancelToken()) as engine:
        chunks = list(engine.generate(asked, CancelToken()))
    assert chunks[0].text == "Alpha, beta, gamma, delta."
    assert "[the key] is no key" in failure_at(server.address).message
    backend.keep_key(setup_of(server.address), "")
