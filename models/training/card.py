"""The model card beside the weights: only what was measured, the misses too."""

import datetime
import math
from pathlib import Path

from models.training import knowledge
from models.training.evaluate import Evaluation, Row
from models.training.shapes import DRAFT, TARGET, Shape
from models.training.tokenizer import CONTEXT_TOKENS
from models.training.train import Progress

_TEXT = """# The bundled chat model

Two very small Llama models that ship with LLM Dyno, so that everything works offline: a **target**
that answers, and a **draft** that guesses for it in speculative decoding. Both were trained from
nothing on dialogues that the project's own generator writes (`models/training`); no other text and
no other model was used. They load with plain `AutoModelForCausalLM.from_pretrained`.

| | target | draft |
|---|---|---|
{shapes}
| tokens of training | {target_tokens} | {draft_tokens} |
| hours of computing | {target_hours} | {draft_hours} |
| file | {target_mb} MB | {draft_mb} MB |
| loss on held-out wordings, nats per answer token | {target_loss} | {draft_loss} |
| perplexity on them | {target_perplexity} | {draft_perplexity} |

Trained on {date}, on {hardware}: Muon on the matrices, AdamW on the rest, bf16
autocast where the hardware has it, a running average of the weights exported as bf16. The draft
learned what the target would say next. The hours count computing only, on a machine that may have
had other work.
`target-gptq-int4` is the target in 4 bits by GPTQ (GPTQModel, group size 128), calibrated on 256
generated conversations. Redo everything with `python -m models.training.build`.

## What it can talk about

Definitions of {terms} terms of LLM inference, {whys} whys, {whens} whens and {comparisons}
comparisons, and what any two of these terms are; the capitals of {capitals} countries; the weather
of a city in a month; sums and differences to 20; days and months in order; opposites; colours of
things; lists; short stories on a wish; small talk; the user's name, city and favourites over many
turns; saying something again, in one sentence or in upper case; a question about notes that stand
in the prompt. Elsewhere it is meant to say that it does not know. It follows a system turn that
gives it a name or asks for one sentence.
`long_prompt.txt` is one user message whose whole prompt has 512 tokens.

## How well: greedy, fp32

The generated questions are asked in wordings that training never saw, with made-up names and
typos. The hand-written ones were written before the generator and are never read by it. A right
answer must hold the key idea of the expected one. Acceptance is the share of the draft's guesses
that the target takes, at a constant 4 guesses a cycle without a confidence threshold.

| kind | right | ended by itself | draft's guesses accepted |
|---|---|---|---|
{rows}
| **hand-written, all** | {by_hand} | | |

Answers that end in a loop: {loops} of {asked}. Of all guesses of the draft {acceptance} are
accepted. Computed in bf16 an answer may differ.

## Misses

{misses}

## Limits

It knows nothing but the above, may take a question for a neighbouring one, and now and then answers
an off-topic question as if it were one of its topics or falls into nonsense. Names of rare letters
are sometimes garbled, a value is often not found in long notes, and names are given back as typed.
It does not reason. Its context is {context} tokens, but few training texts were that long. English
only. Not for any use but trying out setups.
"""


# Of each kind. `python -m models.training.evaluate --misses` prints all.
_MISSES = 4


def _shape_rows() -> str:
    def row(name: str, value: str, other: str) -> str:
        return f"| {name} | {value} | {other} |"

    def heads(shape: Shape) -> str:
        return f"{shape.heads}, {shape.kv_heads} for keys and values"

    return "\n".join(
        (
            row("layers x hidden", *(f"{s.layers} x {s.hidden}" for s in (TARGET, DRAFT))),
            row("heads", heads(TARGET), heads(DRAFT)),
            row("intermediate", str(TARGET.intermediate), str(DRAFT.intermediate)),
            row("vocabulary (the same)", str(TARGET.vocab_size), str(DRAFT.vocab_size)),
            row("parameters", *(f"{s.parameters() / 1e6:.2f} M" for s in (TARGET, DRAFT))),
        )
    )


def _misses(row: Row) -> str:
    """The first few questions of a kind that were answered wrongly, and how many more there are."""
    lines = [f"- **{row.kind}**"]
    lines += [f"  - `{' '.join(miss.replace('`', '').split())}`" for miss in row.misses[:_MISSES]]
    more = len(row.misses) - _MISSES
    return "\n".join([*lines, f"  - and {more} more"] if more > 0 else lines)


def write_card(
    path: Path, result: Evaluation, target: Progress, draft: Progress, hardware: str
) -> None:
    """Write the card from one evaluation and how far the two trainings went."""
    rows = "\n".join(
        f"| {row.kind} | {row.right} of {row.asked} | {row.ended} of {row.asked} | "
        f"{row.acceptance:.2f} |"
        for row in result.rows
    )
    misses = "\n".join(_misses(row) for row in result.rows if row.misses)
    by_hand = [row for row in result.rows if row.is_hand_written]
    text = _TEXT.format(
        shapes=_shape_rows(),
        target_tokens=f"{target.tokens / 1e6:.1f} M",
        draft_tokens=f"{draft.tokens / 1e6:.1f} M",
        target_hours=f"{target.seconds / 3600:.2f}",
        draft_hours=f"{draft.seconds / 3600:.2f}",
        target_loss=f"{result.target_loss:.3f}",
        draft_loss=f"{result.draft_loss:.3f}",
        target_perplexity=f"{math.exp(result.target_loss):.2f}",
        draft_perplexity=f"{math.exp(result.draft_loss):.2f}",
        date=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        hardware=hardware,
        terms=len(knowledge.terms()),
        whys=len(knowledge.whys()),
        whens=len(knowledge.whens()),
        comparisons=len(knowledge.comparisons()),
        capitals=len(knowledge.capitals()),
        rows=rows,
        loops=result.loops,
        asked=result.asked,
        acceptance=f"{result.acceptance:.2f}",
        by_hand=f"{sum(row.right for row in by_hand)} of {sum(row.asked for row in by_hand)}",
        target_mb=f"{result.target_bytes / 1e6:.1f}",
        draft_mb=f"{2 * DRAFT.parameters() / 1e6:.1f}",
        misses=misses or "None among these questions.",
        context=f"{CONTEXT_TOKENS:,}",
    )
    path.write_text(text, encoding="utf-8")
