"""Short stories on a wish: any of a hero, a look, a name and a place, told in one of five plots.

The first sentence of a story holds every wished thing as it was typed; no sentence begins with the
name, and none says "he", "she" or "it" of the hero, so that any hero fits.
"""

import random
import re
from dataclasses import dataclass

from models.training import knowledge, names
from models.training.intents.base import State, Turn
from models.training.intents.plots import HELPERS, OPENINGS, THINGS, told
from models.training.wording import Split, Wordings, as_typed, capitalized, typed

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

_NAMED = Wordings(
    "{hero} named {name}",
    "{hero} [named|called|with the name|by the name of|whose name is] {name}",
    "{hero} [named|called] {name}",
    "{name}[,| -| who is] {hero}",
    "{name}, {hero}",
    "{name} the {bare}",
    "{name}, the {bare}",
    "{hero}, {name}",
    "[my|my|our|the|this] {bare} {name}",
    "[my|our|the] {bare}, [named |called |]{name}",
    "{hero} ([named|called|its name is|name:] {name})",
)
_AT_HOME = Wordings(
    "{hero} {place}",
    "{hero} who lives {place}",
    "{hero}[,|] [who|that] [lives|is living|lived|sleeps] {place}",
    "{hero} [living|alone|lost|far away] {place}",
    "{hero} {place}",
)
_WISH = Wordings(
    "Tell me a short story about {about}.",
    "[Tell|Tell me|Tell us|Write|Write me|Give me|Make up|Invent|Create] a [short |little |nice |]"
    "[story|tale] [about|with|of] {about}.",
    "[Can|Could|Would|Will] you [please |][tell|tell me|write|write me|make up|invent] a [short |]"
    "[story|tale] [about|with] {about}?",
    "[I want|I would like|I'd like|I need|I'd love|I wish for|I am looking for] a [short |nice |]"
    "[story|bedtime story|tale|fairy tale] [about|with] {about}.",
    "[I want to|I would like to|I'd love to|Let me] [hear|read] [a story|a tale] about {about}.",
    "[A story|Story|Short story|A tale|A short story|Bedtime story|Fairy tale] [about|with] "
    "{about}[, please| please|].",
    "[A story|Story|Short story|A tale][, please, about| please about|, about|:| of|] {about}[.|]",
    "[Do you know|Have you got|Do you have|Is there] a [story|tale|fairy tale] about {about}?",
    "[Once more: tell|Next: tell|Now tell|OK now tell|And now tell] me [a story|one] about "
    "{about}.",
    "[Another|One more|A new|A different] [story|one], [this time |now |]about {about}.",
    "[Write|Tell me|Give me] something [short|nice|funny] about {about}, like a story.",
    "[Write|Tell|Make up] something [short |nice |little |]about {about}.",
    "[I want|I need|Tell me|Give me|Can I have] a [bedtime story|story|good night story] for my "
    "[daughter|son|kids|children|little sister|nephew][:| about|, about] {about}.",
    "My [daughter|son|kid|little brother|niece] [wants|would like|asks for] a story "
    "[about|with] {about}.",
    "My [daughter|son|baby] [cannot|can't] sleep. [Tell|Write] a story about {about}.",
    "[It is|It's] bedtime. [Tell me|Tell us] [a story|something] about {about}.",
    "I'm bored, [tell me|write|make up] a story about {about}.",
    "[Make up|Invent|Write|Tell] a [story|tale] [in which|where] the [hero|main character] is "
    "{about}.",
    "[The hero|The main character|My hero] [is|should be] {about}. [Tell me|Write] the story.",
    "[Tell a story|A story|Write a story|Story]. [Hero|Main character|The hero is][:|] {about}.",
    "[Do|Tell|Write|Compose] [me a|a] [few lines|small text|mini story|tiny tale] about {about}.",
    "[Entertain me|Surprise me|Amuse me] with a [story|tale] about {about}.",
    "{upper}[: tell me a story|: story please|. Story, please|, a story please|: a short story].",
    "[What happened to|What is the story of|What's the story of] {about}? Tell me [a|the] story.",
    "[Imagine|Think of|Picture] {about}[ and| and then|. Now] [tell|write] [me |]a story.",
    "[How about|What about|Maybe] a [story|tale|short story] [about|with] {about}?",
)
# A whole clause instead of a noun: the hero, perhaps with the name, does something at the place.
_CLAUSE_WISH = Wordings(
    "Tell me a story where {hero} lives {place}.",
    "[Tell me|Write|Make up|Can you tell me|Could you write] a [story|tale|short story] "
    "[where|in which] {hero} [lives|is|wakes up|gets lost] {place}.",
    "[Tell me|Write|Make up|Give me] a [story|tale] that [happens|takes place|plays|is set] "
    "{place}[, with| with| and is about|, about] {hero}.",
    "[Tell me|Write|Give me|I want] a story set {place}[, with| with|, about| about] {hero}.",
    "[Story|A story|A short story|Tale] [of how|where] {hero} [lives|lived] {place}[, please|].",
    "[What happens|What would happen] when {hero} [lives|is] {place}? Tell me a story.",
    "{upper} lives {place}. [Tell me|Write|Make] [the story|a story|a story about that].",
)
_PLACE_WISH = Wordings(
    "Tell me a story that takes place {place}.",
    "[Tell me|Write|Make up|Can you tell|I want] a [story|short story|tale] [that takes place|set|"
    "that happens|that plays|which is set] {place}.",
    "[A story|Story|Short story|A tale|Bedtime story] {place}[, please| please|].",
    "[Tell me|I'd like|Could you write] a story about life {place}.",
    "[Something|A story] that [happens|happened] {place}[, please|].",
)
_ANY_WISH = Wordings(
    "Tell me a story.",
    "[Tell|Tell me|Tell us|Write|Give me|Make up|Invent|Read me] a [short story|story|bedtime "
    "story|tale|fairy tale|good night story|nice story].",
    "[Can|Could|Would|Will] you [please |][tell|write|make up] [me |]a [story|short story|tale]?",
    "[I want|I'd like|I would like|I'd love|I need] [a story|to hear a story|a bedtime story|"
    "a short story|a fairy tale].",
    "[A story|Story|Bedtime story|Short story|Story time|Fairy tale][, please| please|!|].",
    "[I'm bored|I am bored|So boring here|I can't sleep|I cannot sleep], [tell me something|"
    "tell me a story|a story please|can you tell me a story|do you have a story].",
    "[Do you know|Do you have|Have you got|Got] [a story|any stories|a tale|some story][ for me|]?",
    "[Tell me|Write|Make up] [any story|some story|a story about anything|whatever story].",
    "[A story|A bedtime story|Tell a story] for my [daughter|son|kids|children|little brother].",
    "[Another story|One more story|A new story|A different story][, please| please|].",
    "[Entertain me|Surprise me|Amuse me] with a [story|tale].",
    "My [daughter|son|kid] [wants|needs|would like] a [story|bedtime story].",
    "[Are you able to|Is it possible to|Do you know how to] [tell|write] [a story|stories]?",
    "[I wonder|I was wondering] if you [can|could] tell [me |]a story.",
)
# Such a wish is one for a story only after a story.
_NEXT_WISH = Wordings(
    "Another one.",
    "[Another one|One more|Another|Next one|A new one][, please| please|].",
    "[Tell me|Give me|Can I have|I want|Write] [another one|one more|a different one|another].",
    "[That was nice|Nice story|I liked it|Great|Lovely], [another one|one more][, please| "
    "please|].",
)
# Wishes in pieces: "hero: fox, name: Bibi", "fox, Bibi, Paris", "The hero is a fox. …".
_OPENS = Wordings(
    "Tell me a story.",
    "[Tell me a story|Make up a story|Write a story|Story|Short story|A story|Story please][.|:|,]",
    "[I want a story|Please write a story|Give me a short story|Story with][.|:]",
)
_LABELS = {
    "hero": ("hero", "animal", "character", "main character", "about", "who"),
    "look": ("colour", "color"),
    "trait": ("trait", "kind", "type"),
    "name": ("name", "called", "named", "name of hero"),
    "place": ("place", "home", "where", "setting", "location", "lives"),
}
_SENTENCES = {
    "hero": (
        *("The hero is {}.", "It is about {}.", "The main character is {}.", "It's about {}."),
        *("Make the hero {}.", "There should be {} in it."),
    ),
    "name": (
        *("The name is {}.", "The hero is called {}.", "Call the hero {}.", "Name: {}."),
        *("Let the name be {}.", "The name should be {}."),
    ),
    "place": (
        *("It takes place {}.", "It happens {}.", "The hero lives {}.", "Let it happen {}."),
        *("The story is set {}.", "All this {}."),
    ),
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
        asked = _NEXT_WISH if told_before and rng.random() < 0.5 else _ANY_WISH
        text = asked.pick(rng, split)
    elif wish.hero and rng.random() < 0.2:
        text, bare = _in_pieces(rng, wish, split)
    else:
        text = _worded(rng, wish, split)
    # A wish that begins with one of its things may change the case of the first letter.
    protected = [case(thing) for thing in wish.things for case in (str, str.lower, capitalized)]
    text = typed(rng, text, protected=protected)
    return _answered(rng, state, text, wish, bare_place=bare)


def _wish(rng: random.Random) -> _Wish:
    draw = rng.random()
    if draw < 0.1:
        return _Wish()
    if draw < 0.14:
        return _Wish(place=_place(rng))
    name = names.person_name(rng) if rng.random() < 0.5 else None
    place = _place(rng) if rng.random() < 0.35 else None
    if draw < 0.2:
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
        return _PLACE_WISH.pick(rng, split).format(place=wish.place)
    about = _named(rng, wish, split)
    if wish.place and rng.random() < 0.3:
        pattern = _CLAUSE_WISH.pick(rng, split)
        return pattern.format(hero=about, upper=capitalized(about), place=wish.place)
    if wish.place:
        about = _AT_HOME.pick(rng, split).format(hero=about, place=wish.place)
    return _WISH.pick(rng, split).format(about=about, upper=capitalized(about))


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
    return _NAMED.pick(rng, split).format(hero=hero, bare=bare, name=wish.name)


def _in_pieces(rng: random.Random, wish: _Wish, split: Split) -> tuple[str, bool]:
    """The wish as labels, sentences or keywords, and whether it says only the place's noun."""
    opening = _OPENS.pick(rng, split)
    assert wish.hero is not None
    phrase = f"{wish.look} {wish.hero}" if wish.look else wish.hero
    form = rng.choice(("labels", "labels", "sentences", "keywords"))
    if form == "sentences":
        hero = _with_article(phrase)
        given = {"hero": hero, "name": wish.name, "place": wish.place}
        if (wish.name or wish.place) and rng.random() < 0.5:
            opening = _WISH.pick(rng, split).format(about=hero, upper=capitalized(hero))
            del given["hero"]
        sentences = [
            rng.choice(_SENTENCES[label]).format(value) for label, value in given.items() if value
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
        f"{rng.choice(_LABELS[label])}{mark}{value}" for label, value in given.items() if value
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
    return Turn("stories", text, told(rng, slots, brief=state.brief), tuple(keys) or (".",))


def _with_article(noun: str) -> str:
    return f"a {noun}" if noun.startswith("uni") else names.with_article(noun)
