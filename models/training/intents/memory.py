"""What the user says of himself, kept over turns and given back when asked."""

import random

from models.training import knowledge, names
from models.training.intents.base import State, Turn
from models.training.wording import Split, Wordings, as_typed, typed

_TELL_NAME = Wordings(
    "My name is {name}.",
    "[Hi|Hello|Hey|Good morning], [I am|I'm|my name is] {name}.",
    "[I am|I'm|Im] [called |]{name}.",
    "[You can call|Call|Please call] me {name}.",
    "[They|People|My friends] call me {name}.",
    "{name} is my name.",
    "[This is|It is|It's] {name}.",
    "[By the way, |]my name is {name}[, nice to meet you|].",
)
_ASK_NAME = Wordings(
    "What is my name?",
    "[What's|Do you know|Do you remember|Tell me|Say] my name?",
    "[Do you|Can you] [know|remember|tell me] [who I am|my name|what I am called]?",
    "What [am I called|did I say my name was|was my name again]?",
    "Who am I?",
    "[How|What] do people call me?",
    "[Have|Did] you [forgotten|forget] my name?",
    "[Remind me|Please tell me|Can you say] [what my name is|who I am|my name].",
    "[And my|So my|My] name [is|was|again]?",
)
_TELL_CITY = Wordings(
    "I live in {city}.",
    "[I am|I'm] [in|from|living in|based in|staying in] {city}[ now| at the moment|].",
    "My [city|home|home town|home city] is {city}.",
    "I [moved to|work in|come from] {city}[ last year|].",
    "[We|My family and I] live in {city}.",
)
_ASK_CITY = Wordings(
    "Where do I live?",
    "[Which|What] city do I live in?",
    "[Which|What] city am I in?",
    "[What|Which] is my [city|home town|home city|town]?",
    "[Can you say|Can you remember|Do you still know] [where I live|where my home is|my city]?",
    "In [which|what] [city|town] [do I live|am I living|is my home]?",
    "[Remind me|Please tell me|Say] [where I live|which city I live in].",
    "[Do you remember|Do you know|Tell me] [where I live|where I am|my city]?",
    "Where [am I|did I say I live|is my home]?",
)
_TELL_FAVOURITE = Wordings(
    "My favourite {kind} is {value}.",
    "[I like|I love] the {kind} {value} [most|best|more than any other].",
    "{value} is my [favourite|favorite] {kind}.",
    "[For me|To me] the best {kind} is {value}.",
    "My [favorite|preferred|most loved] {kind} is {value}.",
)
_ASK_FAVOURITE = Wordings(
    "What is my favourite {kind}?",
    "[What's|Do you remember|Do you know|Tell me] my [favourite|favorite] {kind}?",
    "Which {kind} do I [like most|like best|love|prefer]?",
    "[What|Which] {kind} did I say I [like|love|prefer]?",
    "[Can you|Please] [remember|tell me|say] my [favourite|favorite|preferred] {kind}.",
    "[And my|So my|My] [favourite|favorite] {kind} [is|was|again]?",
)
_INVENTORIES = {
    "animal": names.ANIMALS,
    "colour": names.COLOURS,
    "food": names.FOODS,
    "sport": names.SPORTS,
}


def tell_name(rng: random.Random, state: State, split: Split) -> Turn:
    name = names.person_name(rng)
    text = _TELL_NAME.pick(rng, split).format(name=name)
    text = typed(rng, text, protected=[name], polite=False)
    state.user_name = as_typed(text, name)
    answer = f"Nice to meet you, {state.user_name}! What would you like to know?"
    return Turn("greets by name", text, answer, (state.user_name,))


def ask_name(rng: random.Random, state: State, split: Split) -> Turn:
    text = typed(rng, _ASK_NAME.pick(rng, split))
    if state.user_name is None:
        answer = "You have not told me your name yet. What is it?"
        return Turn("name not told", text, answer, ("not told me",))
    return Turn("names", text, f"Your name is {state.user_name}.", (state.user_name,))


def tell_city(rng: random.Random, state: State, split: Split) -> Turn:
    city = rng.choice(list(knowledge.capitals().values()))
    if rng.random() < 0.4:
        city = names.invented_word(rng, rng.choice((2, 3))).capitalize()
    text = _TELL_CITY.pick(rng, split).format(city=city)
    text = typed(rng, text, protected=[city], polite=False)
    state.city = as_typed(text, city)
    answer = f"I will remember that you live in {state.city}."
    return Turn("takes a city", text, answer, (state.city,))


def ask_city(rng: random.Random, state: State, split: Split) -> Turn:
    text = typed(rng, _ASK_CITY.pick(rng, split))
    if state.city is None:
        answer = "You have not told me where you live yet. Which city is it?"
        return Turn("city not told", text, answer, ("not told me",))
    return Turn("cities", text, f"You live in {state.city}.", (state.city,))


def tell_favourite(rng: random.Random, state: State, split: Split) -> Turn:
    kind = rng.choice(list(_INVENTORIES))
    value = rng.choice(_INVENTORIES[kind])
    text = _TELL_FAVOURITE.pick(rng, split).format(kind=kind, value=value)
    text = typed(rng, text, protected=[value, kind], polite=False)
    state.favourites[kind] = value
    answer = f"Good choice! I will remember that your favourite {kind} is {value}."
    return Turn("takes a favourite", text, answer, (value,))


def ask_favourite(rng: random.Random, state: State, split: Split) -> Turn:
    known = list(state.favourites)
    kind = rng.choice(known if known and rng.random() < 0.7 else list(_INVENTORIES))
    text = _ASK_FAVOURITE.pick(rng, split).format(kind=kind)
    text = typed(rng, text, protected=[kind])
    if kind not in state.favourites:
        answer = f"You have not told me your favourite {kind} yet. What is it?"
        return Turn("favourite not told", text, answer, ("not told me",))
    value = state.favourites[kind]
    return Turn("favourites", text, f"Your favourite {kind} is {value}.", (value,))
