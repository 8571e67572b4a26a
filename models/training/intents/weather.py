"""The usual weather of a city in a month or season, named in the question or told before."""

import random
import re
from functools import cache

from models.training import names
from models.training.intents.base import State, Turn
from models.training.wording import Split, Wordings, typed
from models.training.world import table, ways

_OF = Wordings(
    "What is the weather like in {city} in {time}?",
    "[What's|How is|How's|Describe|Tell me] the weather [like |]in {city} in {time}[?|]",
    "[What|How] is [it|{city}] like in {city} in {time}?",
    "[What is|What's] {city} like in {time}?",
    "[Weather|Climate|Temperature] [in |]{city} [in |]{time}[?|]",
    "{city} [weather|climate|temperature][ in|] {time}[?|]",
    "[Is it|Will it be|Does it get] [cold|warm|hot|nice|rainy|cool] in {city} in {time}?",
    "How [warm|cold|hot|rainy|cool] [is it|does it get|is {city}|will it be] in {city} in {time}?",
    "[What should I wear|What clothes do I need|What should I pack|What do I wear] in {city} in "
    "{time}?",
    "[Do I need|Will I need|Should I take] [a coat|an umbrella|a jacket|sunscreen] in {city} in "
    "{time}?",
    "[What temperature|Which temperature|What kind of weather] [does {city} have|can I expect in "
    "{city}] in {time}?",
    "[I travel|I am going|I'm flying|We go] to {city} in {time}[. What is the weather like?|, what "
    "is the weather like?|. Will it be warm?]",
    "[In {time}|During {time}], [what is the weather like|how is the weather|what's the weather] "
    "in {city}?",
    "{Time} in {city}[?| weather?|, what is it like?|: how is the weather?]",
    "[Can you|Could you] [tell me|describe] the weather [in|of] {city} in {time}?",
    "[Does it|Will it] [rain|snow] [much |a lot |]in {city} in {time}?",
    "[Is {time}|Would {time} be] a good time [to visit|for] {city}?",
    "[What can I expect from|What about] the weather in {city} in {time}?",
    "[will there be|is there|do they have] [snow|rain|sun|frost|much rain] in {city} in {time}[?|]",
    "{time} weather [in|for|of] {city}[?|, please|]",
    "[How about|What about|And|And what about] [in |]{city} in {time}[?|]",
    "{city}, {time}[: weather?|, how is the weather?|, weather please|, warm or cold?]",
    *ways("weather"),
)
_OF_UNTIMED = Wordings(
    "What is the weather like in {city}?",
    "[What's|How is|Describe|Tell me] the weather [like |]in {city}[?|]",
    "[Weather|Climate] [in |of |]{city}[?|]",
    "[Is it|Does it get] [cold|warm|hot|rainy] in {city}?",
    "How [warm|cold|hot] is [it in |]{city}?",
)
_THERE = Wordings(
    "What is the weather like there in {time}?",
    "[What's|How is|How's|Tell me] the weather [like |][there|here|in my city|where I live] in "
    "{time}[?|]",
    "[And|So] [what is|what's|how is] the weather [there|here] in {time}?",
    "[And what about|What about|And|How about] [there |here |]in {time}?",
    "[Is it|Will it be|Does it get] [cold|warm|hot|rainy] [there|here|in my city] in {time}?",
    "How [warm|cold|hot] [is it|does it get] [there|here|where I am|in my town] in {time}?",
    "[What should I wear|Do I need a coat|Do I need an umbrella] [here|there] in {time}?",
    "[Weather|The weather] [here|there|in my city] in {time}[?|]",
    "What is the weather like in {time}?",
    "[How is|What's|Tell me] the weather in {time}[?|]",
    "[Does it|Will it] [rain|snow] [there|here] in {time}?",
    "[Which weather|What weather] [do we get|do I get|can I expect] [here|there] in {time}?",
)
_THERE_UNTIMED = Wordings(
    "What is the weather like there?",
    "[What's|How is|How's|Tell me about] the weather [there|here|in my city|where I live][?|]",
    "[And|So] [what is|how is] the weather [there|here]?",
    "What is the weather like?",
    "[How is|What's|Tell me] the weather[?|]",
    "[Is it|Does it get] [cold|warm|hot|rainy] [there|here]?",
)
_NEXT = Wordings(
    "And in {time}?",
    "[And|What about|How about|And what about|Now|Same for] [in |]{time}?",
    "[And|But] how is it in {time}?",
)
_ANOTHER = Wordings(
    "And {city} in {time}?",
    "[How about|What about|And|And what about|And how is] [in |]{city} in {time}[?|]",
    "[And|Then|OK, and|So] [how is it|what is it like] in {city} in {time}[?|]",
    "[In|During] {time} in {city}[, then|]?",
)
_ANOTHER_THEN = Wordings(
    "And in {city}?",
    "[And|How about|What about|Same for|Now|And what about] [in |]{city}[?|]",
    "[And|But] how is it in {city}[?| then?]",
)
_JUST_THE_CITY = Wordings(
    "{city}",
    "[I mean|In|It is|For|Let's say|I meant|I am in] {city}[.|, please.|]",
    "{city}[.|, please.|, of course.|!]",
    "[The city of|My city is|That would be|Sorry, I meant] {city}[.|]",
)
_JUST_THE_TIME = Wordings(
    "In {time}.",
    "{Time}[.|, please.|!|]",
    "[I mean|In|For|Let's say|It is for|I travel in|Probably in] {time}[.|, please.|]",
)
# How often a question after an answer about the weather only names the next month, the next city,
# or both.
_NEXT_SHARE, _ANOTHER_THEN_SHARE, _ANOTHER_SHARE = 0.35, 0.22, 0.2
_OWN_CITY = re.compile(r"\b(here|my|I)\b")
_SEASONS = {"winter": 0, "spring": 3, "summer": 6, "autumn": 9}
_SOUTH = ("southern", "coastal_desert")


