"""How a story goes: an opening, four steps of one of the plots, and an end."""

import random

OPENINGS = ("Once upon a time there was", "Long ago")
_OPENING = (
    "Once upon a time there was {hero} named {name} who lived {home}.",
    "Long ago {hero} named {name} lived {home}.",
)
_BRIEF = "Once upon a time there was {hero} named {name} who lived {home} and found a good friend."
# Every story closes with one of these.
ENDS = ("and they were friends from that day on.", "and they lived happily ever after.")
# Each plot is four steps after the opening; a step is told in one of its two ways.
_PLOTS: tuple[tuple[tuple[str, str], ...], ...] = (
    (
        (
            "One day {name} lost a {thing} and was very sad.",
            "One morning the {thing} that {name} loved most was gone.",
        ),
        (
            "All day long {name} looked behind every door and under every stone, but the {thing} "
            "was not there.",
            "Poor {name} searched the whole day and asked everybody, but nobody had seen the "
            "{thing}.",
        ),
        (
            'In the evening {helper} came by and said, "Two can see more than one."',
            'Then {helper} heard about the {thing} and said, "Let us look together."',
        ),
        (
            "Together they found the {thing} behind a big old box,",
            "Soon they saw the {thing} under a heap of leaves and laughed out loud,",
        ),
    ),
    (
        (
            "Every night {name} looked up at the stars and wished to touch one.",
            "There was only one thing that {name} wanted: to touch a star.",
        ),
        (
            "One night {name} climbed as high as possible, but the stars were still far away.",
            "Many times {name} jumped as high as possible, but the stars were too far away.",
        ),
        (
            'There {helper} was waiting and said, "Do not look up. Look down into the water!"',
            'With a smile {helper} brought a bowl of water and said, "Now look down, not up."',
        ),
        (
            "In the water a small star was shining, close enough to touch,",
            "There it was, a bright star in the water, and {name} touched the star at last,",
        ),
    ),
    (
        (
            "One cold evening {name} was alone at home with only one piece of bread.",
            "There was only a little soup left when {name} sat down to eat.",
        ),
        (
            "Then somebody knocked at the door: it was {helper}, wet, tired and very hungry.",
            "Suddenly there was a knock, and at the door stood {helper}, tired from a long way.",
        ),
        (
            '"Come in," said {name}, "there is enough for two."',
            "At first {name} was afraid, but then opened the door and shared everything.",
        ),
        (
            "In the morning the {helper_bare} came back with a basket full of cakes,",
            "The {helper_bare} gave {name} a {thing} to say thank you,",
        ),
    ),
    (
        (
            "When the light went out, {name} was always afraid of the dark.",
            "One night {name} could not sleep, for everything was dark and still.",
        ),
        (
            "Under the blanket {name} counted to one hundred, but that did not help at all.",
            "Slowly {name} sang all the songs in the world, but the night did not end.",
        ),
        (
            'Then {helper} sat down at the window and said, "Come and see the stars with me."',
            '"The night is only a blanket for the stars," said {helper} at the window.',
        ),
        (
            "So they counted the stars side by side until both were fast asleep,",
            "Soon the dark was full of little lights and not dark at all,",
        ),
    ),
    (
        (
            "It was the birthday of {name}, but nobody came and the house was quiet.",
            "On the day of the birthday {name} waited for a letter, but no letter came.",
        ),
        (
            "So {name} went for a long walk and felt very alone.",
            "Sad and slow, {name} walked around the house and counted the clouds.",
        ),
        (
            'Behind the corner stood {helper} with a {thing} and called, "This is for you!"',
            'There {helper} jumped out with a {thing} and called, "Happy birthday!"',
        ),
        (
            "They danced, ate cake and sang until the sun went down,",
            "All the neighbours came with cake and music,",
        ),
    ),
)
THINGS = ("golden key", "red scarf", "little lamp", "paper map", "silver bell")
HELPERS = ("owl", "hedgehog", "mouse", "crow", "turtle", "rabbit")


def told(rng: random.Random, slots: dict[str, str], *, brief: bool) -> str:
    """A whole story, or one sentence of it. `slots`: hero, name, home, thing, helper (with their
    articles) and helper_bare."""
    if brief:
        return _BRIEF.format(**slots)
    steps = (_OPENING, *rng.choice(_PLOTS), ENDS)
    return " ".join(rng.choice(step) for step in steps).format(**slots)
