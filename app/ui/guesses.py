"""Who wrote an answer: what a draft guessed and the target kept, and what the target wrote."""

from __future__ import annotations

from html import escape

from app.bench.conversation import Turn
from app.bench.cycles import cycle_of, plain_twin
from app.bench.record import RunRecord


def guesses_html(run: RunRecord) -> str:
    """The answer as escaped HTML, kept guesses tinted, with a line that says what is what."""
    parts = []
    for chunk in run.chunks:
        guessed, own = chunk.text[: chunk.accepted_chars], chunk.text[chunk.accepted_chars :]
        if guessed:
            parts.append(f'<span class="dyno-guessed">{escape(guessed)}</span>')
        parts.append(escape(own))
    guesser = "copied from the text" if run.setup.speculation == "lookup" else "by the draft"
    return (
        f'<div class="dyno-guesses">{"".join(parts)}</div>'
        f'<div class="dyno-agreement"><span class="dyno-guessed">guessed {guesser} and kept</span> '
        "· the rest written by the model itself</div>"
    )


def cycle_line(run: RunRecord, turn: Turn) -> str:
    """What a cycle cost and gave, where the same setup without speculation answered too."""
    if run.speculation is None:
        return ""
    plain = plain_twin(run, turn.runs.values())
    cycle = cycle_of(run, plain) if plain is not None else None
    if cycle is None:
        return ""
    return (
        f"After the first, each round of guessing and checking gave {cycle.tokens:.1f} tokens in "
        f"the time of {cycle.plain_steps:.1f} plain steps: {cycle.measured:.2f}× as fast. "
        f"Predicted, if checking all guesses took one plain step: {cycle.predicted:.2f}×."
    )
