"""Hosted models are asked as `InferenceClient` would ask them, and measured as any server is."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from huggingface_hub.inference import _providers

from backends.engine import CancelToken
from backends.errors import (
    DynoError,
    InvalidSetup,
    MissingCredential,
    ModelNotFound,
    Unreachable,
)
from backends.quotes import TokenQuote
from backends.remote.engine import RemoteEngine
from backends.remote.line import Line
from backends.remote.router import CACHE_FILE, HostedModels, hosted_models
from backends.remote.serverless import ServerlessBackend
from backends.request import Chunk, Message, Request, Sampling
from backends.settings import get_settings
from backends.setup import Setup
from tests.remote.conftest import MODEL, QUICK
from tests.remote.fault_server import ANSWER, Act, FaultServer

TOKEN = "hf_planted0123456789"


@pytest.fixture
def backend(router: FaultServer) -> ServerlessBackend:
    backend = ServerlessBackend(QUICK, router.address)
    backend.keep_key(setup(), TOKEN)
    return backend


def setup(**options: str) -> Setup:
    return Setup(model="llama-3.2-3b", backend="serverless", options=options)


def opened(backend: ServerlessBackend, **options: str) -> RemoteEngine:
    return backend.open(setup(**options), lambda _: None, CancelToken())


def ask(engine: RemoteEngine, **sampling: object) -> list[Chunk]:
    message = Message(role="user", content="What is the capital of France?")
    request = Request(messages=(message,), sampling=Sampling.model_validate(sampling))
    return list(engine.generate(request, CancelToken()))


# What is asked


def test_the_hosted_version_of_the_catalogs_model_is_asked_with_the_token(
    router: FaultServer, backend: ServerlessBackend
) -> None:
    with opened(backend) as engine:
        chunks = ask(engine, temperature=0.5, seed=3, max_new_tokens=9, stop=["x"])
    assert "".join(chunk.text for chunk in chunks) == "Paris is it."
    assert router.headers[-1]["authorization"] == f"Bearer {TOKEN}"
    assert "torch" not in router.headers[-1]["user-agent"]
    body = router.bodies[-1]
    assert body["model"] == MODEL
    assert body["stream_options"] == {"include_usage": True}
    wanted = {"temperature": 0.5, "seed": 3, "max_tokens": 9, "stop": ["x"], "stream": True}
    assert body.items() >= wanted.items()


@pytest.mark.parametrize("routing", ["cheapest", "fastest"])
def test_the_router_is_told_whom_to_choose(
    routing: str, router: FaultServer, backend: ServerlessBackend
) -> None:
    with opened(backend, routing=routing) as engine:
        ask(engine)
    assert router.bodies[-1]["model"] == f"{MODEL}:{routing}"


def test_a_named_provider_is_asked_by_its_own_name_of_the_model(
    router: FaultServer, backend: ServerlessBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = _providers.PROVIDERS["together"]["conversational"]
    mapping = type("Mapping", (), {"provider_id": "llama-3b-turbo"})()
    monkeypatch.setattr(helper, "_prepare_mapping_info", lambda model: mapping)
    monkeypatch.setattr(helper, "base_url", router.address.removesuffix("/v1"))
    backend.keep_key(setup(provider="together"), "sk-own")
    with opened(backend, provider="together") as engine:
        ask(engine)
    assert router.headers[-1]["authorization"] == "Bearer sk-own"
    assert router.bodies[-1]["model"] == "llama-3b-turbo"
    assert engine.describe().context_window == 131072


def test_the_token_of_the_environment_serves_where_none_is_typed(
    router: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_environment")
    with opened(ServerlessBackend(QUICK, router.address)) as engine:
        ask(engine)
    assert router.headers[-1]["authorization"] == "Bearer hf_environment"


# What is told


def test_who_answered_and_what_it_charges_is_told(
    router: FaultServer, backend: ServerlessBackend
) -> None:
    headers = {
        "x-inference-provider": "novita",
        "x-request-id": "abc",
        "x-ratelimit-remaining-requests": "99",
        "x-other": "no",
    }
    router.plays(Act(headers=headers))
    with opened(backend) as engine:
        report = ask(engine)[-1].report
    assert report is not None
    assert report.served == {
        "provider": "novita",
        "request id": "abc",
        "x-ratelimit-remaining-requests": "99",
    }
    (quote,) = engine.describe().quotes
    today = dt.datetime.now(dt.UTC).date()
    source = "Hugging Face router's model list"
    prices = (Decimal("0.03"), Decimal("0.05"), None)
    assert quote == TokenQuote("novita", *prices, source, today), "those that are live and say so"


def test_what_a_host_does_not_tell_is_not_made_up(backend: ServerlessBackend) -> None:
    with opened(backend) as engine:
        report = ask(engine)[-1].report
        facts = engine.describe()
    assert report is not None
    assert report.served == {}
    assert report.memory.peak_bytes is None
    assert facts.context_window is None, "it depends on who answers"
    assert facts.weights_bytes is None
    assert facts.dtypes == {}


# What is refused


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (setup(), "No Hugging Face token"),
        (Setup(backend="serverless"), "Nobody hosts this model"),
        (setup(provider="together", routing="cheapest"), "nothing to route"),
        (setup().model_copy(update={"weights": "int8"}), "weights"),
    ],
)
def test_what_cannot_be_asked_says_why_and_what_to_do(made: Setup, says: str) -> None:
    verdict = ServerlessBackend(QUICK).check(made)
    assert not verdict.ok
    assert says in verdict.reason
    assert verdict.remedy


def test_a_public_server_spends_nobodys_money(
    backend: ServerlessBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DYNO_PUBLIC", "1")
    get_settings.cache_clear()
    assert "public" in backend.check(setup()).reason


def test_a_model_that_nobody_hosts_is_told_with_others_like_it(
    backend: ServerlessBackend,
) -> None:
    with pytest.raises(ModelNotFound, match=r"No provider hosts meta-llama/Llama-9.*3\.2-3B"):
        opened(backend, hosted_model="meta-llama/Llama-9")


@pytest.mark.parametrize(
    ("provider", "key", "expected"),
    [("", "sk-foreign", MissingCredential), ("nonesuch", TOKEN, InvalidSetup)],
)
def test_what_the_library_refuses_is_told_in_plain_words(
    provider: str, key: str, expected: type[DynoError], backend: ServerlessBackend
) -> None:
    options = {"provider": provider} if provider else {}
    backend.keep_key(setup(**options), key)
    with opened(backend, **options) as engine, pytest.raises(expected) as caught:
        ask(engine)
    assert key not in str(caught.value)


def test_offline_mode_is_named(backend: ServerlessBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(backend) as engine:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        with pytest.raises(Unreachable, match="HF_HUB_OFFLINE"):
            ask(engine)


def test_refusals_are_those_of_any_server(router: FaultServer, backend: ServerlessBackend) -> None:
    router.plays(Act(status=429, body={}, headers={"Retry-After": "0"}), Act(pieces=ANSWER))
    with opened(backend) as engine:
        assert "".join(chunk.text for chunk in ask(engine)) == "Paris is it."
        router.plays(Act(status=401, body={"error": "Invalid username or password."}))
        with pytest.raises(MissingCredential, match="Invalid username"):
            ask(engine)


# The list of models


def listed(server: FaultServer, folder: Path, days: float = 0.0) -> HostedModels:
    line = Line(server.address, patience=QUICK)
    try:
        return hosted_models(line, folder, dt.datetime.now(dt.UTC) + dt.timedelta(days=days))
    finally:
        line.close()


def test_the_list_is_read_once_a_day_and_dated(router: FaultServer, tmp_path: Path) -> None:
    first = listed(router, tmp_path)
    router.listed = ()
    assert listed(router, tmp_path, days=0.9) == first
    later = listed(router, tmp_path, days=1.1)
    assert later.models == ()
    assert (later.read_at - first.read_at).days == 1


def test_the_last_list_serves_while_there_is_no_new_one(
    router: FaultServer, tmp_path: Path
) -> None:
    first = listed(router, tmp_path)
    router.lists_models = False
    assert listed(router, tmp_path, days=3) == first, "with its own date"
    (tmp_path / CACHE_FILE).write_text("{")
    with pytest.raises(DynoError):
        listed(router, tmp_path)
