"""Runs as CSV and JSON, conversations as Markdown and JSON.

Text in CSV cells cannot become a formula. The visitor's id stays out of every export: whoever
gets the file need not know it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from app.bench.conversation import Column, Conversation
from app.bench.figures import all_figures
from app.bench.labels import offered_toggles
from app.bench.metric import Figure
from app.bench.record import ExperimentPlace, RunRecord
from backends.setup import Setup

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_UNDER_AN_ANSWER = (
    "ttft_ns",
    "tpot_ns",
    "decode_tokens_per_second",
    "prompt_tokens",
    "output_tokens",
    "peak_memory_bytes",
    "cost_dollars",
)
_PLACE = {
    **{"experiment_id": "id", "round": "round", "conversation": "conversation", "turn": "turn"},
    **{"setup_index": "setup", "attempt": "attempt", "worker": "worker"},
}
Cell = str | int | float | None


def runs_csv(records: Sequence[RunRecord]) -> str:
    """One line a run, in base units that the column names tell; empty where not measured."""
    out = io.StringIO()
    rows = [_flat(record) for record in records]
    names = list(rows[0]) if rows else []
    writer = csv.DictWriter(out, fieldnames=names, lineterminator="\r\n")
    if rows:
        writer.writeheader()
    for row in rows:
        writer.writerow({name: defused(cell) for name, cell in row.items()})
    return out.getvalue()


def rows_csv(rows: Sequence[Any]) -> str:
    """Values of one dataclass, such as those of a chart: a column a field, empty where None."""
    if not rows:
        return ""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    names = [field.name for field in fields(rows[0])]
    writer.writerow(names)
    writer.writerows([defused(_in_cell(getattr(row, name))) for name in names] for row in rows)
    return out.getvalue()


def _in_cell(value: str | int | float | Decimal | None) -> Cell:
    return format(value, "f") if isinstance(value, Decimal) else value


def runs_json(records: Sequence[RunRecord]) -> str:
    """Full records with their raw samples."""
    return _json({"format": "llm-dyno-runs", "version": 1, "runs": [_bare(r) for r in records]})


def conversation_json(conversation: Conversation) -> str:
    """The conversation with the full record of every answer."""
    bare = _bare(conversation)
    turns = [
        {
            "index": turn.index,
            "prompt": turn.prompt,
            "created_at": turn.created_at.isoformat(),
            "runs": {key: _bare(run) for key, run in turn.runs.items()},
        }
        for turn in conversation.turns
    ]
    return _json(
        {
            "format": "llm-dyno-conversation",
            "version": 1,
            "conversation": {**bare, "turns": turns},
        }
    )


def conversation_markdown(
    conversation: Conversation,
    figure_text: Callable[[Figure], str],
    labels: Mapping[str, str] | None = None,
) -> str:
    """A section a turn, in it a section a column: the answer, and its figures under it.

    Prompts and answers stand in fenced blocks: exactly as they were, and never as markup.
    `labels` names columns by key; without it their own labels are used.
    """
    names = {column.key: _label(column, labels or {}) for column in conversation.comparison.columns}
    parts = [f"# {_one_line(conversation.title) or 'Conversation'}"]
    hardware = {
        run.environment.hardware: None for turn in conversation.turns for run in turn.runs.values()
    }
    facts = [f"Started {conversation.created_at:%Y-%m-%d %H:%M} UTC", *map(_one_line, hardware)]
    parts.append(" · ".join(facts))
    parts.append(
        "\n".join(
            f"- **{names[column.key]}**: `{_setup_line(column)}`"
            for column in conversation.comparison.columns
        )
    )
    for turn in conversation.turns:
        parts += [f"## Turn {turn.index + 1}", _fenced(turn.prompt)]
        for key, run in turn.runs.items():
            parts.append(f"### {names.get(key, _one_line(run.setup_label) or run.setup.id)}")
            parts += _answer_parts(run, figure_text)
    return "\n\n".join(parts) + "\n"


def defused(cell: Cell) -> Cell:
    """Text that a spreadsheet would run as a formula gets an apostrophe in front."""
    if isinstance(cell, str) and (
        cell.startswith(_FORMULA_STARTS) or cell.lstrip().startswith(_FORMULA_STARTS)
    ):
        return "'" + cell
    return cell


_TOGGLES = (
    *("weights", "kv_cache", "reuse_prefix", "speculation", "draft_model", "draft_tokens"),
    *("compile", "attention", "prefill_chunk", "history"),
)


def _toggles(setup: Setup) -> dict[str, Cell]:
    """The toggles' values; empty where the backend does not offer one, since it was not set."""
    offered = offered_toggles(setup.backend)
    return {name: _cell(getattr(setup, name)) if name in offered else "" for name in _TOGGLES}


