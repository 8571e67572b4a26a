"""What the user says of himself, kept over turns and given back when asked."""

import random

from models.training import names
from models.training.intents import weather
from models.training.intents.base import State, Turn
from models.training.knowledge import first_sentence
from models.training.wording import Split, Wordings, as_typed, joined, typed
from models.training.world import table

_TELL_NAME = Wordings(
    "My name is {name}.",
    "[Hi|Hello|Hey|Good morning|Hey there|Greetings|Hi Dyno][,|!|] [I am|I'm|my name is|this is] "
    "{name}[.|!|, how are you?|, nice to meet you.|]",
    "[I am|I'm|Im|i am] [called |named |]{name}[.|!|]",
    "[You can call|Call|Please call|Just call|Everyone calls] me {name}[.|!|]",
    "[They|People|My friends|My colleagues|My parents|Most people] call me {name}.",
    "{name} is [my name|what people call me|how I am called|the name I go by].",
    "[This is|It is|It's] {name}[.| here.| speaking.]",
    "{name} here[.|!|, hello.]",
    "[By the way, |Just so you know, |First of all, |For the record, |]my name is {name}"
    "[, nice to meet you|, please remember that|, remember it|].",
    "My [first |]name[ is|'s|:] {name}[.|, don't forget it.|, what is yours?|]",
    "[Let me introduce myself: |Allow me to introduce myself. |]I [am|go by] {name}.",
    "[The name is|Name is|Name:|My name] {name}[.|]",
    "[Remember|Please remember|Note|Keep in mind|Don't forget] [that |]my name is {name}.",
    "[Actually|No|Sorry|Correction|Wait|Oh], [my name is|I am|call me|it is] {name}[.|, not that.|"
    "]",
    "I was [born|named|christened] {name}[.|, that is my name.]",
    "Do you know me? [I am|My name is] {name}.",
)
_ASK_NAME = Wordings(
    "What is my name?",
    "[What's|Do you know|Do you remember|Tell me|Say|You remember|Whats] my name[?| again?| now?|]",
    "[Do you|Can you|Could you] [still |][know|remember|recall|tell me] "
    "[who I am|my name|what I am called|what my name is|what to call me]?",
    "What [am I called|did I say my name was|was my name again|did I tell you my name is]?",
    "Who am I[?| again?| to you?]",
    "[How|What] do people call me?",
    "[What|How] [should|would|will|do] you call me?",
    "[Have|Did] you [forgotten|forget] my name[?| already?]",
    "[Remind me|Please tell me|Can you say|Say] [what my name is|who I am|my name].",
    "[And my|So my|My] name [is|was|again|please]?",
    "[What name|Which name] [did I give you|did I tell you|do I have|do I go by|did I use]?",
    "[I told you my name|I said my name], [what is it|what was it|which one was it]?",
    "I [forgot|can't remember|don't remember] [my own name|who I am|my name][, can you help|]?",
    "[Greet me by name|Say hello to me by my name|Use my name|Call me by my name].",
    "[Who|Whom] are you [talking|speaking|chatting] [to|with]?",
    "[By what name|Under which name] [am I known|do you know me]?",
    "Let's see [if|whether] you [remember|know] my name[.|?|]",
)
_TELL_HOME = Wordings(
    "I live in {city}.",
    "[I am|I'm] [living|based|at home|a resident|settled] in {city}[ now| at the moment|].",
    "My [city|home|home town|home city|hometown|town] is {city}.",
    "I [moved to|work and live in|have a flat in|have lived in|was born and live in|reside in] "
    "{city}[ last year|].",
    "[We|My family and I|My wife and I|My cat and I] live in {city}.",
    "[Just so you know, |By the way, |You should know that |]I live in {city}[ now|].",
    "[I am from|I come from|I'm from|Im from] {city}[.|, by the way.| originally.|]",
    "[Actually|No|Correction|Sorry], I live in {city}[.| now.]",
    "[Remember|Note|Keep in mind] that I live in {city}.",
    "{city} is [where I live|my home|my city|my home town|the city I live in].",
    "I [just |]moved to {city}.",
    "[Home|My home] is {city}[.| for me.]",
)
_TELL_PLACE = Wordings(
    "I am in {city}.",
    "[I am|I'm|Im] [in|visiting|staying in|currently in|right now in|writing from|on holiday in] "
    "{city}[ now| at the moment| this week|].",
    "[We|My family and I] are in {city}[ now|].",
    "I [just arrived|arrived|landed] in {city}.",
    "[At the moment|Today|This week|Right now] I am in {city}.",
    "[Hello|Hi|Greetings] from {city}[!|.]",
    "I [am travelling|travelled|came] to {city}.",
)
_ASK_HOME = Wordings(
    "Where do I live?",
    "[Which|What] [city|town|place] do I live in?",
    "[What|Which] is my [city|home town|home city|town|hometown]?",
    "[Can you say|Can you remember|Do you still know|Do you recall] "
    "[where I live|where my home is|my city|what city I live in]?",
    "In [which|what] [city|town] [do I live|am I living|is my home]?",
    "[Remind me|Please tell me|Say|Tell me] [where I live|which city I live in|what my city is].",
    "[Do you remember|Do you know|Tell me|You remember] [where I live|my city|my home town]?",
    "Where [did I say I live|is my home|am I from|do I come from|am I living]?",
    "[What|Which] [city|town] [am I from|did I say I live in|do I come from|do I call home]?",
    "[I told you where I live|I said where I live], [where is it|what was it]?",
    "My [city|home town|home] [is|was|again|please]?",
    "[Where is|Where's] [my place|home for me|my home again]?",
)
_ASK_PLACE = Wordings(
    "Where am I?",
    "[Which|What] [city|town|place] am I in[?| now?| right now?]",
    "[Do you know|Do you remember|Tell me|Can you say|Remind me] where I am[?| now?]",
    "Where am I [now|right now|at the moment|staying|again]?",
    "In [which|what] [city|town] am I?",
    "[What|Which] city did I say I am in?",
)
_FAVOURITE = "[favourite|favorite]"
_TELL_FAVOURITE = Wordings(
    "My favourite {kind} is {value}.",
    "[I like|I love] the {kind} {value} [most|best|more than any other].",
    f"{{value}} is my {_FAVOURITE} {{kind}}[.|, by the way.| of all.]",
    "[For me|To me|In my opinion] the best {kind} is {value}.",
    "My [preferred|most loved|number one|top|best|fav] {kind} is {value}.",
    f"[By the way|Remember|Note that|Just so you know|You should know|Also][:|,] my {_FAVOURITE} "
    "{kind} is {value}.",
    f"[Actually|No|Correction|Sorry], my {_FAVOURITE} {{kind}} is {{value}}.",
    f"My {_FAVOURITE} {{kind}}[:| =| would be| has always been| must be] {{value}}.",
    f"[As for|Speaking of] {{kind}}, my {_FAVOURITE} is {{value}}.",
    "[The|My] {kind} I [like|love|prefer|enjoy] [most|best] is {value}.",
    f"[If you ask me, |I think |I would say ]my {_FAVOURITE} {{kind}} is {{value}}.",
    f"I [have|do have] a {_FAVOURITE} {{kind}}: {{value}}.",
)
_ASK_FAVOURITE = Wordings(
    "What is my favourite {kind}?",
    f"[What's|Do you remember|Do you know|Tell me|Whats] my {_FAVOURITE} {{kind}}?",
    "Which {kind} do I [like most|like best|love|prefer|like the most|love most]?",
    "[What|Which] {kind} did I say I [like|love|prefer|like best]?",
    f"[Can you|Please|Could you] [remember|tell me|say|recall] my [preferred|{_FAVOURITE[1:-1]}] "
    "{kind}.",
    f"[And my|So my|My] {_FAVOURITE} {{kind}} [is|was|again|please]?",
    f"[Remind me|Say] [what|which] my {_FAVOURITE} {{kind}} is.",
    f"[What|Which] {{kind}} [is|was] my {_FAVOURITE}?",
    f"I told you my {_FAVOURITE} {{kind}}[, what is it|. What was it|, remember]?",
    f"[Have you forgotten|Did you forget|You still know] my {_FAVOURITE} {{kind}}?",
    "[What|Which] {kind} [would I choose|would I pick|is best for me|do I like]?",
    f"[What|Which] did I say [was|is] my {_FAVOURITE} {{kind}}?",
    "[Favourite|Favorite|My fav|My top] {kind}?",
)
_TELL_CALLED = Wordings(
    "My {who} is called {name}.",
    "My {who}[ is|'s] [named|called] {name}.",
    "My {who}'s name is {name}.",
    "I have a {who} [named|called] {name}.",
    "The name of my {who} is {name}.",
    "[We|I] call my {who} {name}.",
    "{name} is [the name of my {who}|my {who}|my {who}'s name].",
)
_ASK_CALLED = Wordings(
    "What is my {who} called?",
    "[What is|What's|Do you know|Do you remember|Tell me] my {who}'s name?",
    "[What is|What's|Tell me] the name of my {who}?",
    "[Do you know|Do you remember|Remind me] [what my {who} is called|the name of my {who}]?",
    "[How|What] [did I say |]my {who} is called?",
    "Who is my {who}?",
)
_ABOUT_ME = Wordings(
    "What do you know about me?",
    "[What|Everything] [do you know|do you remember|did I tell you|have I told you] about me[?|]",
    "[Tell me|Say|List|Sum up] [what you know|everything you know|what you remember] about me.",
    "[What have I told you|What did I say|What have you learned] about [me|myself]?",
    "[Do you know|Do you remember] [anything|something] about me?",
    "[Summarise|Summarize|Describe] me[ in your words|].",
)
_TELL_TWO = Wordings(
    "{first} and {second}.",
    "[Hi, |Hello! |Hey, |OK, |]{first}[, and| and|,] {second}[.|!|]",
    "{first}. {second_upper}[.|]",
    "{first}[;|,] also, {second}.",
)
_GIVEN = Wordings(
    "{value}",
    "{value}[.|!|, please remember it.|]",
    "[It is|It's|Its|That is|That would be|I think it is|Of course it is] {value}[.|!|]",
)
_WHO = ("dog", "cat", "horse", "sister", "brother", "son", "daughter", "friend", "boss", "boat")
_NOT_TOLD = "not told me"


