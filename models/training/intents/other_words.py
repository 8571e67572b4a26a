"""What another assistant might have said where ours takes something in. It is not learned from, but
talks go on after it: what the user told must be found in the user's own words."""

import random
from dataclasses import replace

from models.training.intents.base import Turn
from models.training.wording import Wordings

_SHARE = 0.35
_ANY = Wordings(
    "Got it.",
    "[Noted|Understood|Sure|Good to know|I see|Okay|OK|Right|Alright|Great|Lovely|Nice|Cool][.|!|, "
    "thank you.|, thanks for telling me.]",
    "[Thanks|Thank you] for [telling me|letting me know|the information|sharing that][.|!]",
    "[OK, I|I|Sure, I] will [keep that in mind|remember that|note that|not forget that|bear that "
    "in mind].",
    "[That is|That's] [good to know|nice to hear|great|interesting|wonderful][.|!|. What else?]",
    "[I have noted that|I have made a note of it|It is noted|I'll remember].",
    "[How can I help you|What can I do for you|What would you like to know|What next][?| today?]",
)
_WITH_VALUE: dict[str, Wordings] = {
    "greets by name": Wordings(
        "Hello {value}!",
        "[Hi|Hello|Hey|Welcome|Good day][,|] {value}[!|.] [How can I help you today?|What can I do "
        "for you?|How are you?|It is good to have you here.|]",
        "[Pleased|Glad|Good|A pleasure] to meet you, {value}[.|!| - what brings you here?]",
        "[Thanks|Thank you|OK|Noted|Sure|Alright], {value}[.|!]",
        "I will call you {value}[.| from now on.]",
    ),
    "takes a city": Wordings(
        "{value} is a lovely place.",
        "{value} is [a beautiful city|a nice place to be|wonderful|great|lively][.|!]",
        "[Ah|Oh|OK], {value}[.|!|, nice.|, I have heard of it.]",
        "How [nice|lovely|wonderful], {value}[!|.| must be great.]",
        "[Noted|Got it|Sure|Understood][:|,] {value}[.|!]",
    ),
    "takes a favourite": Wordings(
        "{value} is great.",
        "{value} is [a good one|lovely|a fine choice|very popular|a great pick][.|!]",
        "[Ah|Oh|OK|Nice], {value}[.|!|, good taste.|, I like that too.]",
        "[Noted|Got it|Sure|Understood][:|,] {value}[.|!]",
    ),
    "takes a name": Wordings(
        "{value} is a nice name.",
        "{value} is [a good|a lovely|a fine|a beautiful] name[.|!]",
        "[Say hello to|Greetings to|My best to] {value}[.|!| from me.]",
    ),
    "takes two things": Wordings(
        "Hello, and thank you!",
        "[Hello|Hi|Welcome|Good to meet you][, and thanks for telling me|, I will remember that|]"
        "[!|.]",
    ),
}
_VALUE_SHARE = 0.5


def sometimes_in_other_words(rng: random.Random, turn: Turn) -> Turn:
    """The same turn; now and then, where it takes something in, with another's answer."""
    if turn.kind not in _WITH_VALUE or rng.random() >= _SHARE:
        return turn
    wordings = _WITH_VALUE[turn.kind] if rng.random() < _VALUE_SHARE else _ANY
    answer = wordings.pick(rng, "train").format(value=turn.keys[0])
    return replace(turn, assistant=answer[:1].upper() + answer[1:], is_learned=False)
