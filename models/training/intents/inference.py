"""LLM inference: definitions, whys, whens and comparisons."""

import random
import re
from collections.abc import Sequence
from functools import cache

from models.training import knowledge
from models.training.intents.base import State, Turn
from models.training.knowledge import Comparison, Term, When, Why, first_sentence, without_article
from models.training.wording import Split, Wordings, capitalized, expand, typed

_DEFINE = Wordings(
    "What is {term}?",
    "What [is|are|'s] {term}?",
    "[What's|Whats|What is|What are] {term}[ again| exactly| really| actually|]?",
    "What[ exactly|] [is|are] {term}[, in short|, in simple words|, simply put|, please]?",
    "What is {term} [in LLM inference|in this field|for a model|used for|all about|about]?",
    "In [LLM inference|LLM serving|the context of LLMs|machine learning], what [is|are] {term}?",
    "What does {term} [mean|do|stand for|refer to|describe]?",
    "What [do you understand by|should I understand by|do you call|kind of thing is] {term}?",
    "[Explain|Describe|Define] {term}[ to me| briefly| in simple words| in two sentences|].",
    "[Explain|Describe] {term} [for a newcomer|to a beginner|like I'm five|as to a child|quickly].",
    "[Can|Could|Would] you [explain|define|describe|clarify][ to me|] {term}[ to me|]?",
    "[Can|Could] you [tell me|explain|remind me|say] what {term} [is|are|means]?",
    "[Can you help|Help|Please help] me [understand|to understand|get] {term}.",
    "How would you [explain|describe|define] {term}[ to a beginner| to a friend|]?",
    "[Tell|Teach] me [about|something about|what you know about|more about] {term}.",
    "[Tell me|Explain|Do you know|Please say|Remind me] what {term} [is|are|means].",
    "How [does|do] {term} [work|really work|work in general|function]?",
    "[Explain|Tell me|Can you explain|I want to know] how {term} [works|work].",
    "[What is meant by|What do people mean by|What do you mean by|What's meant by] {term}?",
    "[I want to|I'd like to|Let me|I need to|I would love to] [know|understand|learn] what {term} "
    "is.",
    "I [do not understand|don't get|have never heard of|am confused by|know nothing about] {term}.",
    "[Never heard of|Not sure about|No idea about|Confused about] {term}[.|, what is it?]",
    "[Give|Show] me [a definition|the definition|a short explanation|a summary] of {term}.",
    "[What about|And|Now|Next:|How about|And what about|OK, and|Same for] {term}?",
    "[And what is|So what is|Then what is|OK so what's|But what is] {term}?",
    "{Term}[?|.|, please.|, explain.|, what is that?|: what is it?|, what's that?|??]",
    "{term}[ meaning| definition| explained| explanation| in short| basics| meaning?| intro]",
    "[define|define:|meaning of|definition of|eli5|explain|tldr|whats|wat is] {term}",
    "[What's the|What is the|Tell me the] [meaning|definition|idea|concept|basic idea] of {term}?",
    "[What's the idea behind|What is behind|What is the idea of|What hides behind] {term}?",
    "[My boss|My colleague|A friend|Our engineer|Somebody] [keeps talking about|mentioned|asked "
    "about|talks about] {term}[, what is it?|. What is that?|, what does it mean?]",
    "I [keep reading|read|heard|keep hearing] about {term}[, what is it?|. What is that?|.]",
    "[I saw|I found|There is|I came across] {term} in [a paper|the docs|a blog post|a chart]"
    "[, what is it?|. What does it mean?|, what's that?]",
    "[If|When] [somebody says|people say|a paper says] {term}, what do they mean?",
    "[Is {term} something I should know|Do you know {term}|Have you heard of {term}]?",
    "[What should I know about|What do I need to know about|What can you tell me about] {term}?",
    "[I forgot|I keep forgetting|I can't remember|Remind me] what {term} [is|means].",
    "{Term} [is what|means what|is what exactly|stands for what]?",
)
# What a term is for: answered by its why, or by its definition where there is none.
_PURPOSE = Wordings(
    "Why does {term} matter?",
    "Why [is|are] {term} [important|useful|needed|used|interesting|relevant]?",
    "Why [use|should I use|do people use|would I use|do we use|do we need|care about] {term}?",
    "[What's|What is] the [point|use|benefit|advantage|purpose|goal] of {term}?",
    "[How|In what way] [does|do] {term} help[ me| a server| in practice|]?",
    "What [is|are] {term} [good for|useful for|there for]?",
    "[Benefits|Advantages|Purpose|Importance] of {term}",
    "What [problem|problems] does {term} solve?",
    "[Explain|Tell me|I wonder|I don't see] why {term} [matters|is useful|is important].",
    "Why should I [care about|know about|bother with|look at] {term}?",
)
_PURPOSE_OF_IT = Wordings(
    "Why does it matter?",
    "[And why|Why|So why|But why] [does it matter|is it useful|is that important|is it needed]?",
    "[Why would I use|Why should I use|Why do people use|Why use] [it|that|this]?",
    "[What's|What is] the [point|use|benefit|advantage] of [it|that|this]?",
    "What is [it|that] good for?",
    "Why should I care[ about that| about it|]?",
    "[How does|And how does] [it|that] help?",
)
_WHY = Wordings(
    "Why {question}?",
    "[Please tell me|Tell me|Explain|Do you know|Can you explain|Explain to me] why {clause}.",
    "[Can|Could] you [tell me|explain|say|explain to me|help me understand] why {clause}?",
    "[How come|Why is it that|How is it possible that|How does it happen that] {clause}?",
    "[What is|What's] the [reason that|reason why|explanation why|cause that] {clause}?",
    "[I wonder|I want to know|I don't understand|I don't get|I'm curious|No idea] why {clause}.",
    "[And why|But why|So why|Why exactly|Why, in short,|why on earth|Why actually] {question}?",
    "[Is it true that|I read that|I heard that] {clause}[. Why?|, why?|, but why?]",
    "[My boss|A friend|My colleague|Somebody] [says|told me] that {clause}[. Why?|. Why is that?]",
    "{Clause}[. Why?|, why?|. How come?|, but why?|. Why is that?|, what's the reason?]",
    "[Any idea|Reason|The reason|Explanation] why {clause}?",
    "[Help me understand|Help me see|It is not clear to me|I'd like to know] why {clause}.",
    "[What explains|What is behind the fact|What makes it so] that {clause}?",
)
_WHEN = Wordings(
    "When should I use {thing}?",
    "When [should one|do I|would you|do people|can I|must I|do we|would I|is it best to] use "
    "{thing}?",
    "[When to use|When should I use|When to choose|When to go for] {thing}[ and when not|]?",
    "{Thing}[: when to use it?|, when?| - when?|, when should I use it?| when to use]",
    "When [does|do] {thing} [help|pay off|make sense|pay|bring a benefit|work well|work best]?",
    "When [is|are] {thing} [useful|worth it|a good idea|the right choice|recommended|better|best]?",
    "When [is|are] {thing} [a bad idea|not worth it|the wrong choice|useless|not useful|harmful]?",
    "When [does|do] {thing} [not help|hurt|not pay|not pay off|fail|not make sense]?",
    "When should I [not use|avoid|rather not use|stay away from] {thing}?",
    "[Is|Are] {thing} [always a good idea|worth it|worth using|a good idea|always useful]?",
    "Is it [worth|worth it|a good idea|useful|wise] [using|to use] {thing}?",
    "[Should|Shall] I [use|turn on|try|enable|choose|take] {thing}[ or not|]?",
    "In [which|what] [case|cases|situation|situations] [should I use|do I use|would you use] "
    "{thing}?",
    "[In which case|Under what conditions|In what situation|For whom|For which load] does {thing} "
    "[help|pay off|make sense]?",
    "When would I [choose|pick|want|need|prefer|turn to] {thing}?",
    "[Do I|Do we|Does everybody] [need|want] {thing}?",
    "[Tell me|Explain|I wonder|I want to know|Can you say] when [to use|I should use] {thing}.",
    "[Best|Typical|Good] [use case|use cases|situation|time] for {thing}?",
    "What [are good cases|is a good use case|is the right time|is the best case] for {thing}?",
    "[Does|Will|Would] {thing} [always help|help me|pay off for me|make sense for me]?",
    "[I am thinking about|We are thinking of|I consider|My boss wants] {thing}"
    "[. When does it pay?|. Is it worth it?|, is it a good idea?|. Should I?]",
)
_WHEN_IT = Wordings(
    "When should I use it?",
    "[And when|When|So when] [do I use|should I use|would I use|does one use] [it|that|this]?",
    "[And when|When] [does it help|does it pay off|is it worth it|is that useful|is it better]?",
    "When [is it|is that] [a bad idea|not worth it|useless|the wrong choice]?",
    "[Should I use|Do I need|Should I turn on] [it|that]?",
    "[Is it|Is that] [always a good idea|worth it|always useful]?",
    "In [which|what] [case|situation] [should I use|would I use] it?",
)
_COMPARE = Wordings(
    "What is the difference between {a} and {b}?",
    "[What's|Explain|Tell me|Show me|I need] the difference between {a} and {b}.",
    "[Whats the|Any|Main|Key|What is the main] difference between {a} and {b}?",
    "[How|In what way] [do|does] {a} [and {b} differ|differ from {b}]?",
    "How [is|are] {a} [different from|different to|unlike|better than|related to] {b}?",
    "{A} [or|vs|vs.|versus|against|compared to|compared with] {b}?",
    "[Compare|Can you compare|Could you compare|Please compare] {a} [and|with|to] {b}.",
    "[Which is better|Which should I use|What is better|Which one is better], {a} or {b}?",
    "Should I [use|take|choose|prefer|go with] {a} or {b}?",
    "[How does|How do] {a} compare [to|with] {b}?",
    "[Is|Are] {a} [the same as|the same thing as|better than|different from|like] {b}?",
    "[Are|Is] {a} and {b} [the same|the same thing|different]?",
    "I [mix up|confuse|always mix up|can't tell apart] {a} and {b}.",
    "[How do I choose|How to choose|How should I decide] between {a} and {b}?",
    "{A}, {b}[: what's the difference?|, which one?|: what is better?|: how do they differ?]",
    "When [should I use|do I use|to use|would I choose] {a} and when {b}?",
    "[Pros and cons|Advantages|Comparison|Differences] of {a} and {b}",
    "[difference|differences|compare] {a} {b}",
    "What [distinguishes|separates] {a} from {b}?",
    "[I know {a}, but what is|I understand {a}, but what's different in] {b}?",
)
_COMPARE_IT = Wordings(
    "How is it different from {b}?",
    "[And how|How|So how] [does it compare to|does that differ from|is that different from] {b}?",
    "[What's|What is] the difference [to|from|between that and|between it and] {b}?",
    "[Is it|Is that|Isn't that] [the same as|better than|like] {b}?",
    "[And compared to|And vs|Compared with|Or] {b}?",
)
_CONTEXT = Wordings(
    "Quick question: {inner}",
    "I am new to [LLM serving|LLM inference|this|the field|language models][. {question}|, so "
    "{inner}]",
    "I [just started|am starting|began] with [LLM serving|inference|language models]. {question}",
    "[Simple|Stupid|Basic|Small|Short|Another|One more|Last] question: {inner}",
    "[Sorry if this is basic, but|Maybe a silly question, but|I should know this, but] {inner}",
    "[My boss wants to know|My colleague asks|A customer asked me|My team asks|For my notes]: "
    "{inner}",
    "I [have an interview tomorrow|am writing a report|am preparing a talk|have an exam]. "
    "{question}",
    "[While we are at it|By the way|OK next|Going on|Just out of interest|For a newcomer], {inner}",
    "[I was wondering|Let me ask|I want to ask|Here is my question|Tell me|Question]: {inner}",
    "{question} [I always forget.|I am a beginner.|Keep it simple.|I never understood it.|Thanks!]",
    "[We serve a model at work|I run a small server|I look at this dashboard|I set up a chatbot]. "
    "{question}",
    "[Hi Dyno|Dyno|Hey there|Good morning|Excuse me], {inner}",
)
_ONE_SENTENCE = Wordings(
    "In one sentence, {inner}",
    "In [one|a single|just one] sentence[,|:] {inner}",
    "{question} [Answer in one sentence.|One sentence, please.|One sentence only.|One sentence!]",
    "[Answer in one sentence|One sentence only|Just one sentence|Use one sentence]: {inner}",
    "{bare} in [one|a single] sentence?",
    "{bare}, in [one|a single|one short] sentence[?|, please.|]",
)
_FOLLOW_UP_SHARE = 0.6
_OWN_WORDINGS_SHARE = 0.5
_PURPOSE_SHARE = 0.15
_LETTERS_DIGITS = re.compile(r"([A-Za-z]+)(\d+)")


