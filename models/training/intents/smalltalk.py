"""Greetings, thanks, goodbyes, what the model is, repeating itself, and what it does not know."""

import random

from models.training import knowledge, names
from models.training.intents.base import State, Turn
from models.training.knowledge import first_sentence
from models.training.wording import Split, Wordings, typed

_PLAIN: dict[str, tuple[Wordings, str]] = {
    "hello": (
        Wordings(
            "Hi",
            "[Hi|Hello|Hey|Hi there|Hello there|Good morning|Good evening|Good day|Greetings]"
            "[!|.||, Dyno!|, nice to meet you.| again!| everyone| my friend]",
        ),
        "Hello! I can talk about LLM inference, capitals and short stories. What would you like?",
    ),
    "how are you": (
        Wordings(
            "How are you?",
            "[Hi, |Hello, |]how are you[ doing| today| feeling|]?",
            "[How is it going|How's it going|What's up|Are you well|How do you do|You OK]?",
        ),
        "I am fine, thank you! What would you like to know?",
    ),
    "thanks": (
        Wordings(
            "Thanks!",
            "[Thanks|Thank you|Many thanks|Thanks a lot|Thank you very much|Cheers][!|.|| Dyno.]",
            "[Great|Good|Nice|OK|Cool|Perfect|Wonderful|Got it][!|, thanks.|, thank you!|.|]",
            "[That was|That is|This is] [helpful|clear|good|very helpful|great][, thanks|].",
        ),
        "You are welcome! Ask me more if you like.",
    ),
    "bye": (
        Wordings(
            "Bye!",
            "[Bye|Goodbye|Bye bye|See you|See you later|Good night|Farewell|Ciao]"
            "[!|.||, Dyno.| soon| tomorrow| and thanks|, my friend]",
            "[I have to go|I must go now|I am leaving|That is all][, bye|].",
        ),
        "Goodbye! It was nice to talk to you.",
    ),
    "help": (
        Wordings(
            "What can you do?",
            "[What|How] can you [help me with|tell me|talk about|answer]?",
            "[What|Which] [topics|questions] [do you know|can you answer|can I ask]?",
            "[Help|Help me|Help!|What now?|What should I ask?|What do you know?]",
        ),
        "I can explain terms of LLM inference, name capitals, count, list things and tell short "
        "stories. Try: What is the KV cache?",
    ),
    "what are you": (
        Wordings(
            "Are you a human?",
            "Are you [a robot|an AI|a machine|real|a bot|a person|ChatGPT|intelligent]?",
            "[How big are you|How many parameters do you have|How large are you]?",
            "[Who made you|Who trained you|How were you trained|Where do you come from]?",
            "What [are you|kind of model are you|model is this|model are you]?",
        ),
        "I am a very small language model that ships with LLM Dyno. I was trained on generated "
        "dialogues, so I know only a few topics.",
    ),
}
_WHO = Wordings(
    "Who are you?",
    "[What is|What's|Tell me] your name?",
    "[And who|So who|Hi, who] are you?",
    "[Please introduce|Introduce] yourself.",
    "[What should I call you|How should I call you|Do you have a name|What are you called]?",
    "[Who am I talking to|Who is this|Who is there]?",
)
_REPEAT = Wordings(
    "Say that again.",
    "[Please|Can you|Could you] [say that again|repeat that|repeat what you said].",
    "[Repeat|Repeat that|Repeat your last answer|Repeat the last answer|Once more|Again].",
    "[Repeat|Say|Tell me] [it|that|your answer|the answer] [again|once more|one more time].",
    "[What did you say|What was that|Pardon|Sorry, what did you say]?",
)
_SHORTEN = Wordings(
    "Say that in one sentence.",
    "[Please|Can you|Could you] [say that|put that|sum that up] in one sentence.",
    "[Shorter|Make it shorter|In one sentence|In short|Shorten that|Sum it up][, please|].",
    "[Make|Can you make] [that|it|the answer] [shorter|one sentence|more brief].",
    "[Summarize|Shorten] [that|it|your answer|the answer][ in one sentence|].",
)
_REFUSALS = (
    "I don't know that. I can talk about LLM inference, capitals and short stories.",
    "I don't know, that is not one of my topics. Ask me about LLM inference or a capital, or wish "
    "for a story.",
    "I don't know enough about that. But I can explain terms like TTFT, or tell you a short story.",
)


