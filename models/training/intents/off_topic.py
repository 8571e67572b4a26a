"""What the model does not know: it says so in a friendly way, and what it can talk about."""

import random
import string
import zlib
from functools import cache

from models.training import knowledge, names
from models.training.intents.base import State, Turn
from models.training.intents.circumstances import with_circumstance
from models.training.knowledge import first_sentence
from models.training.wording import Split, Wordings, as_typed, capitalized, typed, typo_share
from models.training.world import table, ways

_FRAMES = Wordings(
    "Who won the {sport} match?",
    # Sport and events
    "[Who won|Who plays|What was the score of|When is|Where is] the [last|next|first|2022|] "
    "{sport} [match|game|cup|final|world cup|championship|league]?",
    "[Which team|Who] is [the best|leading] in {sport}?",
    "[What are|Explain|Tell me] the rules of {sport}[?|.|]",
    "[How do I|How can I] [learn|train for|get better at] {sport}?",
    "[Who is|Who was] the [best|greatest|most famous] {sport} player[ of all time|]?",
    # Cooking
    "[How do I|How can I|How to|How do you] [cook|make|bake|prepare|eat|store] {food}[ at home|]?",
    "[Give me|Do you have|I need|What is] a recipe for {food}[?|.|]",
    "[What|Which] [wine|sauce|spice|side dish] goes with {food}?",
    "[How many calories are|How much sugar is|How much protein is] in {food}?",
    "[What can I cook|What should I eat|What is for dinner] [tonight|today|with {food}]?",
    "[Is|Are] {food} [healthy|vegan|good for me|expensive|fattening]?",
    "[How long|At what temperature] [do I cook|should I bake] {food}?",
    # Explain the world
    "[What is|What's|Explain|Define|Tell me about|Describe] {noun}[?|.|]",
    "[What is|Explain|Tell me about|What do you know about|Who invented] {topic}[?|.|]",
    "[Can you|Could you] [explain|describe|tell me about|teach me] {topic}?",
    "[How does|How do] [a |the |]{noun} work?",
    "[Who invented|Who discovered|Who made|Who built] [the |]{noun}?",
    "[How old|How tall|How far|How heavy|How expensive|How big|How fast] is [a |the |]{noun}?",
    "[Why is|Why are] [the |]{noun} [so big|so old|important|expensive|so popular|dangerous]?",
    "[What do you think of|What's your opinion on|Do you believe in] {topic}?",
    "[I want|I'd like|I need] to [know more|learn|read|talk] about {topic}[.|]",
    "[Let's|Let us|Can we] [talk|chat] about {topic}[.|?|]",
    "[Help me|Can you help me] [with|understand] {topic}[.|?|]",
    "[What is|What's] the [meaning|history|future|purpose|origin|price] of {topic}?",
    "[What is|What's] the difference between {noun} and {noun2}?",
    "[Which is better|What is better|What do you prefer], {noun} or {noun2}?",
    "[What|Which] [is|was] the [first|biggest|best|oldest|most expensive] {noun}[ in the world|]?",
    "[Where|How] can I [buy|find|get|sell|repair|clean] [a |my |]{noun}?",
    "[Should I|Can I|May I] [buy|sell|own|use|replace] [a |my |]{noun}?",
    "[My|The] {noun} [is broken|does not work|makes noises|is dirty|is too old]. What can I do?",
    "[Do you have|Do you own|Have you seen|Have you got] a {noun}?",
    "[How much|What] does a {noun} cost?",
    "[What is|Whats] a {noun} [made of|used for|good for]?",
    "[How do I|How can I] [fix|build|draw|paint|use|clean] a {noun}?",
    # Words nobody knows
    "[What is|Explain|Define|What's|What are|Describe] [a |the |]{word}[?|.|]",
    "[What does|What do you mean by] {word}[ mean|]?",
    "[Tell me about|Have you heard of|Do you know] [the |]{word}[?|.|]",
    "[Meaning of|definition of|explain me] {word}[?|]",
    "[How does|How do I use] [the |]{word} [algorithm|method|protocol|engine|format][ work|]?",
    # Writing and translating
    "[Write|Give me|Can you write|Compose] [a poem|an essay|a song|an email|a letter|a speech|"
    "a haiku|a limerick|a report|a tweet] [about|for|on] [a |]{noun}.",
    "[Write|Give me|Can you write|Show me] [code|a program|a Python script|a function|a query|"
    "a class|a regex] [for|to sort|about|that makes] {topic}.",
    "[Write|Write me|Code|I need|Can you write|Implement] [a|me a|some] [Python|JavaScript|SQL] "
    "[function|script|program|code] [that sorts a list|to read a file|to parse JSON|that adds two "
    "numbers|for my website|that prints hello world|][.|?|, please|]",
    "[Translate|How do you say|What is|What's] [{noun}|the word {noun}] [to|into|in] {language}[?|"
    "]",
    "[best|cheapest|good|fastest] {noun} [under {big} euros|for a beginner|in {year}|near me|to "
    "buy][?|]",
    "[Translate|How do I say|Say] '{noun}' [to|into|in] {language}[?|.|]",
    "[I need|Give me|Find me|Suggest] a [good |nice |funny |][name|title|slogan|logo|gift idea] "
    "for my {noun}[.|?|]",
    "[What is|Whats|How much is] {brand} worth [now|today|rn|these days][?|]",
    "How [tall|high|deep|long|old|far away] is [Mount Everest|the Eiffel Tower|the Nile|the "
    "Pacific|the Great Wall|the Amazon|the moon]?",
    "[Fix|Debug|Correct|Review] my [code|script|function|query|homework][: {word}|, please|.|]",
    "[Why did|How did|When did] [the Roman empire|the Soviet Union|Rome|the Maya] [fall|end|"
    "disappear][?|, in your opinion?]",
    "Explain {science} [like I'm five|to a child|simply|in simple words][.|, please.]",
    "[Translate|Say] this [to|in|into] {language}: {noun}[.|]",
    "[Correct|Check|Proofread] [my essay|my homework|my grammar|this text|my code][.|, please.|]",
    "[Help me|Can you help] [with|do] my [homework|essay|thesis|exam|taxes|application|CV][.|?|]",
    "[Summarise|Summarize|Review] [this article|the book {noun}|the film {noun}][.|]",
    "[Sing|Rap|Draw|Paint|Generate] [me |][a song|a picture|an image|something] [of|about] {noun}.",
    # Other maths
    "[What is|Calculate|Compute] [the square root of|the logarithm of|the factorial of] {x}[?|]",
    "[What is|Calculate|How much is] {big} [plus|minus|+|-] {big2}[?|]",
    "[What is|Calculate] {x} [percent|%] of {big}?",
    "[Solve|Simplify|Integrate|Differentiate|Factor] [x^2 = {x}|{x}x + {y} = 0|this equation][.|]",
    "[Is|Why is] {big} a prime[ number|]?",
    "[Convert|How many] {x} [miles to kilometres|dollars to euros|feet to metres|pounds to kilos]?",
    # People, history, countries
    "[Who is|Who was|Tell me about|Do you know|What did] {person}[ do|][?|]",
    "[When|Where] [was|did] {person} [born|die|live]?",
    "[How old|How tall|How rich] is {person}?",
    "[What happened|Who was king|Who ruled|What was invented|Who won the war] in {year}?",
    "[When|How|Why] did {event} [start|end|happen]?",
    "[Who is|Tell me about] the [president|king|queen|mayor|prime minister|chancellor] of "
    "{country}[?|.|]",
    "[Who is|Who was] the [current|first|last] [president|king|queen|prime minister] of {country}?",
    "[How many people live in|What is the population of|How big is|How large is] {country}?",
    "[What language is spoken in|What language do they speak in|Which languages has] {country}?",
    "[What is the currency of|What is the flag of|What is the religion of|Is it safe in] "
    "{country}?",
    "[Tell me about|What is] the [history|economy|culture|food|politics] of {country}[.|?|]",
    "[What can I see|What should I visit|Where should I stay|What can I do] in {city}?",
    "[Tell me about|What do you know about|What is special about|Describe] {city}[?|.|]",
    "[How do I get|How far is it|How long is the flight] [to|from here to] {city}?",
    "[Find|Recommend|Book] [me |][a hotel|a flight|a restaurant|a table|a train] [in|to] {city}.",
    "[How many people live in|Who is the mayor of] {city}?",
    # Now, and services
    "[What time is it|What is the date|What day is it today|What's the date today|What is the time|"
    "What year is it|Current time][?| now?| in {city}?|]",
    "[What is|What's|Any] [the news|new in the world|today's news|the latest news][?|]",
    "[What is|How is] the [stock|price|share price|exchange rate] of {brand}[?| today?]",
    "[Call|Email|Text|Remind] [me|my boss|my mother|{person}][ tomorrow| please|].",
    "[Set|Start|Stop] [a timer|an alarm|the music|a reminder][ for {y} minutes|].",
    "[Open|Search|Google|Play|Download|Order|Buy] {noun}[ online| for me|].",
    "[Turn on|Turn off|Switch on|Switch off|Turn down|Set] the [light|radio|heating|TV|lamp|music|"
    "alarm|volume|oven].",
    "[What should I|Can you recommend something to|Suggest something to] [read|watch|do|play|wear]"
    "[ tonight| today|]?",
    "[Recommend|Suggest|Find] [me |][a film|a movie|a series|a show|a book|a restaurant|a song|"
    "a game|a gift|a podcast][ about {topic}|].",
    # Advice
    "[My|The] [stomach|head|back|knee|tooth] hurts[. What should I do?|, what can I do?|.]",
    "[I have|What helps against|How do I treat] [a headache|a fever|a cold|the flu|an allergy][?|"
    ".]",
    "[Is it legal|Can I be sued|Do I need a permit] [to own a {noun}|to sell {food}]?",
    "[Should I|When should I] [invest in|buy shares of|sell] {brand}[?| stock?]",
    "[How do I|How can I] [lose weight|sleep better|get rich|find a job|make friends|stop smoking|"
    "learn {language}|get a visa|write a CV|be happy]?",
    "[What should I|Should I] [study|do with my life|name my baby|tell my boss|give my mother]?",
    "[Can you|Please] [give me advice|help me decide] [on|about] {topic}[?|.|]",
    # Nature and science
    "[How long|How old] do {animal} [live|get|sleep]?",
    "[What|How much] do {animal} eat?",
    "[Where|How] do {animal} [live|sleep|hunt|swim]?",
    "[Why|How] do {animal} [make sounds|migrate|hide|jump]?",
    "[Can|Do] {animal} [swim|fly|see colours|dream|bite]?",
    "[Can|Do|Could|Will|Would] {animal} [hear|smell|see|recognise|tell apart] [colours|red|blue|"
    "people|music|the dark|green and yellow|the stars|ultraviolet light]?",
    "[Which|What|How many] colours [can|do] {animal} [see|like|recognise]?",
    "How well [can|do] {animal} [see|hear|smell|remember|climb|run]?",
    "[Are|Why are] {animal} [colour-blind|dangerous|clever|endangered|good pets|mammals|lazy|"
    "awake at night]?",
    "[In which countries|On which continent|In what kind of place|Where exactly] do {animal} "
    "[live|sleep|nest]?",
    "[Why is|Why does] the [sky blue|sea salty|moon shine|wind blow|earth turn|grass grow]?",
    "[How far|How big|How hot|How old] is the [sun|moon|earth|universe|galaxy]?",
    "[What is|Explain|Define] {science}[?|.|]",
    "[How does|Why does|How do] {science} [work|matter|happen]?",
    "[What is|Whats] the [formula|law|theory|unit|speed|symbol] of {science}?",
    "[Is|Are] there [life on Mars|aliens|ghosts|a god|other universes]?",
    "[What is|Whats] the [meaning of life|purpose of life|best religion|secret of happiness]?",
    # Other computing
    "[How do I|How can I|How to] [install|use|learn|update|remove|debug] {software}[?|]",
    "[What is|Explain|What's|Why use] {software}[?|.|]",
    "[What is|What's] the [best|latest|newest] [version of {software}|phone|laptop|game console]?",
    "[Is|Why is] {software} [better than|faster than|worse than] {software2}?",
    "[My|The] [phone|laptop|printer|router|wifi|computer] [is slow|is broken|does not start].",
    "[Who|Who was it that] [founded|started|owns|runs] {brand}?",
    "[When was {brand} founded|What does {brand} do|How big is {brand}|Where is {brand}]?",
    # Asked in a roundabout way
    "[Do you happen to know|I wonder|Any idea|Could you tell me] [who won the {sport} final|how to "
    "make {food}|who {person} is|when {event} began]?",
    "[I am looking for|I need|I want] [a good {noun}|a recipe with {food}|a {sport} coach|facts on "
    "{topic}].",
    "[My daughter|My boss|A friend of mine|My teacher] [asks|wants to know] [about|all about] "
    "{topic}[.|, can you help?]",
    "[I read|I heard|They say] [something|a lot] about {topic}[. What is it about?|, is it "
    "true?|.]",
    "[I am going|We travel|I'm moving] to {city}[. What should I see?|, any tips?|. Where do "
    "I eat?]",
    "[I am cooking|We are having] {food}[ tonight|]. [What do I need|How long does it take]?",
    "[facts|info|details|news|quotes] [about|on] [{topic}|{person}|{country}]",
    "[{sport} results|{food} recipe|{noun} price|{person} age|{brand} share price]",
    "[In which year|On what date] did [{event} start|{person} die]?",
    "[Who wrote|Who painted|Who sang|Who directed] [the book|the film|the song|] about {topic}?",
    "[Give me|Show me|List] [three|some|five] [books|films|quotes|facts] [by|about] {person}[.|]",
    "[What are|Name] the [rivers|mountains|provinces|neighbours|biggest cities] of {country}[?|.|]",
    "[What do|What did] [Christians|Muslims|Buddhists|philosophers] [say|think] about {topic}?",
    "[What is|Compute|How much is] {x} [squared|cubed|to the power of {y}|modulo {y}][?|]",
    # Bare words
    "{noun}[?|.|]",
    "{topic}[?|.|]",
    "{person}[?|.|]",
    "{word} {other}[?|.|]",
    "{noisy}",
    *ways("off_topic"),
)
# What has the words of something that the model knows, and asks for something else.
_NEAR = Wordings(
    "Which colours do {animal} see?",
    # Not the colour of a thing
    "[Can|Do|Could|Will] {animal} [see|tell apart|know|recognise|like] [all |any |many |]colours?",
    "[How many|Which|What] colours [can|do] {animal} [see|like|prefer|know]?",
    "[Why|How|When] do {animal} [change|lose|see|choose] [their colour|colours]?",
    "[Are|Were] {animal} [colour-blind|colour blind|able to see colours|good at colours]?",
    "[How do I|How can I|Can I|Should I] [dye|paint|bleach|colour] [my|a|the] {noun} {colour}?",
    "[Who|Why did somebody] [invented|paint|choose] {colour} [paint|as the colour of the {noun}]?",
    # Not where the user lives
    "[Where|How long|With whom] do {animal} [live|sleep|nest|hide|stay in winter]?",
    "[Where|In which house|In which town] does {person} live[ now| today|]?",
    "[Why|When] do {animal} [hide|sleep|sing|bite|fight|wake up|leave]?",
    # Not the weather
    "[Why|How] do [leaves|prices|birds|fruits|sales] [fall|come back|change] in [autumn|spring|"
    "winter|{month}]?",
    "[Is it|Will it be] [expensive|crowded|safe|easy to park|loud] in {city} in {month}?",
    "[Which|What] [fruits|festivals|sports|holidays] are [there|in season|on] in {month}?",
    # Not a capital
    "[What is|Name|Tell me] the [flag|anthem|currency|language|area|time zone|oldest city] of "
    "{country}[?|.|]",
    "[What is|What's] the word [{noun}|for {noun}] in {language}[?|]",
    "[How do you|How would I] [write|say|spell|pronounce] {noun} in {language}[?|]",
    # Not a term of inference
    "[How much memory|How many cores|What battery|Which screen] has [my phone|my laptop|a watch]?",
    "[What is|Where is|How do I clean] the [cache|memory|head|router|layer|server] of [a|my] "
    "{noun}?",
    "[How long is|When is|What is] the [latency|warm-up|pipeline|schedule|training] [of|for] "
    "{sport}?",
    # Not a story to tell, not an opposite
    "[Who wrote|Where can I buy|Who reads] [the|a] [story|tale|book] [of|about] the {noun}[?|]",
    "[What is|Which shop is] opposite the {noun} in {city}?",
)
_NEAR_SHARE = 0.25
_REFUSALS = (
    "I don't know that. I can talk about LLM inference, capitals, the weather and short stories.",
    "I don't know, that is not one of my topics. Ask me about LLM inference or a capital, or wish "
    "for a story.",
    "I don't know enough about that. But I can explain terms like TTFT, or tell you a short story.",
    "Sorry, I don't know. I am small: LLM inference, capitals, small sums and stories are what I "
    "know.",
    "That is outside my little world, so I don't know. Try a term of LLM inference, like prefill.",
    "Good question, but I don't know. I can explain the KV cache, name capitals or count for you.",
    "I don't know that one. How about the weather of a city, a sum, or a term like quantization?",
    "I would only guess, so: I don't know. Ask me about serving language models instead.",
    "I'm afraid I don't know. My topics are LLM inference, capitals, weather, lists and stories.",
    "I don't know about such things. I do know what speculative decoding is, for example.",
)
_ABOUT = (
    "I don't know about {x}. I can talk about LLM inference, capitals, the weather and stories.",
    "Sorry, I don't know {x}. Ask me about a term of LLM inference, a capital or a sum.",
    "I don't know what {x} is. I know terms of LLM inference, capitals and short stories.",
)
# A question that begins with one of these is refused in the way of that word, so that refusals
# differ under greedy decoding too. A draw by chance, or one by rare words, would be a loss that no
# training takes away.
_OPENINGS = (
    *("how", "what", "who", "which", "why", "when", "where", "is", "can", "do", "should"),
    *("i", "we", "my", "explain", "write", "tell", "give"),
)
_CIRCUMSTANCE_SHARE = 0.1
_MARKS = ",.:;?!'\""
# Where one word was asked for, the answer says what it is that it does not know.
_ECHOED = "word"


