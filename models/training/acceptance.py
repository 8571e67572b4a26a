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

    A cycle: the draft guesses up to k tokens, those that the target would write are kept, and the
    target adds one of its own.
    """
    done = accepted = drafted = 0
    while done < len(answer_ids):
        ids = torch.tensor([[*prompt_ids, *answer_ids[:done]]], device=draft.device)
        output = draft.generate(ids, do_sample=False, max_new_tokens=k)
        guesses = output[0, ids.shape[1] :].tolist()
        matches = _matching(guesses, answer_ids[done:])
        accepted += matches
        drafted += len(guesses)
        done += matches + 1
    return accepted, drafted


def _matching(guesses: Sequence[int], truth: Sequence[int]) -> int:
    """Length of the longest common beginning."""
    for place, (guess, token) in enumerate(zip(guesses, truth, strict=False)):
        if guess != token:
            return place
    return min(len(guesses), len(truth))
