"""Questions that the generator answers in two ways, from which nothing can be learned:
`python -m models.training.ambiguity`."""

import random
from collections import Counter, defaultdict
from copy import deepcopy
from typing import Annotated

import typer

from models.training.dialogues import ask
from models.training.intents import geography, inference, lists, memory, stories, weather
from models.training.intents.base import Intent, State
from models.training.mix import next_intent

# What may have been said before; None is nothing.
_BEFORE: tuple[Intent | None, ...] = (
    *(None, inference.define, inference.why, inference.compare, geography.capital),
    *(weather.weather_of, lists.some_of, stories.story, memory.tell_name, memory.tell_city),
)
# Here one of several answers is drawn.
_FREE = frozenset({"off topic", "stories", "jokes"})
_MARKS = str.maketrans("", "", "?!.,:;'\"")

Answers = Counter[tuple[str, str]]


def ambiguous(turns: int, seed: int = 7) -> list[tuple[str, Answers]]:
    """User's texts that got different answers after the same turn, each with the kinds and answers
    and how often they came; those that are answered otherwise most often come first."""
    found: list[tuple[str, Answers]] = []
    for number, before in enumerate(_BEFORE):
        rng = random.Random(f"{seed}:{number}")
        state = State()
        if before is not None:
            ask(before, rng, state, "train")
        answers: defaultdict[str, Answers] = defaultdict(Counter)
        for _ in range(turns // len(_BEFORE)):
            then = deepcopy(state)
            turn = next_intent(rng, then)(rng, then, "train")
            answer = turn.kind if turn.kind in _FREE else turn.assistant.lower()
            answers[_plain(turn.user)][turn.kind, answer] += 1
        found += [(text, counts) for text, counts in answers.items() if len(counts) > 1]
    return sorted(found, key=lambda item: -_otherwise(item[1]))


def _plain(text: str) -> str:
    return " ".join(text.lower().translate(_MARKS).split())


def _otherwise(counts: Answers) -> int:
    """How many answers were not the most frequent one."""
    return sum(counts.values()) - max(counts.values())


def main(
    turns: Annotated[int, typer.Option(help="Turns to draw.")] = 300_000,
    shown: Annotated[int, typer.Option(help="Texts to print.")] = 60,
) -> None:
    found = ambiguous(turns)
    share = sum(_otherwise(counts) for _, counts in found) / turns
    print(f"{len(found)} texts; {share:.2%} of all turns are answered otherwise")
    for text, counts in found[:shown]:
        print(text)
        for (kind, answer), count in counts.most_common(4):
            print(f"  {count} {kind}: {answer[:90]!r}")


if __name__ == "__main__":
    typer.run(main)