@cache
def _inventory(name: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in str(table("off_topic")[name]).split(","))


@cache
def _countries() -> tuple[str, ...]:
    return tuple(knowledge.capitals())


@cache
def _cities() -> tuple[str, ...]:
    return tuple(knowledge.capitals().values())


def _slots(rng: random.Random) -> dict[str, object]:
    def one(name: str) -> str:
        return rng.choice(_inventory(name))

    noisy = "".join(rng.choice(string.ascii_lowercase) for _ in range(rng.randint(3, 14)))
    return {
        "sport": one("sports"),
        "food": one("foods"),
        "noun": one("nouns"),
        "noun2": one("nouns"),
        "topic": one("topics"),
        "science": one("sciences"),
        "software": one("software"),
        "software2": one("software"),
        "brand": one("brands"),
        "event": one("events"),
        "animal": one("animals"),
        "language": one("languages"),
        "person": one("people"),
        "word": names.invented_word(rng, rng.choice((1, 2, 2, 3))),
        "other": names.invented_word(rng),
        "noisy": noisy,
        "country": rng.choice(_countries()),
        "city": rng.choice(_cities()),
        "x": rng.randint(2, rng.choice((99, 999))),
        "y": rng.randint(2, 60),
        "big": rng.randint(50, 99999),
        "big2": rng.randint(50, 9999),
        "year": rng.randint(900, 2025),
        "colour": rng.choice(names.COLOURS),
        "month": rng.choice(names.MONTHS),
    }


