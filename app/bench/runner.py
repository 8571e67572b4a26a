"""Makes one run: the device, the engine, the stream, the record. Every end becomes a record."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import time
from dataclasses import dataclass, field, replace

from app.bench.chunk_tokens import are_told, chunk_tokens
from app.bench.environment import commit, hardware_name, library_versions
from app.bench.lane import Lane
from app.bench.prices import PriceBook, hosted_price
from app.bench.record import (
    UNKNOWN_DEVICE,
    ChunkStamp,
    Environment,
    ErrorNote,
    ExperimentPlace,
    MemoryLedger,
    Price,
    Purpose,
    RunRecord,
    RunStatus,
    Speculation,
    Timeline,
    TokenPrice,
    TokenUsage,
)
from app.bench.scheduler import Scheduler
from backends.engine import REMOTE_DEVICE, CancelToken, Engine
from backends.errors import Cancelled, DynoError, GenerationFailed
from backends.pool import EnginePool
from backends.registry import get_backend
from backends.remote.paid import Paid
from backends.remote.served import PROVIDER
from backends.request import Chunk, FinishReason, GenerationReport, Request
from backends.setup import Setup

_WARM_UP_TOKENS = 8
_log = logging.getLogger("llm_dyno")


@dataclass(frozen=True, slots=True)
class Bench:
    """What a run needs: where engines live, who may use a device, what the device costs."""

    pool: EnginePool
    scheduler: Scheduler
    prices: PriceBook


@dataclass(frozen=True, slots=True)
class RunOrder:
    """One run to make. `leases_device` is False where the job holds the device for all (race)."""

    setup: Setup
    request: Request
    label: str = ""
    visitor: str = "local"
    conversation_id: str | None = None
    turn: int | None = None
    column: int | None = None
    column_key: str | None = None
    purpose: Purpose = "chat"
    contended: bool = False
    leases_device: bool = True
    experiment: ExperimentPlace | None = None


@dataclass(slots=True)
class _Trace:
    """What is known of the run so far; the record is made from it, however it ends."""

    queued_ns: int
    started_ns: int | None = None
    sent_ns: int | None = None
    released_ns: int | None = None
    chunks: list[Chunk] = field(default_factory=list)
    report: GenerationReport | None = None
    finish_reason: FinishReason | None = None
    error: DynoError | None = None
    engine: Engine | None = None
    warm: bool = False
    load_seconds: float | None = None
    compile_seconds: float | None = None
    warm_up_seconds: float | None = None


def run(bench: Bench, order: RunOrder, lane: Lane, cancel: CancelToken) -> RunRecord:
    """Make the run and return its record; never raises a `DynoError` (it is in the record)."""
    trace = _Trace(queued_ns=time.monotonic_ns())
    created_at = dt.datetime.now(dt.UTC)
    try:
        device = get_backend(order.setup.backend).device_of(order.setup)
        lane.state = "queued"
        with contextlib.ExitStack() as held:
            if order.leases_device:
                held.enter_context(
                    bench.scheduler.lease(device, order.label, cancel, lane.set_place)
                )
            trace.started_ns = time.monotonic_ns()
            lane.state = "loading"
            leased = held.enter_context(bench.pool.lease(order.setup, lane.set_progress, cancel))
            trace.engine = leased.engine
            lane.is_remote = leased.engine.describe().device == REMOTE_DEVICE
            if leased.is_new:
                facts = leased.engine.describe()
                trace.load_seconds = facts.load_seconds
                trace.compile_seconds = facts.compile_seconds
            if not leased.is_warm:
                lane.state = "warming up"
                trace.warm_up_seconds = _warm_up(leased.engine, order.request, lane, cancel)
                leased.is_warm = True
            trace.warm = True
            lane.start_running()
            trace.sent_ns = time.monotonic_ns()
            for chunk in leased.engine.generate(order.request, cancel):
                if chunk.finish_reason is not None:
                    trace.finish_reason, trace.report = chunk.finish_reason, chunk.report
                trace.sent_ns = chunk.accepted_ns or trace.sent_ns
                if chunk.token_ids or chunk.text:
                    trace.chunks.append(chunk)
                    lane.take(chunk)
    except Cancelled:
        trace.finish_reason = "cancelled"
    except DynoError as error:
        trace.error = error
        trace.finish_reason = "error"
    except Exception as error:
        _log.exception("a run failed")
        trace.error = GenerationFailed(
            f"The run failed: {type(error).__name__}: {error}",
            "Try again; the log has the details.",
        )
        trace.finish_reason = "error"
    trace.released_ns = time.monotonic_ns()
    lane.error = trace.error
    return _record(bench, order, trace, cancel, created_at)


def not_begun(bench: Bench, order: RunOrder, error: DynoError, cancel: CancelToken) -> RunRecord:
    """The record of a run whose job could not get the devices that it needs."""
    trace = _Trace(queued_ns=time.monotonic_ns(), finish_reason="cancelled")
    if not isinstance(error, Cancelled):
        trace.error, trace.finish_reason = error, "error"
    trace.released_ns = time.monotonic_ns()
    return _record(bench, order, trace, cancel, dt.datetime.now(dt.UTC))


def _warm_up(engine: Engine, request: Request, lane: Lane, cancel: CancelToken) -> float:
    """A few tokens of the same request, so that one-time costs are not in the run. Seconds."""
    started = time.perf_counter()
    sampling = request.sampling.model_copy(
        update={"max_new_tokens": _WARM_UP_TOKENS, "fixed_length": False}
    )
    warm_up = request.model_copy(update={"sampling": sampling, "is_warm_up": True})
    for chunk in engine.generate(warm_up, cancel):
        lane.wait = chunk.wait
    if cancel.is_cancelled:
        raise Cancelled("It was stopped while it warmed up.")
    return round(time.perf_counter() - started, 4)


def _record(
    bench: Bench, order: RunOrder, trace: _Trace, cancel: CancelToken, created_at: dt.datetime
) -> RunRecord:
    stop_ns = cancel.requested_ns if trace.finish_reason == "cancelled" else None
    environment = _environment(trace.engine)
    return RunRecord(
        created_at=created_at,
        visitor=order.visitor,
        conversation_id=order.conversation_id,
        turn=order.turn,
        column=order.column,
        column_key=order.column_key,
        purpose=order.purpose,
        setup=order.setup,
        setup_label=order.label,
        request=order.request,
        status=_status(trace),
        finish_reason=trace.finish_reason,
        error=_note(trace.error),
        answer="".join(chunk.text for chunk in trace.chunks if chunk.kind == "answer"),
        chunks=_stamps(trace),
        timeline=Timeline(
            queued_ns=trace.queued_ns,
            started_ns=trace.started_ns,
            accepted_ns=trace.report.accepted_ns if trace.report else trace.sent_ns,
            ended_ns=trace.report.ended_ns if trace.report else trace.released_ns,
            stop_requested_ns=stop_ns,
            released_ns=trace.released_ns,
        ),
        usage=_usage(trace, stop_ns),
        memory=_memory(trace),
        speculation=_speculation(trace),
        price=_price(bench, order, environment, trace),
        served=dict(trace.report.served) if trace.report else {},
        contended=order.contended,
        experiment=order.experiment,
        warm=trace.warm,
        load_seconds=trace.load_seconds,
        compile_seconds=trace.compile_seconds,
        warm_up_seconds=trace.warm_up_seconds,
        environment=environment,
    )


def _price(
    bench: Bench, order: RunOrder, environment: Environment, trace: _Trace
) -> Price | TokenPrice | None:
    """What the device costs; for a server what the user set, else what it or the table quotes."""
    if environment.device != REMOTE_DEVICE:
        return bench.prices.price_for(environment.device)
    backend = get_backend(order.setup.backend)
    if isinstance(backend, Paid):
        name = backend.charged_as(order.setup)
        if (price := bench.prices.price_set_for(name)) is not None:
            return price
    provider = trace.report.served.get(PROVIDER, "") if trace.report else ""
    quotes = trace.engine.describe().quotes if trace.engine else ()
    quote = next((quote for quote in quotes if quote.provider == provider), None)
    if quote is not None:
        return TokenPrice(
            input_per_million=quote.input_per_million,
            output_per_million=quote.output_per_million,
            cached_per_million=quote.cached_per_million,
            source=f"{provider}, {quote.source}",
            date=quote.date,
        )
    return hosted_price(provider, environment.model_path)


def _status(trace: _Trace) -> RunStatus:
    if trace.finish_reason == "cancelled":
        return "stopped"
    return "finished" if trace.error is None and trace.report is not None else "failed"


def _note(error: DynoError | None) -> ErrorNote | None:
    if error is None:
        return None
    return ErrorNote(type=type(error).__name__, message=error.message, remedy=error.remedy)


def _stamps(trace: _Trace) -> tuple[ChunkStamp, ...]:
    told = trace.report.usage.output_tokens if trace.report else None
    counts, are_known = chunk_tokens(trace.chunks, told), are_told(trace.chunks)
    pairs = zip(trace.chunks, counts, strict=True)
    return tuple(_stamp(chunk, tokens, are_known) for chunk, tokens in pairs)


def _stamp(chunk: Chunk, tokens: int, are_told: bool) -> ChunkStamp:
    return ChunkStamp(
        t_ns=chunk.t_ns,
        tokens=tokens,
        tokens_told=are_told,
        text=chunk.text,
        token_ids=chunk.token_ids,
        drafted=chunk.drafted,
        accepted=chunk.accepted,
        accepted_chars=chunk.accepted_chars,
        kind=chunk.kind,
    )


def _usage(trace: _Trace, stop_ns: int | None) -> TokenUsage | None:
    """Tokens counted where they exist; those made after the stop was asked for are told apart."""
    if trace.report is None:
        return None
    after = 0
    if stop_ns is not None:
        after = sum(len(c.token_ids or ()) for c in trace.chunks if c.t_ns > stop_ns)
    usage = trace.report.usage
    return TokenUsage(
        prompt_tokens=usage.prompt_tokens,
        prompt_tokens_computed=usage.prompt_tokens_computed,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        tokens_after_stop=after,
        kind="estimated" if usage.is_estimated else "measured",
    )


def _memory(trace: _Trace) -> MemoryLedger:
    if trace.report is None:
        return MemoryLedger(reason="the run did not end by itself")
    reading = trace.report.memory
    return MemoryLedger(
        weights_bytes=reading.weights_bytes,
        kv_cache_bytes=reading.kv_cache_bytes,
        draft_weights_bytes=reading.draft_weights_bytes,
        draft_kv_cache_bytes=reading.draft_kv_cache_bytes,
        compile_bytes=reading.compile_bytes,
        activations_bytes=reading.activations_bytes,
        peak_bytes=reading.peak_bytes,
        load_peak_bytes=reading.load_peak_bytes,
        method=reading.method,
        reason=reading.reason,
    )


def _speculation(trace: _Trace) -> Speculation | None:
    told = trace.report.speculation if trace.report else None
    if told is None:
        return None
    return Speculation(
        drafted=told.drafted, accepted=told.accepted, cycles=told.cycles, draft_ns=told.draft_ns
    )


def _environment(engine: Engine | None) -> Environment:
    base = Environment(
        hardware=hardware_name(),
        device=UNKNOWN_DEVICE,
        versions=library_versions(),
        commit=commit(),
    )
    if engine is None:
        return base
    facts = engine.describe()
    is_remote = facts.device == REMOTE_DEVICE
    return base.model_copy(
        update={
            "hardware": f"server at {facts.device_name}" if is_remote else base.hardware,
            "device": facts.device,
            "threads": facts.threads if facts.device == "cpu" else None,
            # What is installed here has no part in what runs elsewhere.
            "versions": dict(facts.versions) if is_remote else base.versions | dict(facts.versions),
            "attention_kernel": facts.attention_kernel,
            "linear_kernels": dict(facts.linear_kernels),
            "draft_path": facts.draft_path or "",
            "dtypes": dict(facts.dtypes),
            "model_path": facts.model_path,
            "model_revision": facts.revision,
            "chat_template": facts.chat_template,
            "context_window": facts.context_window,
            "weights_parameters": facts.parameters,
        }
    )


def contended(order: RunOrder) -> RunOrder:
    """The same run inside a race: it shares the device that the job holds."""
    return replace(order, contended=True, leases_device=False)
