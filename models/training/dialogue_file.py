"""The held-out dialogues that benchmarks ask, in a file beside the weights."""

import json
from pathlib import Path

from models.training.questions import generated_questions

# Dialogues of thousands of tokens take too long.
_LEFT_OUT = "long notes"
_EACH = 4
# Not the questions of the evaluation.
_SEED = 2026


def write_dialogues(bundled: Path) -> None:
    """Write `dialogues.json`: a few of each kind, the kinds in turn."""
    questions = [q for q in generated_questions(_EACH, seed=_SEED) if q.kind != _LEFT_OUT]
    # From "a few of one kind, then of the next" to one of each kind, and again.
    turned = [question for first in range(_EACH) for question in questions[first::_EACH]]
    lines = [json.dumps({"kind": q.kind, "messages": list(q.messages)}) for q in turned]
    text = "[\n" + ",\n".join(lines) + "\n]\n"
    (bundled / "dialogues.json").write_text(text, encoding="utf-8")