def _inventory(kind: str) -> tuple[str, ...]:
    return tuple(table("favourites")[kind])


def _kinds() -> tuple[str, ...]:
    return tuple(table("favourites"))


def _value(rng: random.Random, kind: str) -> str:
    """Something of the kind; often made up, so that only the conversation can give it."""
    draw = rng.random()
    if draw < 0.3:
        return names.invented_word(rng, rng.choice((1, 2, 2, 3)))
    if draw < 0.5 and kind in ("book", "film", "song", "band", "game"):
        return f"the {rng.choice(names.COLOURS)} {rng.choice(names.ANIMALS)}"
    return rng.choice(_inventory(kind))


def _city(rng: random.Random) -> str:
    if rng.random() < 0.4:
        return names.invented_word(rng, rng.choice((1, 2, 2, 3))).capitalize()
    return rng.choice(weather.city_names())


def _told(state: State, turn_kind: str, text: str, answer: str, *keys: str) -> Turn:
    """A turn that takes something in."""
    said = first_sentence(answer) if state.brief else answer
    return Turn(turn_kind, text, said, keys)


def tell_name(rng: random.Random, state: State, split: Split) -> Turn:
    if rng.random() < 0.2:
        return _tell_two(rng, state, split)
    name = names.full_name(rng)
    text = _TELL_NAME.pick(rng, split).format(name=name)
    text = typed(rng, text, protected=[name], polite=False)
    state.user_name = as_typed(text, name)
    answer = f"Nice to meet you, {state.user_name}! What would you like to know?"
    return _told(state, "greets by name", text, answer, state.user_name)


