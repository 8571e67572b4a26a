"""The held-out text that quality is measured on: dialogues, the last answer of which is scored."""

import json
from itertools import islice
from pathlib import Path

from models.training.dialogues import conversations

# Not the seeds of training, of the evaluation and of the dialogues that benchmarks ask.
_SEED = 2027
_PIECES = 32
_CHARS = 400
# A word or two say little.
_ANSWER_CHARS = 80


def write_held_out(path: Path) -> None:
    """Write a JSON object a line with the `messages` of a dialogue in held-out wordings."""
    made = (said.messages() for _, said in conversations(_SEED, "held_out", _CHARS))
    chosen = (messages for messages in made if len(messages[-1]["content"]) >= _ANSWER_CHARS)
    lines = [json.dumps({"messages": messages}) for messages in islice(chosen, _PIECES)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
