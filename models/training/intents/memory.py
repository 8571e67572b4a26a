"""What the user says of himself, kept over turns and given back when asked."""

import random

from models.training import names
from models.training.intents import memory_wordings as wordings
from models.training.intents import weather
from models.training.intents.base import State, Turn
from models.training.knowledge import first_sentence
from models.training.wording import Split, as_typed, joined, typed
from models.training.world import table

_WHO = ("dog", "cat", "horse", "sister", "brother", "son", "daughter", "friend", "boss", "boat")
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


def _told(state: State, turn_kind: str, text: str, answer: str, *keys: str) -> Turn:
    """A turn that takes something in."""
    said = first_sentence(answer) if state.brief else answer
    return Turn(turn_kind, text, said, keys)


def tell_name(rng: random.Random, state: State, split: Split) -> Turn:
    if rng.random() < 0.2:
        return _tell_two(rng, state, split)
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
    # A city of the world has its usual writing; an invented one is written as typed.
    state.city = city if city in weather.cities() else as_typed(text, city)
    state.weather_city, state.weather_month = state.city, None
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
    state.city = city if city in weather.cities() else as_typed(text, city)
    state.weather_city, state.weather_month = state.city, None
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


def _tell_two(rng: random.Random, state: State, split: Split) -> Turn:
    """The name and one thing more in one message: the answer takes both."""
    name, city = names.person_name(rng), _city(rng)
    kind = rng.choice(_kinds())
    value = _value(rng, kind)
    said = {
        "name": rng.choice((f"my name is {name}", f"I am {name}", f"I'm {name}")),
        "city": rng.choice((f"I live in {city}", f"I am from {city}", f"my city is {city}")),
        "favourite": f"my favourite {kind} is {value}",
    }
    chosen = ["name", rng.choice(("city", "favourite"))]
    rng.shuffle(chosen)
    first, second = said[chosen[0]], said[chosen[1]]
    text = wordings.TELL_TWO.pick(rng, split).format(
        first=first, second=second, second_upper=second[0].upper() + second[1:]
    )
    if text.startswith(first):
        text = text[0].upper() + text[1:]
    text = typed(rng, text, protected=[name, city, kind, value], polite=False)
    greeting, parts, keys = "", [], []
    for part in chosen:
        if part == "name":
            state.user_name = as_typed(text, name)
            greeting = f"Nice to meet you, {state.user_name}! "
            keys.append(state.user_name)
        elif part == "city":
            state.city = city if city in weather.cities() else as_typed(text, city)
            state.weather_city, state.weather_month = state.city, None
            parts.append(f"you live in {state.city}")
            keys.append(state.city)
        else:
            state.favourites[kind] = as_typed(text, value)
            parts.append(f"your favourite {kind} is {state.favourites[kind]}")
            keys.append(state.favourites[kind])
    answer = f"{greeting}I will remember that {joined(parts)}."
    return Turn("takes two things", text, answer, tuple(keys))


def about_me(rng: random.Random, state: State, split: Split) -> Turn:
    """All that was told, always in the same order."""
    text = typed(rng, wordings.ABOUT_ME.pick(rng, split))
    facts = []
    if state.user_name is not None:
        facts.append((f"your name is {state.user_name}", state.user_name))
    if state.city is not None:
        facts.append((f"you live in {state.city}", state.city))
    facts += [(f"your favourite {k} is {v}", v) for k, v in state.favourites.items()]
    if not facts:
        answer = "You have not told me anything about you yet. What is your name?"
        return _told(state, "nothing told", text, answer, _NOT_TOLD)
    said = joined([sentence for sentence, _ in facts[:4]])
    return Turn("about me", text, said[0].upper() + said[1:] + ".", tuple(k for _, k in facts[:4]))