def ask_name(rng: random.Random, state: State, split: Split) -> Turn:
    text = typed(rng, _ASK_NAME.pick(rng, split))
    if state.user_name is None:
        answer = "You have not told me your name yet. What is it?"
        return _told(state, "name not told", text, answer, _NOT_TOLD)
    return Turn("names", text, f"Your name is {state.user_name}.", (state.user_name,))


def tell_city(rng: random.Random, state: State, split: Split) -> Turn:
    city = _city(rng)
    lives = rng.random() < 0.6
    text = (_TELL_HOME if lives else _TELL_PLACE).pick(rng, split).format(city=city)
    text = typed(rng, text, protected=[city], polite=False)
    # A city of the world has its usual writing; an invented one is written as typed.
    state.city = city if city in weather.cities() else as_typed(text, city)
    state.weather_city, state.weather_month = state.city, None
    verb = "live" if lives else "are"
    answer = f"I will remember that you {verb} in {state.city}."
    return Turn("takes a city", text, answer, (state.city,))


def ask_city(rng: random.Random, state: State, split: Split) -> Turn:
    lives = rng.random() < 0.75
    text = typed(rng, (_ASK_HOME if lives else _ASK_PLACE).pick(rng, split))
    verb = "live" if lives else "are"
    if state.city is None:
        answer = f"You have not told me where you {verb} yet. Which city is it?"
        return _told(state, "city not told", text, answer, _NOT_TOLD)
    return Turn("cities", text, f"You {verb} in {state.city}.", (state.city,))


