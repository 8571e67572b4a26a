"""Short stories on a wish: an animal, perhaps with a colour and a name, in one of a few plots."""

import random

from models.training import names
from models.training.intents.base import State, Turn
from models.training.names import with_article
from models.training.wording import Split, Wordings, as_typed, typed

_WISH = Wordings(
    "Tell me a short story about {hero}.",
    "[Tell me|Tell us|Write|Write me|Give me|Make up|Invent] a [short |little |nice |]story "
    "[about|with|of] {hero}.",
    "[Can|Could] you [tell me|write|tell] a [short |]story [about|with] {hero}?",
    "[I want|I would like|I'd like|I need] a [short |]story about {hero}.",
    "[A story|Story|Short story|A tale] about {hero}[, please|].",
    "[Do you know|Have you got] a [story|tale] about {hero}?",
    "[Once more: |Next: |Now ]tell me a story about {hero}.",
)
_ANY_WISH = Wordings(
    "Tell me a story.",
    "[Tell me|Write|Give me|Make up] a [short story|story|bedtime story|tale].",
    "[Can|Could] you tell me a [story|short story]?",
    "[I want|I'd like] [a story|to hear a story].",
    "[Another story|One more story|A story][, please|].",
)
# Each plot is five steps; a step is told in one of its sentences.
_PLOTS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (
        (
            "Once upon a time there was {colour_a} named {name} who lived {home}.",
            "{home_upper} lived {colour_a} named {name}.",
        ),
        (
            "One {weather} morning {name} lost a {thing} and was very sad.",
            "One day the wind took away the {thing} that {name} loved most.",
        ),
        (
            "{name} looked under every stone, but it was not there.",
            "{name} searched the whole day and found nothing.",
        ),
        (
            'Then {helper} came by and said, "Let us look together."',
            "In the evening {helper} heard about it and wanted to help.",
        ),
        (
            "Two hours later they found the {thing} behind a tree, and the {animal} and the "
            "{helper_bare} were friends from that day on.",
            "They found the {thing} by the river, and {name} never again searched alone.",
        ),
    ),
    (
        (
            "{name} was {colour_a} who lived {home}.",
            "There once was {colour_a}, and everyone called the little one {name}.",
        ),
        (
            "Every night {name} looked at the moon and wished to go there.",
            "{name} had one wish: to touch the moon.",
        ),
        (
            "So {name} climbed the highest hill, but the moon was still far away.",
            "{name} jumped as high as possible, but the moon was too far.",
        ),
        (
            '"Look down," said {helper} with a smile.',
            'There {helper} was waiting and said, "Look into the lake."',
        ),
        (
            "In the water of the lake the moon was shining, and the {animal} touched it with one "
            "foot and went home happy.",
            "The moon was in the water, close enough to touch, and {name} laughed all the way "
            "home.",
        ),
    ),
    (
        (
            "Long ago there lived {colour_a} named {name} {home}.",
            "{home_upper} there was {colour_a}, and the name of it was {name}.",
        ),
        (
            "The winter was cold, and {name} had only one {thing}.",
            "One {weather} evening {name} was alone at home with a {thing}.",
        ),
        (
            "Then somebody knocked at the door: it was {helper}, wet and hungry.",
            "At the door stood {helper}, tired from a long way.",
        ),
        (
            "{name} was afraid at first, but opened the door and shared everything.",
            '"Come in," said {name}, "there is room for two."',
        ),
        (
            "When spring came, the {helper_bare} brought back a hundred flowers, and the {animal} "
            "was never alone again.",
            "From then on they spent every winter together, and the house was always warm.",
        ),
    ),
)
_HOMES = ("in a quiet forest", "by a blue lake", "on a green hill", "near an old mill")
_WEATHERS = ("sunny", "rainy", "windy", "foggy")
_THINGS = ("golden key", "red scarf", "little lamp", "old map", "silver bell")
_HELPERS = ("owl", "hedgehog", "mouse", "crow", "turtle", "rabbit")
# The hero's own name, where the wish gives none: fixed for each animal, so that it can be learned.
_NAMES = ("Milo", "Luna", "Pip", "Nela", "Taro", "Finn", "Bella", "Oskar")


def story(rng: random.Random, state: State, split: Split) -> Turn:
    animal = rng.choice(names.ANIMALS)
    colour = rng.choice(names.COLOURS) if rng.random() < 0.4 else None
    name = names.person_name(rng) if rng.random() < 0.4 else None
    if rng.random() < 0.15:
        animal, colour, name = rng.choice(names.ANIMALS[:8]), None, None
        text, keys = typed(rng, _ANY_WISH.pick(rng, split)), ["."]
    else:
        hero = _hero(animal, colour)
        if name:
            hero += rng.choice((f" named {name}", f" called {name}", f" with the name {name}"))
        text = _WISH.pick(rng, split).format(hero=hero)
        protected = [animal, *([colour] if colour else []), *([name] if name else [])]
        text = typed(rng, text, protected=protected)
        keys = [animal, *([colour] if colour else [])]
    if name:
        name = as_typed(text, name)
        keys.append(name)
    told = _told(rng, animal, colour, name or _usual_name(animal))
    return Turn("stories", text, told, tuple(keys))


def _hero(animal: str, colour: str | None) -> str:
    return f"{with_article(colour)} {animal}" if colour else with_article(animal)


def _usual_name(animal: str) -> str:
    return _NAMES[names.ANIMALS.index(animal) % len(_NAMES)]


def _told(rng: random.Random, animal: str, colour: str | None, name: str) -> str:
    helper = rng.choice([helper for helper in _HELPERS if helper != animal])
    home = rng.choice(_HOMES)
    slots = {
        "animal": animal,
        "colour_a": _hero(animal, colour),
        "name": name,
        "home": home,
        "home_upper": home[0].upper() + home[1:],
        "weather": rng.choice(_WEATHERS),
        "thing": rng.choice(_THINGS),
        "helper": with_article(helper),
        "helper_bare": helper,
    }
    return " ".join(rng.choice(step).format(**slots) for step in rng.choice(_PLOTS))
