"""Short stories on a wish: any of a hero, a look, a name and a place, told in one of five plots.

The first sentence of a story holds every wished thing as it was typed; no sentence begins with the
name, and none says "he", "she" or "it" of the hero, so that any hero fits.
"""

import random
import re
from dataclasses import dataclass

from models.training import knowledge, names
from models.training.intents import story_wordings as wordings
from models.training.intents.base import State, Turn
from models.training.intents.plots import HELPERS, OPENINGS, THINGS, told
from models.training.wording import Split, as_typed, capitalized, typed, typo_share

# People have a trait instead of a colour.
PEOPLE = (
    *("boy", "girl", "princess", "prince", "knight", "wizard", "king", "queen", "witch", "pirate"),
    *("sailor", "farmer", "baker", "painter", "teacher", "doctor", "astronaut", "ninja"),
)
CREATURES = (
    *("robot", "ghost", "giant", "fairy", "elf", "dwarf", "troll", "monster", "mermaid", "alien"),
    *("unicorn", "dinosaur", "snowman", "teddy bear", "computer", "GPU", "kitten", "puppy"),
    *("pony", "parrot", "pig", "cow", "spider", "butterfly", "cloud", "car", "train", "tree"),
)
_HEROES = names.ANIMALS + CREATURES + PEOPLE
_TRAITS = (
    *("little", "small", "tiny", "big", "brave", "clever", "old", "young", "funny", "shy", "happy"),
    *("lonely", "kind", "lazy", "curious", "magic"),
)
PLACES = (
    *("in a forest", "in a castle", "in a small village", "in a big city", "in a cave"),
    *("in a garden", "in a school", "in a zoo", "in a library", "in a museum", "in a tree house"),
    *("in the desert", "in the jungle", "in the mountains", "in the ocean", "in the snow"),
    *("in space", "in Africa", "in a data centre", "in a kitchen", "in a tower", "by the sea"),
    *("by a lake", "by a river", "on the moon", "on Mars", "on a farm", "on an island"),
    *("on a ship", "on a hill", "on a cloud", "on a beach", "at the North Pole"),
    *("at the South Pole", "under the sea", "under a bridge"),
)
_PREPOSITION = re.compile(r"^(?:in|on|at|by) (?:an? |the )?")


def _bare(place: str) -> str:
    """The place as a keyword: without its preposition and article."""
    return _PREPOSITION.sub("", place)


# Where a place given as a keyword is: "forest" is "in a forest".
_PLACE_OF = {_bare(place): place for place in PLACES}
_CITIES = tuple(knowledge.capitals().values())
# The hero of a wish that gives none, and of one that gives only a name.
_USUAL_HEROES = names.ANIMALS[:8]
_NAMED_HERO = "child"
_HOMES = ("in a quiet forest", "by a blue lake", "on a green hill", "near an old mill")
# The name where the wish gives none begins like the hero, so that it can be learned.
_NAMES = {
    name[0].lower(): name
    for name in (
        *("Anton", "Bella", "Coco", "Dino", "Emma", "Finn", "Gina", "Hugo", "Ida", "Jona", "Kira"),
        *("Luna", "Milo", "Nela", "Oskar", "Pip", "Quinn", "Rosa", "Sami", "Taro", "Uma", "Vera"),
        *("Willy", "Xenia", "Yara", "Zoe"),
    )
}


@dataclass(frozen=True)
class _Wish:
    """What a story is asked to have; None is not wished."""

    hero: str | None = None
    look: str | None = None
    name: str | None = None
    place: str | None = None

    @property
    def things(self) -> tuple[str, ...]:
        return tuple(
            thing for thing in (self.hero, self.look, self.name, self.place) if thing is not None
        )


def story(rng: random.Random, state: State, split: Split) -> Turn:
    wish = _wish(rng)
    bare = False
    if not wish.things:
        told_before = (state.last_answer or "").startswith(OPENINGS)
        asked = wordings.NEXT_WISH if told_before and rng.random() < 0.5 else wordings.ANY_WISH
        text = asked.pick(rng, split)
    elif wish.hero and rng.random() < 0.2:
        text, bare = _in_pieces(rng, wish, split)
    else:
        text = _worded(rng, wish, split)
    # A wish that begins with one of its things may change the case of the first letter.
    protected = [case(thing) for thing in wish.things for case in (str, str.lower, capitalized)]
    text = typed(rng, text, protected=protected, typo_share=typo_share(split))
    return _answered(rng, state, text, wish, bare_place=bare)


def _wish(rng: random.Random) -> _Wish:
    draw = rng.random()
    if draw < 0.1:
        return _Wish()
    if draw < 0.16:
        return _Wish(place=_place(rng))
    name = names.person_name(rng) if rng.random() < 0.5 else None
    place = _place(rng) if rng.random() < 0.35 else None
    if draw < 0.22:
        return _Wish(name=name or names.person_name(rng), place=place)
    hero = _wished_hero(rng)
    look = None
    if rng.random() < 0.45:
        has_trait = hero in PEOPLE or rng.random() < 0.25
        look = rng.choice(_TRAITS if has_trait else names.COLOURS)
    return _Wish(hero, look, name, place)