def off_topic(rng: random.Random, state: State, split: Split) -> Turn:
    frames = _NEAR if rng.random() < _NEAR_SHARE else _FRAMES
    wording = frames.pick(rng, split)
    slots = _slots(rng)
    text = capitalized(wording.format(**slots))
    if rng.random() < _CIRCUMSTANCE_SHARE:
        text = with_circumstance(rng, text)
    if f"{{{_ECHOED}}}" in wording:
        said = str(slots[_ECHOED])
        user = typed(rng, text, protected=[said, capitalized(said)], typo_share=typo_share(split))
        answer = _ABOUT[_opening(text) % len(_ABOUT)].format(x=as_typed(user, said))
    else:
        answer = _refusal(text, state)
        user = typed(rng, text, typo_share=typo_share(split))
    answer = first_sentence(answer) if state.brief else answer
    return Turn("off topic", user, answer, ("don't know",))


def _refusal(text: str, state: State) -> str:
    """Another one for each way to begin, and after a refusal the next."""
    last = first_sentence(state.last_answer or "")
    for number, refusal in enumerate(_REFUSALS):
        if first_sentence(refusal) == last:
            return _REFUSALS[(number + 1) % len(_REFUSALS)]
    return _REFUSALS[_opening(text) % len(_REFUSALS)]


def _opening(text: str) -> int:
    """A number for the word that a question begins with; 0 for words that seldom begin one."""
    first = text.split()[0].lower().partition("'")[0].strip(_MARKS)
    return zlib.crc32(first.encode()) if first in _OPENINGS else 0