def _called(rng: random.Random, names: Sequence[str]) -> str:
    """One of the names, as people write it: with or without article and hyphens."""
    full = rng.choice((names[0], *names))
    bare = without_article(full)
    article = full[: len(full) - len(bare)]
    draw = rng.random()
    if draw < 0.25:
        article = ""
    elif draw < 0.30:
        article = "the "
    draw = rng.random()
    if draw < 0.06:
        bare = bare.replace("-", " ")
    elif draw < 0.10:
        bare = bare.replace(" ", "-")
    elif draw < 0.13:
        bare = bare.replace("-", "").replace(" ", "") if len(bare) < 20 else bare
    elif draw < 0.19 and (parts := _LETTERS_DIGITS.fullmatch(bare)):
        bare = rng.choice((" ", "-")).join(parts.groups())
    return article + bare


def _turn(
    rng: random.Random,
    state: State,
    split: Split,
    kind: str,
    question: str,
    answer: str,
    keys: tuple[str, ...] = (),
) -> Turn:
    """The question as asked, sometimes with its context, and the answer as long as is wanted."""
    brief = state.brief
    draw = rng.random()
    if draw < 0.2:
        frame = _CONTEXT if draw < 0.14 else _ONE_SENTENCE
        brief = brief or frame is _ONE_SENTENCE
        question = frame.pick(rng, split).format(
            question=question, inner=_lowered(question), bare=question.rstrip("?.!")
        )
    said = first_sentence(answer) if brief else answer
    keys = keys or (first_sentence(answer).rstrip("."),)
    return Turn(kind, typed(rng, question, polite=draw >= 0.2), said, keys)