def _wished_hero(rng: random.Random) -> str:
    """Mostly a common one; seldom a made-up word, so that any hero can be copied."""
    draw = rng.random()
    if draw < 0.1:
        return names.invented_word(rng)
    return rng.choice(names.ANIMALS if draw < 0.55 else _HEROES)


def _place(rng: random.Random) -> str:
    draw = rng.random()
    if draw < 0.65:
        place = rng.choice(PLACES)
        return re.sub(" an? ", " the ", place) if rng.random() < 0.25 else place
    city = rng.choice(_CITIES) if draw < 0.92 else names.invented_word(rng).capitalize()
    return f"in {city}"


def _worded(rng: random.Random, wish: _Wish, split: Split) -> str:
    """The wish in a sentence."""
    if wish.place and not (wish.hero or wish.name):
        return wordings.PLACE_WISH.pick(rng, split).format(place=wish.place)
    about = _named(rng, wish, split)
    if wish.place and rng.random() < 0.3:
        pattern = wordings.CLAUSE_WISH.pick(rng, split)
        return pattern.format(hero=about, upper=capitalized(about), place=wish.place)
    if wish.place:
        about = wordings.AT_HOME.pick(rng, split).format(hero=about, place=wish.place)
    return wordings.WISH.pick(rng, split).format(about=about, upper=capitalized(about))


def _named(rng: random.Random, wish: _Wish, split: Split) -> str:
    """Hero, look and name as one noun."""
    if wish.hero is None:
        someone = rng.choice(("{}", "{}", "someone called {}", "somebody named {}"))
        return someone.format(wish.name)
    bare = f"{wish.look} {wish.hero}" if wish.look else wish.hero
    # Not everybody types the article.
    hero = bare if rng.random() < 0.08 else _with_article(bare)
    if wish.look and rng.random() < 0.1:
        hero = f"{_with_article(wish.hero)} {rng.choice(('that', 'which', 'who'))} is {wish.look}"
    if wish.name is None:
        return hero
    return wordings.NAMED.pick(rng, split).format(hero=hero, bare=bare, name=wish.name)


def _in_pieces(rng: random.Random, wish: _Wish, split: Split) -> tuple[str, bool]:
    """The wish as labels, sentences or keywords, and whether it says only the place's noun."""
    opening = wordings.OPENS.pick(rng, split)
    assert wish.hero is not None
    phrase = f"{wish.look} {wish.hero}" if wish.look else wish.hero
    form = rng.choice(("labels", "labels", "sentences", "keywords"))
    if form == "sentences":
        hero = _with_article(phrase)
        given = {"hero": hero, "name": wish.name, "place": wish.place}
        if (wish.name or wish.place) and rng.random() < 0.5:
            opening = wordings.WISH.pick(rng, split).format(about=hero, upper=capitalized(hero))
            del given["hero"]
        sentences = [
            rng.choice(wordings.SENTENCES[label]).format(value)
            for label, value in given.items()
            if value
        ]
        return f"{opening.rstrip(':,.?')}. {' '.join(sentences)}", False
    place = _bare(wish.place) if wish.place else None
    if form == "keywords":
        words = [word for word in (phrase, wish.name, place) if word]
        return rng.choice((" ", ", ")).join([rng.choice(("story", "short story")), *words]), True
    split_look = wish.look is not None and rng.random() < 0.5
    hero = wish.hero if split_look else phrase
    given = {
        "hero": hero if rng.random() < 0.6 else _with_article(hero),
        ("look" if wish.look in names.COLOURS else "trait"): wish.look if split_look else None,
        "name": wish.name,
        "place": place,
    }
    mark = rng.choice((": ", ": ", " = ", " "))
    pieces = [
        f"{rng.choice(wordings.LABELS[label])}{mark}{value}"
        for label, value in given.items()
        if value
    ]
    if rng.random() < 0.4:
        rng.shuffle(pieces)
    return f"{opening} {rng.choice((', ', ', ', '; ')).join(pieces)}", True


def _answered(
    rng: random.Random, state: State, text: str, wish: _Wish, *, bare_place: bool
) -> Turn:
    """The story with each wished thing in the case in which it was typed."""
    place = wish.place
    keys = [as_typed(text, thing) for thing in (wish.hero, wish.look, wish.name) if thing]
    if place and bare_place:
        noun = as_typed(text, _bare(place))
        place = _PLACE_OF.get(_bare(place), place).removesuffix(_bare(place)) + noun
        keys.append(noun)
    elif place:
        place = as_typed(text, place)
        keys.append(place)
    hero = wish.hero or (_NAMED_HERO if wish.name else rng.choice(_USUAL_HEROES))
    bare = as_typed(text, hero) if wish.hero else hero
    name = as_typed(text, wish.name) if wish.name else _NAMES[hero[0].lower()]
    helper = rng.choice([helper for helper in HELPERS if helper != hero])
    slots = {
        "hero": _with_article(f"{wish.look} {bare}" if wish.look else bare),
        "name": name,
        "home": place or rng.choice(_HOMES),
        "thing": rng.choice(THINGS),
        "helper": _with_article(helper),
        "helper_bare": helper,
    }
    told_now = told(rng, slots, brief=state.brief)
    return Turn("stories", text, told_now, tuple(keys) or (".",), is_free=True)


def _with_article(noun: str) -> str:
    return f"a {noun}" if noun.startswith("uni") else names.with_article(noun)