@cache
def _climates() -> dict[str, tuple[str, ...]]:
    return {name: tuple(phrases) for name, phrases in table("climates")["climates"].items()}


@cache
def cities() -> dict[str, str]:
    """City to its kind of climate."""
    return {
        city.strip(): climate
        for climate, named in table("climates")["cities"].items()
        for city in str(named).split(",")
    }


@cache
def city_names() -> tuple[str, ...]:
    return tuple(cities())


def weather(city: str, time: str) -> str:
    """The sentence for a city in a month or season; says so where the city is not known.

    Both begin alike, so that the city is found before it is decided whether it is known.
    """
    climate = cities().get(city)
    if climate is None:
        return _unknown(city)
    if time in _SEASONS:
        month = (_SEASONS[time] + (6 if climate in _SOUTH else 0)) % 12
    else:
        month = names.MONTHS.index(time)
    return f"The weather in {city} in {time} is {_climates()[climate][month]}."


def _unknown(city: str) -> str:
    return f"The weather in {city} is something I don't know."


def _time(rng: random.Random) -> str:
    return rng.choice(list(_SEASONS)) if rng.random() < 0.2 else rng.choice(names.MONTHS)


def weather_of(rng: random.Random, state: State, split: Split) -> Turn:
    """The city is in the question, or the question goes on about the last answer: in another month,
    or in another city."""
    time = _time(rng)
    goes_on = state.weather_month is not None and _was_weather(state)
    draw = rng.random()
    if goes_on and draw < _NEXT_SHARE:
        assert state.weather_city is not None
        text = _NEXT.pick(rng, split).format(time=time)
        return _answered(rng, state, text, state.weather_city, time)
    city = rng.choice(city_names())
    if rng.random() < 0.12:
        city = names.invented_word(rng, rng.choice((2, 3))).capitalize()
    if goes_on and draw < _NEXT_SHARE + _ANOTHER_THEN_SHARE:
        assert state.weather_month is not None
        text = _ANOTHER_THEN.pick(rng, split).format(city=city)
        return _answered(rng, state, text, city, state.weather_month)
    if goes_on and draw < _NEXT_SHARE + _ANOTHER_THEN_SHARE + _ANOTHER_SHARE:
        text = _ANOTHER.pick(rng, split).format(city=city, time=time)
        return _answered(rng, state, text, city, time)
    if rng.random() < 0.12:
        text = _OF_UNTIMED.pick(rng, split).format(city=city)
        return _month_wanted(rng, state, text, city)
    text = _OF.pick(rng, split).format(city=city, time=time, Time=time.capitalize())
    return _answered(rng, state, text, city, time)


def _was_weather(state: State) -> bool:
    said = state.last_answer or ""
    return state.weather_city is not None and " degree" in said


def weather_there(rng: random.Random, state: State, split: Split) -> Turn:
    """The city was told before; where none was, it is asked for. "There" is the city that was
    spoken of last, "here" and "my city" is the user's own."""
    time = _time(rng)
    untimed = rng.random() < 0.15
    text = (_THERE_UNTIMED if untimed else _THERE).pick(rng, split).format(time=time)
    city = state.city if _OWN_CITY.search(text) else state.weather_city or state.city
    if city is None:
        state.weather_month = None if untimed else time
        return Turn("which city", typed(rng, text), "Which city do you mean?", ("Which city",))
    if untimed:
        return _month_wanted(rng, state, text, city)
    return _answered(rng, state, text, city, time)


def city_given(rng: random.Random, state: State, split: Split) -> Turn:
    """The answer to "Which city do you mean?"."""
    city = rng.choice(city_names())
    text = _JUST_THE_CITY.pick(rng, split).format(city=city)
    if state.weather_month is None:
        return _month_wanted(rng, state, text, city)
    return _answered(rng, state, text, city, state.weather_month)


def month_given(rng: random.Random, state: State, split: Split) -> Turn:
    """The answer to "In which month do you want to be in …?"."""
    assert state.weather_city is not None
    time = _time(rng)
    text = _JUST_THE_TIME.pick(rng, split).format(time=time, Time=time.capitalize())
    return _answered(rng, state, text, state.weather_city, time)


def _month_wanted(rng: random.Random, state: State, text: str, city: str) -> Turn:
    state.weather_city, state.weather_month = city, None
    user = typed(rng, text, protected=[city])
    if city not in cities():
        return Turn("weather", user, _unknown(city), (city, "I don't know"))
    return Turn(
        "month wanted", user, f"In which month do you want to be in {city}?", ("which month",)
    )


def _answered(rng: random.Random, state: State, text: str, city: str, time: str) -> Turn:
    state.weather_city, state.weather_month = city, time
    answer = weather(city, time)
    user = typed(rng, text, protected=[city, time])
    keys = (city, answer.partition(" is ")[2].partition(",")[0])
    return Turn("weather", user, answer, keys if city in cities() else (city, "I don't know"))