def _lowered(question: str) -> str:
    """The question as it goes on after a comma: `TTFT meaning` and `I wonder` stay as they are."""
    keeps = question[:2].isupper() or question.startswith(("I ", "I'"))
    return question if keeps else question[:1].lower() + question[1:]


@cache
def _own_wordings(patterns: tuple[str, ...]) -> Wordings:
    return Wordings(expand(patterns[0])[0], *patterns)


def _asked_in_its_own_way(
    rng: random.Random, patterns: tuple[str, ...], split: Split, share: float
) -> str | None:
    """A wording that only this fact has, where there is one; the others are frames for all."""
    if patterns and rng.random() < share:
        own = _own_wordings(patterns)
        if own.all(split):
            return own.pick(rng, split)
    return None


@cache
def _whys_of() -> dict[str, Why]:
    return {topic: fact for fact in knowledge.whys() for topic in fact.topics}


@cache
def _whens_of() -> dict[str, When]:
    return {fact.topic: fact for fact in knowledge.whens() if fact.names}


@cache
def _comparisons_of() -> dict[str, list[tuple[Comparison, tuple[str, ...]]]]:
    """A term's comparisons, each with the names of the other side."""
    found: dict[str, list[tuple[Comparison, tuple[str, ...]]]] = {}
    for fact in knowledge.comparisons():
        for side, other in (fact.pair, fact.pair[::-1]):
            found.setdefault(without_article(side[0]), []).append((fact, other))
    return found


