"""How many of a draft's guesses its target accepts, as assisted decoding with a constant k does it:
greedy, k guesses a cycle, no confidence threshold."""

from collections.abc import Iterable, Sequence

import torch
from transformers.modeling_utils import PreTrainedModel

from models.training.answers import Answer

K = 4


def acceptance(draft: PreTrainedModel, answers: Iterable[Answer], k: int = K) -> float:
    """Accepted guesses over all guesses, from 0 to 1; NaN where nothing was guessed."""
    accepted = drafted = 0
    for answer in answers:
        more_accepted, more_drafted = cycles(draft, answer.prompt_ids, answer.ids, k)
        accepted += more_accepted
        drafted += more_drafted
    return accepted / drafted if drafted else float("nan")


def cycles(
    draft: PreTrainedModel, prompt_ids: Sequence[int], answer_ids: Sequence[int], k: int
) -> tuple[int, int]:
    """Guesses accepted and made while the target writes `answer_ids`, its own greedy answer.

    A cycle: the draft guesses k tokens, those that the target would write are kept, and the target
    adds one of its own. A guess is kept only after guesses that are the answer's own tokens, so one
    reading of the answer tells them all.
    """
    ids = torch.tensor([[*prompt_ids, *answer_ids]], device=draft.device)
    with torch.no_grad():
        logits = draft(ids, logits_to_keep=len(answer_ids) + 1).logits[0, :-1]
    is_kept = [a == b for a, b in zip(logits.argmax(-1).tolist(), answer_ids, strict=True)]
    done = accepted = drafted = 0
    while done < len(is_kept):
        matches = next((n for n, kept in enumerate(is_kept[done : done + k]) if not kept), k)
        # A draft that has guessed the end guesses no further.
        left = len(is_kept) - done
        accepted += min(matches, left)
        drafted += min(k, left) if matches >= left else k
        done += matches + 1
    return accepted, drafted