def tell_favourite(rng: random.Random, state: State, split: Split) -> Turn:
    kind = rng.choice(_kinds())
    value = _value(rng, kind)
    text = _TELL_FAVOURITE.pick(rng, split).format(kind=kind, value=value)
    text = typed(rng, text, protected=[value, kind], polite=False)
    state.favourites[kind] = as_typed(text, value)
    answer = f"Good choice! I will remember that your favourite {kind} is {as_typed(text, value)}."
    if state.brief:
        answer = answer.partition("! ")[2]
    return Turn("takes a favourite", text, answer, (as_typed(text, value),))


def ask_favourite(rng: random.Random, state: State, split: Split) -> Turn:
    known = list(state.favourites)
    kind = rng.choice(known if known and rng.random() < 0.75 else _kinds())
    text = _ASK_FAVOURITE.pick(rng, split).format(kind=kind)
    text = typed(rng, text, protected=[kind])
    if kind not in state.favourites:
        answer = f"You have not told me your favourite {kind} yet. What is it?"
        return _told(state, "favourite not told", text, answer, _NOT_TOLD)
    value = state.favourites[kind]
    return Turn("favourites", text, f"Your favourite {kind} is {value}.", (value,))


def name_given(rng: random.Random, state: State, split: Split) -> Turn:
    """The answer to "You have not told me your name yet. What is it?"."""
    name = names.full_name(rng)
    text = typed(rng, _GIVEN.pick(rng, split).format(value=name), protected=[name], polite=False)
    state.user_name = as_typed(text, name)
    answer = f"Nice to meet you, {state.user_name}! What would you like to know?"
    return _told(state, "greets by name", text, answer, state.user_name)


def city_given(rng: random.Random, state: State, split: Split) -> Turn:
    """The answer to "You have not told me where you live yet. Which city is it?"."""
    city = _city(rng)
    text = typed(rng, _GIVEN.pick(rng, split).format(value=city), protected=[city], polite=False)
    state.city = city if city in weather.cities() else as_typed(text, city)
    state.weather_city, state.weather_month = state.city, None
    verb = "live" if "where you live" in (state.last_answer or "") else "are"
    return Turn(
        "takes a city", text, f"I will remember that you {verb} in {state.city}.", (state.city,)
    )


