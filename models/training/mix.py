"""What the user speaks of next: how often each intent is drawn, and how much its answer counts."""

import random
from collections.abc import Collection

from models.training.intents import (
    arithmetic,
    colours,
    follow_up,
    geography,
    given_words,
    inference,
    inference_reversed,
    lists,
    memory,
    notes,
    off_topic,
    opposites,
    order,
    rewriting,
    smalltalk,
    stories,
    two_questions,
    weather,
)
from models.training.intents.base import Intent, State

# How often each intent is drawn, relative to the others.
_WEIGHTS: dict[Intent, float] = {
    inference.define: 52,
    inference_reversed.term_for: 4,
    inference.why: 58,
    inference.when: 12,
    inference.compare: 18,
    inference.compare_any: 6,
    inference.compare_with_unknown: 1,
    inference.compare_them: 5,
    follow_up.follow_up: 13,
    geography.capital: 16,
    geography.country_of_capital: 3,
    geography.unknown_capital: 3,
    weather.weather_of: 12,
    weather.weather_there: 26,
    arithmetic.add_or_subtract: 9,
    order.neighbour: 6,
    opposites.opposite: 14,
    colours.colour_of: 10,
    memory.tell_name: 8,
    memory.ask_name: 10,
    memory.tell_city: 8,
    memory.ask_city: 7,
    memory.tell_favourite: 9,
    memory.ask_favourite: 9,
    memory.tell_called: 2,
    memory.ask_called: 1,
    memory.about_me: 6,
    rewriting.repeat: 24,
    rewriting.shorten: 6,
    rewriting.upper_case: 38,
    given_words.say: 9,
    lists.count: 3.5,
    lists.whole_list: 2.5,
    lists.some_of: 7,
    smalltalk.small_talk: 16,
    smalltalk.who_are_you: 2,
    off_topic.off_topic: 34,
    stories.story: 32,
    notes.short_notes: 5,
    two_questions.two_questions: 20,
}
# How much the loss of an answer counts, relative to the others. What is chosen among hundreds of
# answers is decided by its first words and known from then on, so these few count more; words given
# to be said have a loss that is many times as large, and would drown the rest.
_COUNTS: dict[Intent, float] = {
    inference.define: 2.8,
    inference_reversed.term_for: 3.0,
    inference.why: 3.0,
    inference.when: 3.0,
    inference.compare: 2.0,
    inference.compare_them: 1.5,
    follow_up.follow_up: 2.0,
    geography.capital: 3.0,
    geography.country_of_capital: 2.0,
    geography.unknown_capital: 1.5,
    weather.weather_of: 2.0,
    weather.weather_there: 1.5,
    arithmetic.add_or_subtract: 1.5,
    order.neighbour: 2.5,
    memory.ask_name: 2.0,
    memory.ask_city: 2.0,
    memory.ask_favourite: 2.0,
    memory.ask_called: 1.5,
    rewriting.repeat: 1.5,
    opposites.opposite: 2.5,
    smalltalk.small_talk: 2.0,
    off_topic.off_topic: 2.5,
    lists.whole_list: 1.5,
    stories.story: 2.3,
    given_words.say: 0.4,
}
# What was told is asked for often and what was not seldom, or "not told" would be the safe guess.
_TOLD_FACTOR, _UNTOLD_FACTOR, _THERE_FACTOR = 9.0, 0.3, 2.0
# A system text that gives a name is seldom; so it is asked for.
_NAMED_FACTOR = 8.0
# After a definition people ask on: "Why does it matter?", "When should I use it?" Mostly where that
# is known, or that nothing is known is the safe guess.
_ON_FACTOR = 2.5
# "What is the difference between the two?" is asked where two terms were spoken of.
_THEM_FACTOR = 60.0
# Each name of the world has to be learned in capitals, as other words do not tell how.
_WORLD_UPPER_FACTOR = 3.0
_OF_THE_WORLD = ("capitals", "countries", "weather", "short lists", "colours")
# "And Italy?": the next of the same kind.
_NEXT_FACTOR = 3.0
_NEXT: dict[str, Intent] = {
    "capitals": geography.capital,
    "opposites": opposites.opposite,
    "colours": colours.colour_of,
    "sums": arithmetic.add_or_subtract,
    "weather": weather.weather_of,
}
_REWRITING = (rewriting.repeat, rewriting.shorten, rewriting.upper_case)
# A question that was answered with a question: what often comes next.
_GIVEN: dict[str, Intent] = {
    "which city": weather.city_given,
    "month wanted": weather.month_given,
    "name not told": memory.name_given,
    "city not told": memory.city_given,
    "favourite not told": memory.favourite_given,
}
_GIVEN_SHARE = 0.4


def next_intent(rng: random.Random, state: State, without: Collection[Intent] = ()) -> Intent:
    """What the user speaks of next; any intent, but none of `without`."""
    given = _GIVEN.get(state.last_kind or "")
    if given is not None and not without and rng.random() < _GIVEN_SHARE:
        return given
    factors = _factors(state)
    weights = {i: w * factors.get(i, 1.0) for i, w in _WEIGHTS.items() if i not in without}
    return rng.choices(list(weights), list(weights.values()))[0]


def counts(intent: Intent) -> float:
    """How much the loss of this intent's answers counts."""
    return _COUNTS.get(intent, 1.0)


def _factors(state: State) -> dict[Intent, float]:
    """What the conversation makes likelier or less likely; 1 for all others."""

    def told(is_told: bool) -> float:
        return _TOLD_FACTOR if is_told else _UNTOLD_FACTOR

    factors: dict[Intent, float] = {
        memory.ask_name: told(state.user_name is not None),
        memory.ask_city: told(state.city is not None),
        memory.ask_favourite: told(bool(state.favourites)),
        memory.ask_called: told(bool(state.called)),
    }
    if state.last_answer is None:
        factors |= dict.fromkeys(_REWRITING, _UNTOLD_FACTOR)
    elif follow_up.has_more(state.last_answer):
        on = (inference.why, inference.when, follow_up.follow_up)
        factors |= dict.fromkeys(on, _ON_FACTOR)
    factors[inference.compare_them] = _THEM_FACTOR if inference.last_two(state) else 0.0
    if state.last_kind in _OF_THE_WORLD:
        factors[rewriting.upper_case] = _WORLD_UPPER_FACTOR
    if state.last_kind in _NEXT:
        factors[_NEXT[state.last_kind]] = _NEXT_FACTOR
    factors[weather.weather_there] = _UNTOLD_FACTOR if state.city is None else _THERE_FACTOR
    if state.assistant_name != State().assistant_name:
        factors[smalltalk.who_are_you] = _NAMED_FACTOR
    return factors