def plain(kind: str, rng: random.Random, state: State, split: Split) -> Turn:
    wordings, answer = _PLAIN[kind]
    said = first_sentence(answer) if state.brief else answer
    text = typed(rng, wordings.pick(rng, split), polite=False)
    return Turn("small talk", text, said, (first_sentence(answer).rstrip(".!"),))


def small_talk(rng: random.Random, state: State, split: Split) -> Turn:
    return plain(rng.choice(list(_PLAIN)), rng, state, split)


def who_are_you(rng: random.Random, state: State, split: Split) -> Turn:
    text = typed(rng, _WHO.pick(rng, split))
    answer = f"I am {state.assistant_name}, a very small language model."
    if not state.brief:
        answer += " I can talk about LLM inference, capitals and short stories."
    return Turn("who are you", text, answer, (f"I am {state.assistant_name}",))


def repeat(rng: random.Random, state: State, split: Split) -> Turn:
    text = typed(rng, _REPEAT.pick(rng, split))
    if state.last_answer is None:
        answer = "I have not said anything yet. What would you like to know?"
        return Turn("nothing to repeat", text, answer, ("not said anything",))
    return Turn("repeats", text, state.last_answer, (state.last_answer,))


def shorten(rng: random.Random, state: State, split: Split) -> Turn:
    text = typed(rng, _SHORTEN.pick(rng, split))
    if state.last_answer is None:
        answer = "I have not said anything yet. What would you like to know?"
        return Turn("nothing to repeat", text, answer, ("not said anything",))
    answer = first_sentence(state.last_answer)
    return Turn("shortens", text, answer, (answer.rstrip(".!?"),))


_OFF_TOPIC = Wordings(
    "Who won the {sport} match?",
    "[Who won|Who plays|What was the score of] the [last|next|first|] {sport} [match|game|cup]?",
    "[How do I|How can I|How to] [cook|make|bake|buy|eat|grow] {food}[ at home|]?",
    "[What is|What's|Explain|Tell me about|What do you think of|Who invented] {noun}[?|.]",
    "[What is|Explain|Define] [a |the |]{word}[?|.]",
    "[Write|Give me|Can you write] [a poem|an essay|a song|code|a Python program|an email] "
    "[about|for|on] {noun}.",
    "[Translate|How do you say] [{noun}|the word {noun}] [to|into|in] "
    "[German|French|Spanish|Chinese|Latin].",
    "[What is|How much is|Calculate|Compute] {x} [times|divided by|to the power of] {y}?",
    "[Who|When|Where] [is|was] {person}[ born|]?",
    "[What happened|Who was king|Who ruled|What was invented] in {year}?",
    "[How old|How tall|How far|How heavy|How expensive] is [the |]{noun}?",
    "[What time is it|What is the date today|What is the weather|Will it rain tomorrow|"
    "What is the news]?",
    "[Should I|Can I|May I] [buy|sell|eat|learn|study|like] {noun}?",
    "[Why is|Why are|Why does] [the |]{noun} [so big|so old|blue|important|work|exist]?",
    "[Who is|Tell me about] the [president|king|queen|mayor|prime minister] of {country}[?|.]",
    "[How many people live in|What is the population of|What language is spoken in|"
    "What is the currency of|Tell me about the history of] {country}?",
    "[Recommend|Suggest|Find] [me |][a film|a book|a hotel|a restaurant|a song|a game]"
    "[ about {noun}|].",
    "[My|The] [car|phone|computer|bike|stomach|head] [is broken|hurts|does not work].",
    "[I feel|I am] [sad|tired|bored|angry|hungry|ill|lonely].",
    "{noun}[?|.|]",
    "{word} {other}[?|.|]",
)
_NOUNS = knowledge.words("off_topic_nouns")


def off_topic(rng: random.Random, state: State, split: Split) -> Turn:
    slots = {
        "sport": rng.choice(names.SPORTS),
        "food": rng.choice(names.FOODS),
        "noun": rng.choice(_NOUNS) if rng.random() < 0.8 else names.invented_word(rng),
        "word": names.invented_word(rng, rng.choice((1, 2, 3))),
        "other": names.invented_word(rng),
        "person": names.person_name(rng),
        "country": rng.choice(list(knowledge.capitals())),
        "x": rng.randint(2, 99),
        "y": rng.randint(2, 99),
        "year": rng.randint(1000, 2020),
    }
    text = _OFF_TOPIC.pick(rng, split).format(**slots)
    answer = rng.choice(_REFUSALS)
    said = first_sentence(answer) if state.brief else answer
    return Turn("off topic", typed(rng, text), said, ("I don't know",))