def _just_defined(rng: random.Random, state: State) -> str | None:
    """The term that "it" means now, if the last answer was its definition and "it" is said."""
    if state.last_answer is None or rng.random() >= _FOLLOW_UP_SHARE:
        return None
    term = knowledge.defined_in(state.last_answer)
    return term.bare_name if term else None


def define(rng: random.Random, state: State, split: Split) -> Turn:
    term: Term = rng.choice(knowledge.terms())
    name = _called(rng, term.names)
    purpose = term.bare_name not in _whys_of() and rng.random() < _PURPOSE_SHARE
    wording = (_PURPOSE if purpose else _DEFINE).pick(rng, split)
    question = wording.format(term=name, Term=capitalized(name))
    return _turn(rng, state, split, "terms", question, term.definition, term.idea)


def why(rng: random.Random, state: State, split: Split) -> Turn:
    if fact := _whys_of().get(_just_defined(rng, state) or ""):
        return _turn(rng, state, split, "whys", _PURPOSE_OF_IT.pick(rng, split), fact.answer)
    fact = rng.choice(knowledge.whys())
    question = _asked_in_its_own_way(rng, fact.also, split, _OWN_WORDINGS_SHARE)
    if question is None and fact.topics and rng.random() < 2 * _PURPOSE_SHARE:
        name = _called(rng, knowledge.term(rng.choice(fact.topics)).names)
        question = _PURPOSE.pick(rng, split).format(term=name)
    if question is None:
        clause = rng.choice(_choices(fact.clause))
        question = _WHY.pick(rng, split).format(
            question=rng.choice(_choices(fact.question)), clause=clause, Clause=capitalized(clause)
        )
    return _turn(rng, state, split, "whys", question, fact.answer)


def when(rng: random.Random, state: State, split: Split) -> Turn:
    if fact := _whens_of().get(_just_defined(rng, state) or ""):
        return _turn(rng, state, split, "whens", _WHEN_IT.pick(rng, split), fact.answer)
    fact = rng.choice(knowledge.whens())
    share = _OWN_WORDINGS_SHARE / 2 if fact.names else 1.0
    question = _asked_in_its_own_way(rng, fact.also, split, share)
    if question is None and not fact.names:
        question = rng.choice(_choices(fact.also[0]))
    if question is None:
        name = _called(rng, fact.names)
        question = _WHEN.pick(rng, split).format(thing=name, Thing=capitalized(name))
    return _turn(rng, state, split, "whens", question, fact.answer)


def compare(rng: random.Random, state: State, split: Split) -> Turn:
    if known := _comparisons_of().get(_just_defined(rng, state) or ""):
        fact, other = rng.choice(known)
        question = _COMPARE_IT.pick(rng, split).format(b=_called(rng, other))
    else:
        fact = rng.choice(knowledge.comparisons())
        a, b = (_called(rng, side) for side in rng.sample(fact.pair, 2))
        question = _COMPARE.pick(rng, split).format(a=a, b=b, A=capitalized(a))
    return _turn(rng, state, split, "comparisons", question, fact.answer)


@cache
def _choices(pattern: str) -> list[str]:
    return expand(pattern)