def _cell(value: str | bool | int | None) -> Cell:
    return str(value).lower() if isinstance(value, bool) else value


def _flat(record: RunRecord) -> dict[str, Cell]:
    setup, memory = record.setup, record.memory
    measured: dict[str, Cell] = {
        name: str(figure.value)
        if figure.unit == "dollars" and figure.value is not None
        else _number(figure)
        for name, figure in all_figures(record).items()
    }
    return {
        "id": record.id,
        "created_at_utc": record.created_at.isoformat(),
        "setup_label": record.setup_label,
        "setup_id": setup.id,
        "model": setup.model,
        "backend": setup.backend,
        **_toggles(setup),
        "device": record.environment.device,
        "threads": record.environment.threads,
        "options_json": json.dumps(setup.options, sort_keys=True) if setup.options else "",
        "purpose": record.purpose,
        "status": record.status,
        "finish_reason": record.finish_reason,
        "error": record.error.message if record.error else "",
        "contended": str(record.contended).lower(),
        "warm": str(record.warm).lower(),
        "disturbed": record.disturbed,
        **_place(record.experiment),
        **measured,
        "tokens_counted": record.usage.kind if record.usage else "",
        "weights_bytes": memory.weights_bytes,
        "kv_cache_bytes": memory.kv_cache_bytes,
        "draft_weights_bytes": memory.draft_weights_bytes,
        "draft_kv_cache_bytes": memory.draft_kv_cache_bytes,
        "compile_bytes": memory.compile_bytes,
        "load_peak_bytes": memory.load_peak_bytes,
        "price": record.price.text if record.price else None,
        "price_source": record.price.source if record.price else "",
        "provider": record.served.get("provider", ""),
        "hardware": record.environment.hardware,
        "commit": record.environment.commit or "",
        "prompt": record.request.messages[-1].content if record.request.messages else "",
        "answer": record.answer,
    }


def _place(place: ExperimentPlace | None) -> dict[str, Cell]:
    """Where the run stands in its experiment; empty for any other."""
    return {name: getattr(place, field, None) for name, field in _PLACE.items()}


def _number(figure: Figure) -> Cell:
    return figure.value if isinstance(figure.value, int | float) else None


def _answer_parts(run: RunRecord, figure_text: Callable[[Figure], str]) -> list[str]:
    parts = []
    if run.answer or run.status == "finished":
        parts.append(_fenced(run.answer))
    if run.error is not None:
        parts.append(_fenced(f"{run.error.message} {run.error.remedy}".strip()))
    figures = all_figures(run)
    shown = [f"{figures[name].title}: {figure_text(figures[name])}" for name in _UNDER_AN_ANSWER]
    marks = [
        mark
        for mark, holds in (
            ("failed", run.status == "failed"),
            ("stopped before its end", run.status == "stopped"),
            ("shared the device", run.contended),
            ("first answer of its engine", not run.warm),
        )
        if holds
    ]
    parts.append(" · ".join(shown + marks))
    return parts


def _label(column: Column, labels: Mapping[str, str]) -> str:
    return _one_line(labels.get(column.key, column.label)) or column.setup.id


def _setup_line(column: Column) -> str:
    chosen = column.setup.model_dump(mode="json", exclude_defaults=True)
    always = {"model": column.setup.model, "weights": column.setup.weights}
    if "weights" not in offered_toggles(column.setup.backend):
        del always["weights"]
    shown = always | chosen
    return json.dumps(shown, ensure_ascii=False).replace("`", "'")


def _fenced(text: str) -> str:
    """A code block whose fence is longer than any in the text."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"


def _one_line(text: str) -> str:
    words = " ".join(text.split())
    for character in "\\`*_[]<>#|!":
        words = words.replace(character, "\\" + character)
    return words


def _bare(value: BaseModel) -> dict[str, object]:
    bare: dict[str, object] = value.model_dump(mode="json", exclude={"visitor", "turns"})
    return bare


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
