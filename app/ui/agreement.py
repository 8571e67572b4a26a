"""Whether a setup says what the first one says, and where it begins to say something else."""

from __future__ import annotations

from html import escape

from app.bench.compare import equal_beginning, have_ids
from app.bench.conversation import Turn
from app.bench.format import grouped
from app.bench.record import RunRecord

_CHARS_BEFORE, _CHARS_AFTER = 28, 20


def agreement_html(run: RunRecord, turn: Turn, reference_key: str, reference_label: str) -> str:
    """One line of escaped HTML; nothing where it cannot be told."""
    reference = turn.runs.get(reference_key)
    if reference is None or len(turn.runs) < 2:
        return ""
    if not (run.status == reference.status == "finished"):
        return ""
    if run.id == reference.id:
        others = (other for other in turn.runs.values() if other.id != run.id)
        agree = all(equal_beginning(other, run) is None for other in others)
        return "= same answer" if agree else "The other answers are compared with this one"
    shared = equal_beginning(run, reference)
    if shared is None:
        return "= same answer"
    in_tokens = have_ids(run, reference)
    length = sum(chunk.tokens for chunk in reference.chunks) if in_tokens else len(reference.answer)
    total = max(1, length)
    share = f" ({100 * min(shared, total) / total:.0f} %)"
    unit = "tokens" if in_tokens else "characters"
    line = f"≠ differs from {escape(reference_label)} after {grouped(shared)} {unit}{share}"
    place = first_difference(run, shared) if in_tokens else _at_character(run.answer, shared)
    return f"{line}: {place}" if place else line


def _at_character(answer: str, shared: int) -> str:
    """The same for answers whose tokens are not told: the first character that differs."""
    if shared >= len(answer):
        return ""
    start, end = max(0, shared - _CHARS_BEFORE), shared + 1 + _CHARS_AFTER
    before, after = answer[start:shared], answer[shared + 1 : end]
    return (
        f"{'…' if start else ''}{escape(before)}<mark>{escape(answer[shared])}</mark>"
        f"{escape(after)}{'…' if end < len(answer) else ''}"
    )


def first_difference(run: RunRecord, shared_tokens: int) -> str:
    """A few words around the first token that differs, which is marked; empty where the answer
    ended before the reference did."""
    before, tokens = "", 0
    for index, chunk in enumerate(run.chunks):
        if tokens + chunk.tokens > shared_tokens:
            after = "".join(later.text for later in run.chunks[index + 1 :])
            ellipsis = "…" if len(before) > _CHARS_BEFORE else ""
            return (
                f"{ellipsis}{escape(before[-_CHARS_BEFORE:])}<mark>{escape(chunk.text)}</mark>"
                f"{escape(after[:_CHARS_AFTER])}{'…' if len(after) > _CHARS_AFTER else ''}"
            )
        before += chunk.text
        tokens += chunk.tokens
    return ""
