"""How people come to ask what a term is: where they met it first, and then what they want to know
of it; or the term alone, as one types into a search box."""

import random
import re

from models.training.wording import Split, Wordings, capitalized

_SCENE = Wordings(
    "Our team talks about {term}",
    "[Our|The|My|Some] [k8s team|platform team|SRE|CTO|vendor|intern|architect|colleague|professor|"
    "consultant|data scientist|ops people] [proposes|suggested|wants|insists on|mentioned|asked "
    "about|swears by|complains about|is talking about|keeps saying] {term}",
    "[We|I|They|Somebody|The ops people] [deployed|enabled|switched on|turned on|installed|rolled "
    "out|tried|bought|configured|use] {term} [yesterday|last week|months ago|on our server|in "
    "production|today]",
    "[Grafana|The dashboard|The log|Our log|The benchmark output|The config|The pricing page|The "
    "release notes|The readme|The paper|The model card|The invoice|The profiler|The monitoring] "
    '[shows|prints|says|mentions|lists|has|claims] [{term}|something called {term}|"{term}"|{term} '
    "everywhere|something about {term}]",
    "[In a podcast|In a talk|In standup|In the meeting|In the job ad|On the slides|In my course|On "
    "Reddit|In the exam] [they|someone|everybody|people] [mentioned|talked about|kept saying|"
    "praised|brought up] {term}",
    "[I heard|I read|I saw|I was asked|Heard|Read|Saw] [something |a lot |]about {term}[ yesterday|"
    " in a blog| in a podcast| at work|]",
    "[My boss|The customer|My team|The CTO] [wants us|told us|asked me|expects me] to [try|use|"
    "look into|report|explain|have] {term}",
    "[I have|I need|I've been asked] to [explain|present|report|set up|do|use|look into] {term}"
    "[ tomorrow| at work| for a client|]",
    "[There is|I see|I found|We have] [a field|a setting|an option|a column|a metric|a flag|a "
    "chapter|a button] [called|named|for|about] {term}",
    "[The error|The warning|The alert|My job|The server|vLLM] [says|said|died with|stopped with|"
    "logs|reports] {term}",
    "[We are|I am] [a small startup|two students|new in this team|a designer, not an engineer] and "
    "[met|came across|hear of|need] {term}",
)
_WANTED = Wordings(
    ". What is that?",
    "[, |. |? |... | - ][what is it|what is that|what's that|whats that|what does it mean|can you "
    "explain|please explain|could you tell me what it is|what do they mean|what is this exactly|"
    "how should I read it|eli5|first of all, what is it|what's that all about][?|]",
    "[. |, ][Meaning|Huh|Which means|And that is|Explain|Help|Explanation please|So what is it]"
    "[?|??]",
    "[ and| but|, but] [I have no idea what it is|nobody remembers what it does|I don't know what "
    "that means|everyone nodded except me|I never used it|I have never heard of it|nobody could "
    "explain it][.|, can you explain?|. What is it?|]",
)
_SHORT = Wordings(
    "{term}?",
    "{bare}[?||??|!| ?]",
    "{bare} [meaning|explained|definition|what is it|= ?|eli5|for dummies|in a nutshell|what is "
    "that|basics|again?|quick explanation|please]",
    "[eli5|explain|define|whats|what is|wat is|meaning of|what means|tell me] {bare}[?|]",
    "[what the hell|who or what|what] is {bare}[?|]",
)
_SENTENCE_START = re.compile(r"(?<=[.?] )[a-z]")


def met_somewhere(rng: random.Random, split: Split, term: str) -> str:
    """The term in a sentence of its own or half of one, and what is to be said of it."""
    text = _SCENE.pick(rng, split).format(term=term) + _WANTED.pick(rng, split)
    return capitalized(_SENTENCE_START.sub(lambda letter: letter[0].upper(), text))


def typed_alone(rng: random.Random, split: Split, term: str, bare: str) -> str:
    return _SHORT.pick(rng, split).format(term=term, bare=bare)
