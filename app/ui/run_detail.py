"""One run in full: figures with formula and provenance, timeline, environment, setup, raw JSON."""

from __future__ import annotations

import json

import streamlit as st

from app.bench import figures, formulae
from app.bench.experiments.workloads import is_salted
from app.bench.export import runs_json
from app.bench.format import bytes_text, count, duration, figure_text, missing_phrase, moment
from app.bench.metric import Figure
from app.bench.record import MemoryLedger, RunRecord
from app.ui.errors import show_error
from app.ui.facts_table import draw_facts
from app.ui.safe_text import safe_markdown
from backends.catalog import title_of

_NS_PER_SECOND = 1_000_000_000
_AVATARS = {
    "system": ":material/settings:",
    "user": ":material/person:",
    "assistant": ":material/smart_toy:",
}
_SALT = "System prompt: letters that begin each prompt of an experiment, so that no cache knows it"


def render_run_detail(run: RunRecord, *, with_answer: bool = False) -> None:
    """The record in tabs; `with_answer` also shows what was asked and answered."""
    if with_answer:
        _draw_exchange(run)
    names = ["Figures", "Timeline", "Environment", "Setup", "Raw"]
    shown = st.tabs(names, key=f"detail-{run.id}", on_change="rerun")
    with shown[0]:
        draw_facts(figure_rows(run), ("Figure", "Value", "How"), "Figures of this run")
        draw_facts(ledger_rows(run), ("Memory", "Size", "How"), "Memory of this run")
    with shown[1]:
        draw_facts(timeline_rows(run), ("Moment", "After"), "Timeline of this run")
    with shown[2]:
        draw_facts(environment_rows(run), name="Where this run was made")
    with shown[3]:
        draw_facts(setup_rows(run), name="Setup of this run")
    with shown[4]:
        if shown[4].open:  # every raw stamp: only for who asks
            _draw_raw(run)


def figure_rows(run: RunRecord) -> list[tuple[str, ...]]:
    """Title, value and how it was obtained of every figure."""
    return [
        (figure.title, figure_text(figure), _how(figure))
        for figure in figures.all_figures(run).values()
    ]


def ledger_rows(run: RunRecord) -> list[tuple[str, ...]]:
    """The parts of the peak; what was not read says so."""
    memory, rest = run.memory, formulae.rest_bytes(run)
    why = memory.reason or "not told apart on this device"
    parts = [
        ("Weights", memory.weights_bytes, "summed over the loaded tensors"),
        ("KV cache", memory.kv_cache_bytes, "summed over the cache's tensors"),
        *_extra_rows(memory),
        ("Activations", memory.activations_bytes, "allocator's peak − the parts above"),
        ("Runtime and activations", rest, "peak − the parts above"),
    ]
    rows: list[tuple[str, ...]] = []
    for name, size, how in parts:
        if size is None:
            rows.append((name, missing_phrase(why), how))
        else:
            kind = "derived" if name == "Runtime and activations" else "measured"
            rows.append((name, bytes_text(size), f"{kind}: {how}"))
    if memory.load_peak_bytes is not None:
        how = "measured: most resident while the weights were loaded, mapped files included"
        rows.append(("Peak while loading", bytes_text(memory.load_peak_bytes), how))
    return rows


def _extra_rows(memory: MemoryLedger) -> list[tuple[str, int | None, str]]:
    """What only some setups hold."""
    rows = [
        ("Draft weights", memory.draft_weights_bytes, "summed over the draft's tensors"),
        ("Draft KV cache", memory.draft_kv_cache_bytes, "summed over its cache's tensors"),
        ("Compiled code and buffers", memory.compile_bytes, "held after compiling − before"),
    ]
    return [row for row in rows if row[1] is not None]


def timeline_rows(run: RunRecord) -> list[tuple[str, ...]]:
    """Each moment of the run and its distance from being asked for, in order."""
    timeline = run.timeline
    stamps = [chunk.t_ns for chunk in run.chunks if chunk.tokens > 0]
    moments = [
        ("Asked for", timeline.queued_ns),
        ("Device was free for it", timeline.started_ns),
        ("Engine took the request", timeline.accepted_ns),
        ("First token", stamps[0] if stamps else None),
        ("Last token", stamps[-1] if stamps else None),
        ("Stop asked for", timeline.stop_requested_ns),
        ("Engine free again", timeline.ended_ns),
        ("Device free again", timeline.released_ns),
    ]
    reached = sorted(((at, name) for name, at in moments if at is not None), key=lambda m: m[0])
    rows = [(name, duration(at - timeline.queued_ns)) for at, name in reached]
    missing = [name for name, at in moments if at is None and name != "Stop asked for"]
    return [*rows, *((name, "not reached") for name in missing)]


