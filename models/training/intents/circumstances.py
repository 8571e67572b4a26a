"""What people say beside their question: who did what, where and when. It changes no answer; with
so many of them, only the question itself can be what an answer is learned from."""

import random

from models.training.wording import capitalized

_WHO = (
    *("I", "we", "they", "you guys", "my colleague", "our customer", "the devops team", "my boss"),
    *("our intern", "a user", "the support team", "the CEO", "someone on the forum", "the vendor"),
    *("my professor", "the night shift", "our lawyer", "the marketing people", "the new guy"),
    *("my flatmate", "the whole office", "a friend of mine", "the auditor", "my team", "Anna"),
    *("the sales people", "our partner", "the school", "my brother", "the hospital", "a student"),
    *("two of our users", "the bank", "a startup", "the guys upstairs", "my manager", "Tom"),
)
_DID = (
    *("deployed", "tested", "restarted", "bought", "checked", "opened", "wrote about", "found"),
    *("complained about", "asked for", "reviewed", "moved", "updated", "removed", "broke", "fixed"),
    *("paid for", "read about", "looked at", "demoed", "forgot", "printed", "compared", "built"),
    *("wants to change", "keeps asking about", "is writing about", "needs", "pitched", "started"),
    *("had to explain", "is playing with", "pasted", "raised", "cancelled", "signed", "measured"),
)
_WHAT = (
    *("the chatbot", "a Llama model", "the 8B model", "Mixtral", "the playground", "the invoice"),
    *(
        "an old config",
        "the new release",
        "our API",
        "the H100 machines",
        "our cluster",
        "the demo",
    ),
    *("a blog post", "the notebook", "the documentation", "the web page", "the slides", "a script"),
    *("the test run", "my laptop", "the translation service", "the search page", "a small model"),
    *("the big model", "the pull request", "the datasheet", "the load balancer", "the mobile app"),
    *("40 requests", "a long document", "the budget", "the contract", "the dashboard", "a chart"),
    *("the lecture", "a customer's prompt", "the assistant", "two new machines", "the queue"),
    *("the error page", "our website", "the data", "the answers", "an experiment", "the graph"),
)
_WHEN = (
    *("", "", "", "", " yesterday", " this morning", " after lunch", " last week", " at work"),
    *(" in the meeting", " for the third time", " before the release", " on Friday", " in March"),
    *(" two days ago", " without asking", " in production", " for a client", " over the weekend"),
    *(" in a podcast", " again", " at home", " in class", " for fun", " on Monday", " at night"),
)
_AND_THEN = (
    *("", "", "", "", " and it took 40 secs", " and it felt slow", " and nobody knew why"),
    *(" and now it looks fine", " but it was a mess", " and everything is red", " and it works"),
    *(", users are angry", " but the answer never came", " and I am lost", ", long story"),
    *(" and it is faster now", " and it got worse", " but nobody noticed", ", don't ask"),
    *(" and I got an error", " and the numbers look strange", " lol", ", which is nice"),
)
_BEFORE = (
    ". ",
    ". ",
    ". ",
    ", ",
    "... ",
    "! ",
    ". So ",
    " and now: ",
    ". Anyway, ",
    ". My question: ",
)
_AFTER = (" ", " ", " ... ", " (", " Because ", " I ask because ", " - ")


def circumstance(rng: random.Random) -> str:
    """Half a sentence, without a full stop: "our intern restarted the chatbot after lunch"."""
    parts = (_WHO, (" ",), _DID, (" ",), _WHAT, _WHEN, _AND_THEN)
    return "".join(rng.choice(part) for part in parts)


def with_circumstance(rng: random.Random, question: str) -> str:
    """The question after, or seldom before, something that has nothing to do with it."""
    said = circumstance(rng)
    if rng.random() < 0.75:
        link = rng.choice(_BEFORE)
        starts_anew = link in (". ", "... ", "! ")
        return capitalized(said) + link + (question if starts_anew else lowered(question))
    link = rng.choice(_AFTER)
    ends = question if question[-1:] in ".?!" else question + "?"
    return (
        ends
        + link
        + (said if link.endswith(("ecause ", "(", "- ")) else capitalized(said))
        + (")" if link == " (" else ".")
    )


def lowered(question: str) -> str:
    """The question as it goes on after a comma: `TTFT meaning` and `I wonder` stay as they are."""
    keeps = question[:2].isupper() or question.startswith(("I ", "I'"))
    return question if keeps else question[:1].lower() + question[1:]
