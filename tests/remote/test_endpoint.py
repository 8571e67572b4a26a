"""What comes from a server is stamped, counted and told as it is, however badly it behaves."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from backends.engine import CancelToken
from backends.errors import (
    ContextFull,
    DynoError,
    InvalidRequest,
    MissingCredential,
    ModelNotFound,
    RateLimited,
    RemoteError,
    StreamBroken,
    Timeout,
    Unreachable,
)
from backends.remote.endpoint import EndpointBackend
from backends.remote.engine import RemoteEngine
from backends.request import Chunk, Message, Request, Sampling, Usage
from backends.settings import get_settings
from tests.remote.conftest import QUICK, setup_of
from tests.remote.fault_server import (
    ANSWER,
    DONE,
    END,
    ROLE,
    Act,
    FaultServer,
    event,
    forgetful_server,
    usage,
)

KEY = "sk-planted-0123456789"


def asking(**sampling: object) -> Request:
    message = Message(role="user", content="What is the capital of France?")
    return Request(messages=(message,), sampling=Sampling.model_validate(sampling))


def ask(engine: RemoteEngine, **sampling: object) -> list[Chunk]:
    return list(engine.generate(asking(**sampling), CancelToken()))


def usage_of(chunks: list[Chunk]) -> Usage:
    assert chunks[-1].report is not None
    return chunks[-1].report.usage


# The stream


def test_text_comes_in_order_and_the_server_counts_the_tokens(engine: RemoteEngine) -> None:
    *pieces, last = ask(engine)
    assert [chunk.text for chunk in pieces] == ["Paris", " is", " it."]
    assert all(chunk.token_ids is None for chunk in pieces)
    assert last.finish_reason == "stop"
    assert usage_of([last]) == Usage(7, 7, 4)


def test_the_time_before_the_first_text_is_that_of_the_server(
    server: FaultServer, engine: RemoteEngine
) -> None:
    ask(engine)  # the connection is open
    server.plays(Act(pieces=(ROLE, *ANSWER), first_pause_s=0.2, pause_s=0.02))
    chunks = ask(engine)
    report = chunks[-1].report
    assert report is not None
    ttft_ns = chunks[0].t_ns - report.accepted_ns
    assert ttft_ns > 0.2e9, "an event that holds the role alone is no first token"
    assert report.ended_ns >= chunks[-2].t_ns > chunks[0].t_ns


def test_cached_prompt_tokens_are_not_computed_ones(
    server: FaultServer, engine: RemoteEngine
) -> None:
    server.plays(Act(pieces=(event("A"), END, usage(100, 2, cached=64), DONE)))
    assert usage_of(ask(engine)) == Usage(100, 36, 2)


def test_without_usage_nothing_is_counted(server: FaultServer, engine: RemoteEngine) -> None:
    server.plays(Act(pieces=(event("A"), END, DONE)))
    assert usage_of(ask(engine)) == Usage(None, None, None)


def test_a_named_tokenizer_counts_where_the_server_does_not(
    server: FaultServer, backend: EndpointBackend, tmp_path: Path
) -> None:
    server.plays(Act(pieces=(event("12345"), END, DONE)), Act())
    setup = setup_of(server.address, tokenizer="bundled")
    with backend.open(setup, lambda _: None, CancelToken()) as engine:
        assert usage_of(ask(engine)) == Usage(None, None, 5, is_estimated=True)
        assert usage_of(ask(engine)) == Usage(7, 7, 4), "the server knows better"
    lost = setup_of(server.address, tokenizer=str(tmp_path))
    with pytest.raises(ModelNotFound, match="tokenizer"):
        backend.open(lost, lambda _: None, CancelToken())


def counted(content: str, tokens: int) -> bytes:
    """A piece with the tokens of the answer so far, as vLLM and SGLang tell them when asked."""
    return event(content, usage={"prompt_tokens": 7, "completion_tokens": tokens})


def test_a_server_that_counts_its_chunks_is_asked_to_and_believed(
    server: FaultServer, backend: EndpointBackend
) -> None:
    pieces = (ROLE, counted("Pa", 2), counted("ris", 3), counted(" is it", 6), END, usage(7, 7))
    server.plays(Act(pieces=(*pieces, DONE)))
    setup = setup_of(server.address, server="vllm")
    with backend.open(setup, lambda _: None, CancelToken()) as engine:
        *texts, last = ask(engine)
    assert server.bodies[-1]["stream_options"]["continuous_usage_stats"] is True
    assert [chunk.tokens for chunk in texts] == [2, 1, 3]
    assert usage_of([last]) == Usage(7, 7, 7)


def test_tokens_of_text_that_was_held_as_a_possible_stop_are_not_lost(
    server: FaultServer, backend: EndpointBackend
) -> None:
    pieces = (counted("Pa", 2), counted("ris EN", 5), END, usage(7, 5), DONE)
    server.plays(Act(pieces=pieces))
    setup = setup_of(server.address, server="vllm")
    with backend.open(setup, lambda _: None, CancelToken()) as engine:
        *texts, _last = ask(engine, stop=["END"])
    assert "".join(chunk.text for chunk in texts) == "Paris EN"
    assert sum(chunk.tokens or 0 for chunk in texts) == 5
    assert all(chunk.tokens is not None for chunk in texts)


def test_a_server_that_asks_for_no_pause_is_given_one_all_the_same(
    server: FaultServer, engine: RemoteEngine
) -> None:
    server.plays(Act(status=429, headers={"retry-after": "0"}))
    asked_s = time.monotonic()
    with pytest.raises(RateLimited):
        ask(engine)
    pauses_s = QUICK.first_pause_s * (0.5 + 1.0)  # half of each is sure
    assert time.monotonic() - asked_s > pauses_s


def test_of_a_stopped_answer_a_server_that_counts_its_chunks_has_told_the_tokens(
    server: FaultServer, backend: EndpointBackend
) -> None:
    server.plays(Act(pieces=(counted("Pa", 2),), is_endless=True, pause_s=0.01))
    cancel = CancelToken()
    with backend.open(
        setup_of(server.address, server="vllm"), lambda _: None, CancelToken()
    ) as engine:
        answer = engine.generate(asking(), cancel)
        next(answer)
        cancel.cancel()
        *_, last = answer
    assert usage_of([last]).output_tokens == 2


def test_thoughts_are_told_from_the_answer(server: FaultServer, engine: RemoteEngine) -> None:
    thought = event(delta={"reasoning_content": "Hm."})
    server.plays(Act(pieces=(thought, event("Yes"), END, DONE)))
    assert [(c.kind, c.text) for c in ask(engine)[:-1]] == [("reasoning", "Hm."), ("answer", "Yes")]


def test_half_a_character_waits_for_its_other_half(
    server: FaultServer, engine: RemoteEngine
) -> None:
    fox = event("🦊").replace(b"\\ud83e\\udd8a", "🦊".encode())
    middle = fox.index("🦊".encode()) + 2
    server.plays(Act(pieces=(fox[:middle], fox[middle:], END, DONE), pause_s=0.02))
    assert ask(engine)[0].text == "🦊"


def test_a_server_that_does_not_say_done_is_believed_when_the_answer_has_ended(
    server: FaultServer, engine: RemoteEngine
) -> None:
    server.plays(Act(pieces=(event("A"), event(finish_reason="stop"))))
    assert [chunk.finish_reason for chunk in ask(engine)] == [None, "stop"]


def test_an_answer_at_its_limit_says_so(server: FaultServer, engine: RemoteEngine) -> None:
    server.plays(Act(pieces=(event("A"), event(finish_reason="length"), DONE)))
    assert ask(engine)[-1].finish_reason == "length"


# What is sent


def test_what_is_asked_is_what_the_sampling_says(server: FaultServer, engine: RemoteEngine) -> None:
    ask(engine, temperature=0.5, top_p=0.9, seed=3, max_new_tokens=9, stop=["x"])
    body = server.bodies[-1]
    assert body["model"] == "m"
    assert (body["temperature"], body["top_p"], body["seed"]) == (0.5, 0.9, 3)
    assert (body["max_tokens"], body["stop"]) == (9, ["x"])
    assert body["stream_options"] == {"include_usage": True}


def test_without_history_the_last_prompt_goes_alone(
    server: FaultServer, backend: EndpointBackend
) -> None:
    setup = setup_of(server.address).model_copy(update={"history": "none"})
    turns = (("user", "a"), ("assistant", "b"), ("user", "c"))
    messages = tuple(Message.model_validate({"role": r, "content": c}) for r, c in turns)
    with backend.open(setup, lambda _: None, CancelToken()) as engine:
        list(engine.generate(Request(messages=messages), CancelToken()))
    assert [turn["content"] for turn in server.bodies[-1]["messages"]] == ["c"]


def test_a_fixed_length_is_asked_for_only_where_the_server_knows_how(
    server: FaultServer, backend: EndpointBackend, engine: RemoteEngine
) -> None:
    with pytest.raises(InvalidRequest, match="fixed length"):
        ask(engine, fixed_length=True)
    setup = setup_of(server.address, server="vllm")
    with backend.open(setup, lambda _: None, CancelToken()) as vllm:
        ask(vllm, fixed_length=True, max_new_tokens=5)
    assert server.bodies[-1]["ignore_eos"] is True
    assert server.bodies[-1]["min_tokens"] == server.bodies[-1]["max_tokens"] == 5


def test_transformers_serve_is_told_to_sample_and_how_long(
    server: FaultServer, backend: EndpointBackend
) -> None:
    setup = setup_of(server.address, server="transformers")
    with backend.open(setup, lambda _: None, CancelToken()) as engine:
        ask(engine)
        assert "generation_config" not in server.bodies[-1]
        ask(engine, temperature=0.5, fixed_length=True, max_new_tokens=5)
    config = json.loads(server.bodies[-1]["generation_config"])
    assert config == {"do_sample": True, "min_new_tokens": 5}


def test_a_stop_string_does_not_show_where_a_server_sends_it(
    server: FaultServer, engine: RemoteEngine
) -> None:
    server.plays(Act(pieces=(event("Paris is"), event(" it. Or"), event(" not"), END, DONE)))
    assert [chunk.text for chunk in ask(engine, stop=[" it. O"])] == ["Paris is", ""]


def test_text_that_only_began_like_a_stop_string_has_the_stamp_of_its_event(
    server: FaultServer, engine: RemoteEngine
) -> None:
    server.plays(Act(pieces=(event("Paris"), event(" is"), END, DONE), pause_s=0.05))
    first, held, last = ask(engine, stop=[" is!"])
    assert (first.text, held.text, last.text) == ("Paris", " is", "")
    assert last.t_ns - held.t_ns > 0.05e9, "what came after it took a while"


def test_a_fixed_length_is_not_cut_at_stop_strings(
    server: FaultServer, backend: EndpointBackend
) -> None:
    with (
        backend.open(
            setup_of(server.address, server="vllm"), lambda _: None, CancelToken()
        ) as vllm,
        pytest.raises(InvalidRequest, match="stop string") as refused,
    ):
        ask(vllm, fixed_length=True, stop=["x"])
    assert refused.value.remedy


# When it goes wrong


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param((event("A"), b"data: {not json\n\n"), id="malformed"),
        pytest.param((event("A"), b'data: {"error": {"message": "out of memory"}}\n\n'), id="told"),
        pytest.param((event("A"),), id="ends early"),
        pytest.param((event("A"), DONE), id="done without an end"),
        pytest.param((event("A"), b"data: " + b"x" * 2_000_000 + b"\n\n"), id="a huge line"),
    ],
)
def test_a_stream_that_breaks_keeps_its_text(
    server: FaultServer, engine: RemoteEngine, pieces: tuple[bytes, ...]
) -> None:
    server.plays(Act(pieces=pieces))
    stream = engine.generate(asking(), CancelToken())
    assert next(stream).text == "A"
    with pytest.raises(StreamBroken) as broken:
        list(stream)
    assert broken.value.remedy


def test_a_reset_in_the_middle_is_a_broken_stream(
    server: FaultServer, engine: RemoteEngine
) -> None:
    server.plays(Act(pieces=(event("A"),), breaks=True, pause_s=0.05))
    with pytest.raises(StreamBroken):
        ask(engine)


@pytest.mark.parametrize("act", [Act(first_pause_s=5), Act(pause_s=5)], ids=["first", "middle"])
def test_silence_is_not_waited_for_for_ever(
    server: FaultServer, engine: RemoteEngine, act: Act
) -> None:
    server.plays(act)
    started = time.monotonic()
    with pytest.raises(Timeout, match="did not come in time"):
        ask(engine)
    assert time.monotonic() - started < 3


def test_an_event_without_text_does_not_shorten_the_wait_for_the_first(
    server: FaultServer, backend: EndpointBackend
) -> None:
    patient = EndpointBackend(replace(QUICK, first_event_s=5, silence_s=0.2))
    server.plays(Act(pieces=(ROLE, event("A"), END, DONE), pause_s=0.5))
    with patient.open(setup_of(server.address), lambda _: None, CancelToken()) as engine:
        stream = engine.generate(asking(), CancelToken())
        assert next(stream).text == "A"
        with pytest.raises(Timeout, match="next piece"):
            list(stream)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, MissingCredential),
        (402, RemoteError),
        (403, MissingCredential),
        (404, ModelNotFound),
        (422, InvalidRequest),
        (429, RateLimited),
        (500, RemoteError),
        (503, RemoteError),
    ],
)
def test_every_refusal_is_told_in_plain_words_with_what_to_do(
    server: FaultServer, engine: RemoteEngine, status: int, kind: type[DynoError]
) -> None:
    server.plays(Act(status=status, body={"error": {"message": "No, because."}}))
    with pytest.raises(kind) as refused:
        ask(engine)
    assert str(status) in refused.value.message
    assert "No, because." in refused.value.message
    assert refused.value.remedy


def test_a_prompt_that_is_too_long_is_a_full_context(
    server: FaultServer, engine: RemoteEngine
) -> None:
    server.plays(Act(status=400, body={"message": "maximum context length is 4096 tokens"}))
    with pytest.raises(ContextFull):
        ask(engine)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_is_safe_to_ask_again_is_asked_again(
    server: FaultServer, engine: RemoteEngine, status: int
) -> None:
    refused_s = 0.4
    server.plays(Act(status=status, headers={"retry-after": str(refused_s)}), Act())
    chunks = ask(engine)
    assert chunks[-1].finish_reason == "stop"
    assert len(server.bodies) == 2
    report = chunks[-1].report
    assert report is not None
    waited_s = (chunks[0].t_ns - report.accepted_ns) / 1e9
    assert waited_s < refused_s, "the refused try is no part of the time"


@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_what_may_have_been_done_is_not_asked_again(
    server: FaultServer, engine: RemoteEngine, status: int
) -> None:
    server.plays(Act(status=status), Act())
    with pytest.raises(DynoError):
        ask(engine)
    assert len(server.bodies) == 1


def test_a_wait_of_minutes_is_told_instead_of_taken(
    server: FaultServer, engine: RemoteEngine
) -> None:
    server.plays(Act(status=429, headers={"retry-after": "300"}), Act())
    with pytest.raises(RateLimited, match="300 s"):
        ask(engine)


STARTING = Act(status=503, body={"error": "Model m is loading", "estimated_time": 1.0})


def test_a_cold_start_is_waited_for_as_long_as_it_takes_and_told(
    server: FaultServer, engine: RemoteEngine
) -> None:
    server.plays(STARTING, STARTING, STARTING, Act())
    asked_ns = time.monotonic_ns()
    *waits, first, _, _, last = ask(engine)
    assert len(waits) == 3, "which is more than the tries that a plain refusal gets"
    assert all(chunk.wait is not None and "starts the model" in chunk.wait.why for chunk in waits)
    assert all(chunk.wait and chunk.wait.until_ns - chunk.t_ns > 0.9e9 for chunk in waits)
    assert first.t_ns - asked_ns > 3e9
    assert last.report is not None
    assert first.t_ns - last.report.accepted_ns < 1e9, "the wait is no part of the time"


def test_a_cold_start_without_end_is_given_up(server: FaultServer, engine: RemoteEngine) -> None:
    server.plays(STARTING)
    with pytest.raises(RemoteError, match="is loading"):
        ask(engine)
    assert 3 <= len(server.bodies) <= 5


def test_a_stop_ends_the_wait_for_a_cold_start(server: FaultServer, engine: RemoteEngine) -> None:
    server.plays(Act(status=503, body={"estimated_time": 3.0}))
    cancel = CancelToken()
    chunks = []
    with contextlib.closing(engine.generate(asking(), cancel)) as answer:
        for chunk in answer:
            chunks.append(chunk)
            cancel.cancel()
    assert [chunk.finish_reason for chunk in chunks] == [None, "cancelled"]
    assert chunks[0].wait is not None


def test_where_no_server_is_the_address_is_named(backend: EndpointBackend) -> None:
    with pytest.raises(Unreachable, match="no server at"):
        backend.open(setup_of("http://127.0.0.1:9/v1"), lambda _: None, CancelToken())


def test_a_kept_connection_that_the_server_has_closed_is_opened_again(
    backend: EndpointBackend,
) -> None:
    with (
        forgetful_server() as (address, requests),
        backend.open(setup_of(address), lambda _: None, CancelToken()) as engine,
    ):
        assert [chunk.text for chunk in ask(engine)[:-1]] == ["Paris", " is", " it."]
    assert requests == ["GET", "POST", "POST"]


def test_the_connection_is_kept_for_the_next_request(
    server: FaultServer, engine: RemoteEngine
) -> None:
    for _ in range(3):
        ask(engine)
    assert len(set(server.connections)) == 1


def test_a_stream_that_goes_on_after_its_end_is_left(
    server: FaultServer, engine: RemoteEngine
) -> None:
    server.plays(Act(pieces=(event("A"), END, DONE, ROLE), is_endless=True, pause_s=0.3))
    started = time.monotonic()
    assert ask(engine)[-1].finish_reason == "stop"
    assert time.monotonic() - started < 1.5, "three pauses, and then a tenth of a second"
    server.plays(Act())
    assert ask(engine)[-1].finish_reason == "stop"


# Stopping


def test_a_stop_closes_the_connection_and_the_server_stops(
    server: FaultServer, engine: RemoteEngine
) -> None:
    server.plays(Act(pieces=(event("A"),), is_endless=True, pause_s=0.01))
    cancel = CancelToken()
    stream = engine.generate(asking(), cancel)
    assert next(stream).text == "A"
    cancel.cancel()
    last = list(stream)[-1]
    assert last.finish_reason == "cancelled"
    assert server.was_left.wait(5)
    sent = server.pieces_sent
    time.sleep(0.1)
    assert server.pieces_sent == sent
    server.plays(Act())
    assert ask(engine)[-1].finish_reason == "stop"


def test_a_stop_before_the_first_token_ends_the_wait(
    server: FaultServer, backend: EndpointBackend
) -> None:
    patient = EndpointBackend(replace(QUICK, first_event_s=30))
    server.plays(Act(first_pause_s=20))
    cancel = CancelToken()
    with patient.open(setup_of(server.address), lambda _: None, CancelToken()) as engine:
        threading.Timer(0.2, cancel.cancel).start()
        started = time.monotonic()
        assert list(engine.generate(asking(), cancel))[-1].finish_reason == "cancelled"
        assert time.monotonic() - started < 3


# Addresses, models, keys


@pytest.mark.parametrize(
    "address",
    ["", "localhost:8000", "ftp://x/v1", "http://", "http://me:word@x/v1", "http://x/v1?key=1"],
)
def test_what_is_no_address_is_refused_before_anything_is_sent(
    backend: EndpointBackend, address: str
) -> None:
    verdict = backend.check(setup_of(address))
    assert not verdict.ok
    assert verdict.remedy


def test_visitors_of_a_public_app_name_no_servers(
    backend: EndpointBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DYNO_PUBLIC", "1")
    get_settings.cache_clear()
    assert not backend.check(setup_of("http://10.0.0.1/v1")).ok


def test_a_model_that_the_server_does_not_list_is_refused_with_those_it_has(
    server: FaultServer, backend: EndpointBackend
) -> None:
    with pytest.raises(ModelNotFound) as refused:
        backend.open(setup_of(server.address, served_model="mm"), lambda _: None, CancelToken())
    assert "other" in refused.value.remedy


def test_a_server_that_cannot_list_its_models_is_taken_at_the_users_word(
    server: FaultServer, backend: EndpointBackend
) -> None:
    server.lists_models = False
    with backend.open(
        setup_of(server.address, served_model="mine"), lambda _: None, CancelToken()
    ) as engine:
        ask(engine)
    assert server.bodies[-1]["model"] == "mine"
    with pytest.raises(ModelNotFound, match=r"cannot list.*500"):
        backend.open(setup_of(server.address), lambda _: None, CancelToken())


def test_the_commands_that_give_an_optimisation_there_can_be_read(
    backend: EndpointBackend,
) -> None:
    kinds = backend.capabilities().toggle("server")
    assert kinds is not None
    texts = {choice.value: choice.reading.text() for choice in kinds.choices if choice.reading}
    assert "vllm serve MODEL --kv-cache-dtype fp8" in texts["vllm"]
    assert '\'{"method": "ngram"' in texts["vllm"]
    assert "standard" not in texts


def test_two_setups_on_one_server_take_turns(backend: EndpointBackend) -> None:
    one, other = setup_of("http://a:1/v1"), setup_of("http://a:1/v1", served_model="x")
    assert backend.device_of(one) == backend.device_of(other) != "cpu"
    assert backend.device_of(setup_of("http://b:1/v1")) != backend.device_of(one)


def test_a_key_goes_to_its_server_alone_and_into_no_message(
    server: FaultServer, backend: EndpointBackend
) -> None:
    setup = setup_of(server.address)
    backend.keep_key(setup, KEY)
    assert backend.has_key(setup)
    assert not backend.has_key(setup_of("http://elsewhere/v1"))
    server.plays(Act(status=401, body={"error": "who are you"}))
    with backend.open(setup, lambda _: None, CancelToken()) as engine:
        with pytest.raises(MissingCredential) as refused:
            ask(engine)
        assert server.headers[-1]["authorization"] == f"Bearer {KEY}"
        told = f"{refused.value!r} {refused.value.detail} {engine.describe()} {setup!r} {backend!r}"
        assert KEY not in told
    backend.keep_key(setup, "")
    assert not backend.has_key(setup)