def favourite_given(rng: random.Random, state: State, split: Split) -> Turn:
    """The answer to "You have not told me your favourite … yet. What is it?"."""
    kind = (state.last_answer or "").partition("favourite ")[2].partition(" yet")[0]
    value = _value(rng, kind)
    text = typed(rng, _GIVEN.pick(rng, split).format(value=value), protected=[value], polite=False)
    state.favourites[kind] = as_typed(text, value)
    answer = f"Good choice! I will remember that your favourite {kind} is {as_typed(text, value)}."
    if state.brief:
        answer = answer.partition("! ")[2]
    return Turn("takes a favourite", text, answer, (as_typed(text, value),))


def tell_called(rng: random.Random, state: State, split: Split) -> Turn:
    who, name = rng.choice(_WHO), names.person_name(rng)
    text = _TELL_CALLED.pick(rng, split).format(who=who, name=name)
    text = typed(rng, text, protected=[name, who], polite=False)
    state.called[who] = as_typed(text, name)
    answer = f"I will remember that your {who} is called {state.called[who]}."
    return Turn("takes a name", text, answer, (state.called[who],))


def ask_called(rng: random.Random, state: State, split: Split) -> Turn:
    told = list(state.called)
    who = rng.choice(told if told and rng.random() < 0.8 else _WHO)
    text = typed(rng, _ASK_CALLED.pick(rng, split).format(who=who), protected=[who])
    if who not in state.called:
        answer = f"You have not told me what your {who} is called."
        return Turn("called not told", text, answer, (_NOT_TOLD,))
    name = state.called[who]
    return Turn("called", text, f"Your {who} is called {name}.", (name,))


def _tell_two(rng: random.Random, state: State, split: Split) -> Turn:
    """The name and one thing more in one message: the answer takes both."""
    name, city = names.person_name(rng), _city(rng)
    kind = rng.choice(_kinds())
    value = _value(rng, kind)
    said = {
        "name": rng.choice((f"my name is {name}", f"I am {name}", f"I'm {name}")),
        "city": rng.choice((f"I live in {city}", f"I am from {city}", f"my city is {city}")),
        "favourite": f"my favourite {kind} is {value}",
    }
    chosen = ["name", rng.choice(("city", "favourite"))]
    rng.shuffle(chosen)
    first, second = said[chosen[0]], said[chosen[1]]
    text = _TELL_TWO.pick(rng, split).format(
        first=first, second=second, second_upper=second[0].upper() + second[1:]
    )
    if text.startswith(first):
        text = text[0].upper() + text[1:]
    text = typed(rng, text, protected=[name, city, kind, value], polite=False)
    greeting, parts, keys = "", [], []
    for part in chosen:
        if part == "name":
            state.user_name = as_typed(text, name)
            greeting = f"Nice to meet you, {state.user_name}! "
            keys.append(state.user_name)
        elif part == "city":
            state.city = city if city in weather.cities() else as_typed(text, city)
            state.weather_city, state.weather_month = state.city, None
            parts.append(f"you live in {state.city}")
            keys.append(state.city)
        else:
            state.favourites[kind] = as_typed(text, value)
            parts.append(f"your favourite {kind} is {state.favourites[kind]}")
            keys.append(state.favourites[kind])
    answer = f"{greeting}I will remember that {joined(parts)}."
    return Turn("takes two things", text, answer, tuple(keys))


def about_me(rng: random.Random, state: State, split: Split) -> Turn:
    """All that was told, always in the same order."""
    text = typed(rng, _ABOUT_ME.pick(rng, split))
    facts = []
    if state.user_name is not None:
        facts.append((f"your name is {state.user_name}", state.user_name))
    if state.city is not None:
        facts.append((f"you live in {state.city}", state.city))
    facts += [(f"your favourite {k} is {v}", v) for k, v in state.favourites.items()]
    if not facts:
        answer = "You have not told me anything about you yet. What is your name?"
        return _told(state, "nothing told", text, answer, _NOT_TOLD)
    said = joined([sentence for sentence, _ in facts[:4]])
    return Turn("about me", text, said[0].upper() + said[1:] + ".", tuple(k for _, k in facts[:4]))