def environment_rows(run: RunRecord) -> list[tuple[str, ...]]:
    where = run.environment
    rows = [
        ("Made", f"{moment(run.created_at)} ({run.created_at:%Y-%m-%d %H:%M:%S} UTC)"),
        ("Hardware", where.hardware),
        ("Device", where.device),
        ("Threads", "" if where.threads is None else count(where.threads)),
        ("Attention kernel", where.attention_kernel),
        (
            "Kernels of the matrices",
            ", ".join(f"{count(n)} × {name}" for name, n in where.linear_kernels.items()),
        ),
        ("Draft model", where.draft_path),
        (
            "Data types of the weights",
            ", ".join(f"{k}: {bytes_text(v)}" for k, v in where.dtypes.items()),
        ),
        ("Parameters", "" if not where.weights_parameters else count(where.weights_parameters)),
        (
            "Context window",
            "" if not where.context_window else f"{count(where.context_window)} tokens",
        ),
        ("Model revision", where.model_revision or ""),
        ("Chat template", where.chat_template),
        ("Loading", _seconds(run.load_seconds)),
        ("Compiling, part of loading", _seconds(run.compile_seconds)),
        ("Warm-up", _seconds(run.warm_up_seconds)),
        ("Engine had answered before", "yes" if run.warm else "no: one-time costs may be in it"),
        ("Shared the device", "yes, in a race" if run.contended else "no"),
        *((name.capitalize(), told) for name, told in run.served.items()),
        ("Price", _price(run)),
        ("Commit of the app", where.commit or "not a checkout"),
        ("Versions", ", ".join(f"{name} {version}" for name, version in where.versions.items())),
    ]
    return [row for row in rows if row[1]]


def setup_rows(run: RunRecord) -> list[tuple[str, ...]]:
    """The setup and the sampling, field by field."""
    setup, sampling = run.setup, run.request.sampling
    rows: list[tuple[str, ...]] = [
        ("Model", f"{title_of(setup.model)} ({setup.model})"),
        ("Setup id", setup.id),
    ]
    skipped = {"schema_version", "model", "options"}
    fields = setup.model_dump(mode="json", exclude=skipped) | setup.options
    fields |= sampling.model_dump(mode="json")
    rows += [(_field_name(name), _field_text(value)) for name, value in fields.items()]
    return rows


def _field_name(name: str) -> str:
    return name.replace("_", " ").capitalize().replace("Kv ", "KV ")


def _field_text(value: object) -> str:
    match value:
        case None:
            return "default"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(repr(item) for item in value) or "none"
        case _:
            return str(value) or "none"


def _how(figure: Figure) -> str:
    return figure.formula if figure.value is None else f"{figure.provenance}: {figure.formula}"


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else duration(seconds * _NS_PER_SECOND)


def _price(run: RunRecord) -> str:
    if run.price is None:
        return "no price set"
    return f"{run.price.text} ({run.price.source}, {run.price.date})"


def _draw_exchange(run: RunRecord) -> None:
    for message in run.request.messages:
        with st.chat_message(
            "assistant" if message.role == "assistant" else "user", avatar=_AVATARS[message.role]
        ):
            if message.role == "system":
                st.caption(_SALT if is_salted(run.request.messages) else "System prompt")
            st.markdown(safe_markdown(message.content), anchors=False)
    with st.chat_message("assistant", avatar=":material/smart_toy:"):
        if run.reasoning:
            with st.expander("Reasoning"):
                st.markdown(safe_markdown(run.reasoning), anchors=False)
        if run.answer:
            st.markdown(safe_markdown(run.answer), anchors=False)
        elif run.error is None:
            st.caption("No text.")
        if run.error is not None:
            show_error(run.error)


def _draw_raw(run: RunRecord) -> None:
    text = runs_json([run])
    st.download_button(
        "Record (JSON)",
        data=text,
        file_name=f"llm-dyno-run-{run.id[:8]}.json",
        mime="application/json",
        icon=":material/download:",
        type="tertiary",
        key=f"raw-{run.id}",
        on_click="ignore",
    )
    st.json(json.loads(text)["runs"][0], expanded=1)
