"""How people wish for a story, with slots for what it is to have."""

from models.training.wording import Wordings
from models.training.world import ways

NAMED = Wordings(
    "{hero} named {name}",
    "{hero} [named|called|with the name|by the name of|whose name is] {name}",
    "{hero} [named|called] {name}",
    "{bare} {name}",
    "[the|a|my] {bare} {name}",
    "{name}[,| -| who is] {hero}",
    "{name}, {hero}",
    "{name} the {bare}",
    "{name}, the {bare}",
    "{hero}, {name}",
    "[my|my|our|the|this] {bare} {name}",
    "[my|our|the] {bare}, [named |called |]{name}",
    "{hero} ([named|called|its name is|name:] {name})",
    "{name}[ - the|, our|, my] {bare}",
    "{hero}, [called|named|name of|and call it|let's call it] {name}",
)
AT_HOME = Wordings(
    "{hero} {place}",
    "{hero} who lives {place}",
    "{hero}[,|] [who|that] [lives|is living|lived|sleeps] {place}",
    "{hero} [living|alone|lost|far away] {place}",
    "{hero} {place}",
)
WISH = Wordings(
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
    "[Tell|Write|Make up|Invent|Think up|Come up with] [something|anything|one|a few sentences|a "
    "little something] [with|about|on|for] {about}.",
    "[The main character|The hero|Our hero|The star|The protagonist] [should be|is|must be|is to "
    "be|will be] {about}. [Write|Tell|Make up|Invent|Begin|Start] [the|a|me a|your] [story|tale].",
    "[What about|How about|Why not|Shall we have|Let's have|Let's do] a [nice|short|funny|little|"
    "quick] [story|tale|fable] [of|about|with|on] {about}?",
    "[Tell|Write|Give me|Read me|Make] a [nice|sweet|happy|sad|cute|lovely|funny] [story|tale|"
    "fairy tale|fable] [about|of|with] {about}.",
    "{upper} [story|tale|short story|bedtime story|fairy tale][, please| please|].",
    "[Write|Tell|Make up|Create] a [story|tale|fable] [for|starring|featuring|involving|around] "
    "{about}.",
    "[Can|Could|Would] you [write|make up|invent|think up] [something|a few lines|a small story|a "
    "text] [where|in which] the [hero|main character] is {about}?",
    "[A|One] [story|tale] [about|with|of] {about}, [if you can|that is all I want|nothing else|"
    "and make it nice|thank you].",
    "[Let|Have] {about} [be|play] the [hero|main character|star] of a [story|tale|short story].",
    *ways("story"),
)
# A whole clause instead of a noun: the hero, perhaps with the name, does something at the place.
CLAUSE_WISH = Wordings(
    "Tell me a story where {hero} lives {place}.",
    "[Tell me|Write|Make up|Can you tell me|Could you write] a [story|tale|short story] "
    "[where|in which] {hero} [lives|is|wakes up|gets lost] {place}.",
    "[Tell me|Write|Make up|Give me] a [story|tale] that [happens|takes place|plays|is set] "
    "{place}[, with| with| and is about|, about] {hero}.",
    "[Tell me|Write|Give me|I want] a story set {place}[, with| with|, about| about] {hero}.",
    "[Story|A story|A short story|Tale] [of how|where] {hero} [lives|lived] {place}[, please|].",
    "[What happens|What would happen] when {hero} [lives|is] {place}? Tell me a story.",
    "{upper} lives {place}. [Tell me|Write|Make] [the story|a story|a story about that].",
    "[Can|Could|Would] you [write|tell|make up|invent] [me |]a [story|tale|fable] [in which|where] "
    "{hero} [lives|is|sleeps|walks around|plays] {place}?",
    "[Tell|Write|Make up|Invent] [something|a tale|a fable|one] that [plays|happens|takes place] "
    "{place}[,|] with {hero}.",
)
PLACE_WISH = Wordings(
    "Tell me a story that takes place {place}.",
    "[Tell me|Write|Make up|Can you tell|I want] a [story|short story|tale] [that takes place|set|"
    "that happens|that plays|which is set] {place}.",
    "[A story|Story|Short story|A tale|Bedtime story] {place}[, please| please|].",
    "[Tell me|I'd like|Could you write] a story about life {place}.",
    "[Something|A story] that [happens|happened] {place}[, please|].",
    "[Something|Anything|A tale|One] [that plays|that takes place|set|from a life] {place}.",
    "[Make up|Invent|Think up|Come up with] [a story|something|a tale] {place}.",
)
ANY_WISH = Wordings(
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
NEXT_WISH = Wordings(
    "Another one.",
    "[Another one|One more|Another|Next one|A new one][, please| please|].",
    "[Tell me|Give me|Can I have|I want|Write] [another one|one more|a different one|another].",
    "[That was nice|Nice story|I liked it|Great|Lovely], [another one|one more][, please| "
    "please|].",
)
# Wishes in pieces: "hero: fox, name: Bibi", "fox, Bibi, Paris", "The hero is a fox. …".
OPENS = Wordings(
    "Tell me a story.",
    "[Tell me a story|Make up a story|Write a story|Story|Short story|A story|Story please][.|:|,]",
    "[I want a story|Please write a story|Give me a short story|Story with][.|:]",
)
LABELS = {
    "hero": ("hero", "animal", "character", "main character", "about", "who"),
    "look": ("colour", "color"),
    "trait": ("trait", "kind", "type"),
    "name": ("name", "called", "named", "name of hero"),
    "place": ("place", "home", "where", "setting", "location", "lives"),
}
SENTENCES = {
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
