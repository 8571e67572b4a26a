"""What the user says of himself, kept over turns and given back when asked."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from models.training import names
from models.training.intents import memory_wordings as wordings
from models.training.intents import weather
from models.training.intents.base import State, Turn
from models.training.knowledge import first_sentence
from models.training.wording import Split, as_typed, capitalized, joined, typed
from models.training.world import table

_WHO = (
    *("dog", "cat", "horse", "sister", "brother", "son", "daughter", "friend", "boss", "boat"),
    *("husband", "wife", "mother", "father", "baby", "hamster", "rabbit", "parrot", "puppy", "car"),
    *("teacher", "neighbour", "goldfish", "turtle", "uncle", "aunt"),
)
_NOT_TOLD = "not told me"


def _inventory(kind: str) -> tuple[str, ...]:
    return tuple(table("favourites")[kind])


def _kinds() -> tuple[str, ...]:
    return tuple(table("favourites"))


def _value(rng: random.Random, kind: str) -> str:
    """Something of the kind; often made up, so that only the conversation can give it."""
    draw = rng.random()
    if draw < 0.3:
        return names.invented_word(rng, rng.choice((1, 2, 2, 3)))
    if draw < 0.5 and kind in ("book", "film", "song", "band", "game"):
        return f"the {rng.choice(names.COLOURS)} {rng.choice(names.ANIMALS)}"
    return rng.choice(_inventory(kind))


def _city(rng: random.Random) -> str:
    if rng.random() < 0.4:
        return names.invented_word(rng, rng.choice((1, 2, 2, 3))).capitalize()
    return rng.choice(weather.city_names())


def _keep_city(state: State, city: str, text: str) -> None:
    """A city of the world has its usual writing; an invented one is written as typed."""
    state.city = city if city in weather.cities() else as_typed(text, city)
    state.weather_city, state.weather_month = state.city, None


def _told(state: State, turn_kind: str, text: str, answer: str, *keys: str) -> Turn:
    """A turn that takes something in."""
    said = first_sentence(answer) if state.brief else answer
    return Turn(turn_kind, text, said, keys)


def tell_name(rng: random.Random, state: State, split: Split) -> Turn:
    if rng.random() < _TWO_SHARE:
        return _tell_two(rng, state, split, _name_fact)
    name = names.full_name(rng)
    text = wordings.TELL_NAME.pick(rng, split).format(name=name)
    text = typed(rng, text, protected=[name], polite=False)
    state.user_name = as_typed(text, name)
    answer = f"Nice to meet you, {state.user_name}! What would you like to know?"
    return _told(state, "greets by name", text, answer, state.user_name)


def ask_name(rng: random.Random, state: State, split: Split) -> Turn:
    text = typed(rng, wordings.ASK_NAME.pick(rng, split))
    if state.user_name is None:
        answer = "You have not told me your name yet. What is it?"
        return _told(state, "name not told", text, answer, _NOT_TOLD)
    return Turn("names", text, f"Your name is {state.user_name}.", (state.user_name,))


def tell_city(rng: random.Random, state: State, split: Split) -> Turn:
    city = _city(rng)
    lives = rng.random() < 0.6
    text = (wordings.TELL_HOME if lives else wordings.TELL_PLACE).pick(rng, split).format(city=city)
    text = typed(rng, text, protected=[city], polite=False)
    _keep_city(state, city, text)
    verb = "live" if lives else "are"
    answer = f"I will remember that you {verb} in {state.city}."
    return Turn("takes a city", text, answer, (state.city,))


def ask_city(rng: random.Random, state: State, split: Split) -> Turn:
    lives = rng.random() < 0.75
    text = typed(rng, (wordings.ASK_HOME if lives else wordings.ASK_PLACE).pick(rng, split))
    verb = "live" if lives else "are"
    if state.city is None:
        answer = f"You have not told me where you {verb} yet. Which city is it?"
        return _told(state, "city not told", text, answer, _NOT_TOLD)
    return Turn("cities", text, f"You {verb} in {state.city}.", (state.city,))


def tell_favourite(rng: random.Random, state: State, split: Split) -> Turn:
    if rng.random() < _TWO_SHARE:
        return _tell_two(rng, state, split, _favourite_fact)
    kind = rng.choice(_kinds())
    value = _value(rng, kind)
    text = wordings.TELL_FAVOURITE.pick(rng, split).format(kind=kind, value=value)
    text = typed(rng, text, protected=[value, kind], polite=False)
    state.favourites[kind] = as_typed(text, value)
    answer = f"Good choice! I will remember that your favourite {kind} is {as_typed(text, value)}."
    if state.brief:
        answer = answer.partition("! ")[2]
    return Turn("takes a favourite", text, answer, (as_typed(text, value),))


def ask_favourite(rng: random.Random, state: State, split: Split) -> Turn:
    known = list(state.favourites)
    kind = rng.choice(known if known and rng.random() < 0.75 else _kinds())
    text = wordings.ASK_FAVOURITE.pick(rng, split).format(kind=kind)
    text = typed(rng, text, protected=[kind])
    if kind not in state.favourites:
        answer = f"You have not told me your favourite {kind} yet. What is it?"
        return _told(state, "favourite not told", text, answer, _NOT_TOLD)
    value = state.favourites[kind]
    return Turn("favourites", text, f"Your favourite {kind} is {value}.", (value,))


def name_given(rng: random.Random, state: State, split: Split) -> Turn:
    """The answer to "You have not told me your name yet. What is it?"."""
    name = names.full_name(rng)
    text = typed(
        rng, wordings.GIVEN.pick(rng, split).format(value=name), protected=[name], polite=False
    )
    state.user_name = as_typed(text, name)
    answer = f"Nice to meet you, {state.user_name}! What would you like to know?"
    return _told(state, "greets by name", text, answer, state.user_name)


def city_given(rng: random.Random, state: State, split: Split) -> Turn:
    """The answer to "You have not told me where you live yet. Which city is it?"."""
    city = _city(rng)
    text = typed(
        rng, wordings.GIVEN.pick(rng, split).format(value=city), protected=[city], polite=False
    )
    _keep_city(state, city, text)
    verb = "live" if "where you live" in (state.last_answer or "") else "are"
    return Turn(
        "takes a city", text, f"I will remember that you {verb} in {state.city}.", (state.city,)
    )


def favourite_given(rng: random.Random, state: State, split: Split) -> Turn:
    """The answer to "You have not told me your favourite … yet. What is it?"."""
    kind = (state.last_answer or "").partition("favourite ")[2].partition(" yet")[0]
    value = _value(rng, kind)
    text = typed(
        rng, wordings.GIVEN.pick(rng, split).format(value=value), protected=[value], polite=False
    )
    state.favourites[kind] = as_typed(text, value)
    answer = f"Good choice! I will remember that your favourite {kind} is {as_typed(text, value)}."
    if state.brief:
        answer = answer.partition("! ")[2]
    return Turn("takes a favourite", text, answer, (as_typed(text, value),))


def tell_called(rng: random.Random, state: State, split: Split) -> Turn:
    if rng.random() < _TWO_SHARE:
        return _tell_two(rng, state, split, _called_fact)
    who, name = rng.choice(_WHO), names.person_name(rng)
    text = wordings.TELL_CALLED.pick(rng, split).format(who=who, name=name)
    text = typed(rng, text, protected=[name, who], polite=False)
    state.called[who] = as_typed(text, name)
    answer = f"I will remember that your {who} is called {state.called[who]}."
    return Turn("takes a name", text, answer, (state.called[who],))


def ask_called(rng: random.Random, state: State, split: Split) -> Turn:
    told = list(state.called)
    who = rng.choice(told if told and rng.random() < 0.8 else _WHO)
    text = typed(rng, wordings.ASK_CALLED.pick(rng, split).format(who=who), protected=[who])
    if who not in state.called:
        answer = f"You have not told me what your {who} is called."
        return Turn("called not told", text, answer, (_NOT_TOLD,))
    name = state.called[who]
    return Turn("called", text, f"Your {who} is called {name}.", (name,))


@dataclass(frozen=True)
class _Fact:
    """Something that may be told along with something else: how it is said, the words that are to
    be given back, and how it is kept, as it was typed; that gives its clause and its key."""

    said: str
    values: tuple[str, ...]
    keep: Callable[[State, str], tuple[str, str]]


def _name_fact(rng: random.Random) -> _Fact:
    name = names.person_name(rng)

    def keep(state: State, text: str) -> tuple[str, str]:
        state.user_name = as_typed(text, name)
        return "", state.user_name

    said = rng.choice((f"my name is {name}", f"I am {name}", f"I'm {name}"))
    return _Fact(said, (name,), keep)


def _city_fact(rng: random.Random) -> _Fact:
    city = _city(rng)

    def keep(state: State, text: str) -> tuple[str, str]:
        _keep_city(state, city, text)
        assert state.city is not None
        return f"you live in {state.city}", state.city

    said = rng.choice((f"I live in {city}", f"I am from {city}", f"my city is {city}"))
    return _Fact(said, (city,), keep)


def _favourite_fact(rng: random.Random) -> _Fact:
    kind = rng.choice(_kinds())
    value = _value(rng, kind)

    def keep(state: State, text: str) -> tuple[str, str]:
        state.favourites[kind] = as_typed(text, value)
        return f"your favourite {kind} is {state.favourites[kind]}", state.favourites[kind]

    return _Fact(f"my favourite {kind} is {value}", (kind, value), keep)


def _called_fact(rng: random.Random) -> _Fact:
    who, name = rng.choice(_WHO), names.person_name(rng)

    def keep(state: State, text: str) -> tuple[str, str]:
        state.called[who] = as_typed(text, name)
        return f"your {who} is called {state.called[who]}", state.called[who]

    said = rng.choice((f"my {who} is called {name}", f"I have a {who} called {name}"))
    return _Fact(said, (who, name), keep)


_FACTS = (_name_fact, _city_fact, _favourite_fact, _called_fact)
_TWO_SHARE = 0.2


def _tell_two(
    rng: random.Random, state: State, split: Split, one: Callable[[random.Random], _Fact]
) -> Turn:
    """One thing and another in one message: the answer takes both."""
    chosen = [one, rng.choice([other for other in _FACTS if other is not one])]
    rng.shuffle(chosen)
    facts = [fact(rng) for fact in chosen]
    first, second = (fact.said for fact in facts)
    text = wordings.TELL_TWO.pick(rng, split).format(
        first=first, second=second, second_upper=capitalized(second)
    )
    if text.startswith(first):
        text = capitalized(text)
    protected = [value for fact in facts for value in fact.values]
    text = typed(rng, text, protected=protected, polite=False)
    kept = [fact.keep(state, text) for fact in facts]
    greeting = f"Nice to meet you, {state.user_name}! " if _name_fact in chosen else ""
    clauses = joined([clause for clause, _ in kept if clause])
    answer = f"{greeting}I will remember that {clauses}."
    return Turn("takes two things", text, answer, tuple(key for _, key in kept))


def about_me(rng: random.Random, state: State, split: Split) -> Turn:
    """All that was told, always in the same order."""
    text = typed(rng, wordings.ABOUT_ME.pick(rng, split))
    facts = []
    if state.user_name is not None:
        facts.append((f"your name is {state.user_name}", state.user_name))
    if state.city is not None:
        facts.append((f"you live in {state.city}", state.city))
    facts += [(f"your favourite {k} is {v}", v) for k, v in state.favourites.items()]
    facts += [(f"your {who} is called {name}", name) for who, name in state.called.items()]
    if not facts:
        answer = "You have not told me anything about you yet. What is your name?"
        return _told(state, "nothing told", text, answer, _NOT_TOLD)
    said = joined([sentence for sentence, _ in facts[:4]])
    return Turn("about me", text, said[0].upper() + said[1:] + ".", tuple(k for _, k in facts[:4]))
