"""Long prompts: a list of notes and a question whose answer is in them, or is known anyway."""

import random

from models.training import knowledge, names
from models.training.intents import geography, inference
from models.training.intents.base import State, Turn
from models.training.wording import Split, Wordings, capitalized, typed

_OPENINGS = (
    "Here are my notes:",
    "These are my notes.",
    "I wrote down some notes:",
    "Notes:",
    "Read these notes first.",
    "Please read my notes:",
)
_BRIDGES = ("Now answer:", "My question:", "Question:", "Now tell me:", "Please answer:", "")
_ASK_VALUE = Wordings(
    "What is the {thing} of {name}?",
    "[What's|Tell me|Which is] the {thing} of {name}?",
    "[Which|What] {thing} [does {name} have|belongs to {name}]?",
    "[According to my notes, what|What did I write, what] is the {thing} of {name}?",
)
_VALUES: dict[str, tuple[str, ...]] = {
    "colour": tuple(names.COLOURS),
    "animal": tuple(names.ANIMALS),
    "fruit": tuple(names.FRUITS),
    "day": tuple(names.DAYS),
    "month": tuple(names.MONTHS),
    "number": tuple(str(number) for number in range(10, 100)),
}


def _personal_note(rng: random.Random) -> tuple[str, str, str]:
    thing = rng.choice(list(_VALUES))
    return thing, names.person_name(rng), rng.choice(_VALUES[thing])


def known_notes() -> list[str]:
    """Everything the world knows as one-line notes."""
    lines = [term.definition for term in knowledge.terms()]
    lines += [fact.answer for fact in knowledge.whys()]
    return lines + [geography.said_of(country) for country in knowledge.capitals()]


def long_notes(rng: random.Random, state: State, split: Split, *, notes_chars: int) -> Turn:
    """Notes of about `notes_chars` characters and one question at their end."""
    personal = [_personal_note(rng) for _ in range(rng.randint(1, 8))]
    lines = [f"The {thing} of {name} is {value}." for thing, name, value in personal]
    pool = known_notes()
    while sum(map(len, lines)) < notes_chars:
        lines.append(rng.choice(pool))
    rng.shuffle(lines)
    separator = rng.choice((" ", "\n", "\n- "))
    if rng.random() < 0.45:
        thing, name, value = rng.choice(personal)
        question = typed(
            rng, _ASK_VALUE.pick(rng, split).format(thing=thing, name=name), protected=[name]
        )
        answer = f"The {thing} of {name} is {value}."
        # The name that is asked for must be in one note only.
        lines = [line for line in lines if f"of {name} is" not in line or line == answer]
        turn = Turn("notes, looked up", question, answer, (value,))
    else:
        asked = rng.choice((inference.define, inference.define, inference.why, geography.capital))
        known = asked(rng, state, split)
        turn = Turn("notes, known", known.user, known.assistant, known.keys)
    bridge = rng.choice(_BRIDGES)
    question = f"{bridge} {turn.user}" if bridge else capitalized(turn.user)
    text = rng.choice(_OPENINGS) + separator + separator.join(lines)
    text += rng.choice((" ", "\n", "\n\n")) + question
    return Turn(turn.kind, text, turn.assistant, turn.keys)


def short_notes(rng: random.Random, state: State, split: Split) -> Turn:
    """A few notes only, so that looking up is learned on short prompts first."""
    return long_notes(rng, state, split, notes_chars=rng.randint(40, 350))
