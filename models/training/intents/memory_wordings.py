"""How people tell of themselves, and how they ask for what they told."""

from models.training.wording import Wordings
from models.training.world import ways

TELL_NAME = Wordings(
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
    *ways("tell_name"),
)
ASK_NAME = Wordings(
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
    *ways("ask_name"),
)
TELL_HOME = Wordings(
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
    *ways("tell_home"),
)
TELL_PLACE = Wordings(
    "I am in {city}.",
    "[I am|I'm|Im] [in|visiting|staying in|currently in|right now in|writing from|on holiday in] "
    "{city}[ now| at the moment| this week|].",
    "[We|My family and I] are in {city}[ now|].",
    "I [just arrived|arrived|landed] in {city}.",
    "[At the moment|Today|This week|Right now] I am in {city}.",
    "[Hello|Hi|Greetings] from {city}[!|.]",
    "I [am travelling|travelled|came] to {city}.",
    *ways("tell_place"),
)
ASK_HOME = Wordings(
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
    *ways("ask_home"),
)
ASK_PLACE = Wordings(
    "Where am I?",
    "[Which|What] [city|town|place] am I in[?| now?| right now?]",
    "[Do you know|Do you remember|Tell me|Can you say|Remind me] where I am[?| now?]",
    "Where am I [now|right now|at the moment|staying|again]?",
    "In [which|what] [city|town] am I?",
    "[What|Which] city did I say I am in?",
    *ways("ask_place"),
)
FAVOURITE = "[favourite|favorite]"
TELL_FAVOURITE = Wordings(
    "My favourite {kind} is {value}.",
    "[I like|I love] the {kind} {value} [most|best|more than any other].",
    f"{{value}} is my {FAVOURITE} {{kind}}[.|, by the way.| of all.]",
    "[For me|To me|In my opinion] the best {kind} is {value}.",
    "My [preferred|most loved|number one|top|best|fav] {kind} is {value}.",
    f"[By the way|Remember|Note that|Just so you know|You should know|Also][:|,] my {FAVOURITE} "
    "{kind} is {value}.",
    f"[Actually|No|Correction|Sorry], my {FAVOURITE} {{kind}} is {{value}}.",
    f"My {FAVOURITE} {{kind}}[:| =| would be| has always been| must be] {{value}}.",
    f"[As for|Speaking of] {{kind}}, my {FAVOURITE} is {{value}}.",
    "[The|My] {kind} I [like|love|prefer|enjoy] [most|best] is {value}.",
    f"[If you ask me, |I think |I would say ]my {FAVOURITE} {{kind}} is {{value}}.",
    f"I [have|do have] a {FAVOURITE} {{kind}}: {{value}}.",
    f"I [love|like|adore|really like] {{value}}[, it's|, it is|: it is|. It's] my {FAVOURITE} "
    "{kind}.",
    "[I like|I love] {value} [best|most] of [all {kind}s|every {kind}].",
    f"{{value}}, [that's|that is|it's] my {FAVOURITE} {{kind}}.",
    *ways("tell_favourite"),
)
ASK_FAVOURITE = Wordings(
    "What is my favourite {kind}?",
    f"[What's|Do you remember|Do you know|Tell me|Whats] my {FAVOURITE} {{kind}}?",
    "Which {kind} do I [like most|like best|love|prefer|like the most|love most]?",
    "[What|Which] {kind} did I say I [like|love|prefer|like best]?",
    f"[Can you|Please|Could you] [remember|tell me|say|recall] my [preferred|{FAVOURITE[1:-1]}] "
    "{kind}.",
    f"[And my|So my|My] {FAVOURITE} {{kind}} [is|was|again|please]?",
    f"[Remind me|Say] [what|which] my {FAVOURITE} {{kind}} is.",
    f"[What|Which] {{kind}} [is|was] my {FAVOURITE}?",
    f"I told you my {FAVOURITE} {{kind}}[, what is it|. What was it|, remember]?",
    f"[Have you forgotten|Did you forget|You still know] my {FAVOURITE} {{kind}}?",
    "[What|Which] {kind} [would I choose|would I pick|is best for me|do I like]?",
    f"[What|Which] did I say [was|is] my {FAVOURITE} {{kind}}?",
    "[Favourite|Favorite|My fav|My top] {kind}?",
    *ways("ask_favourite"),
)
TELL_CALLED = Wordings(
    "My {who} is called {name}.",
    "My {who}[ is|'s] [named|called] {name}.",
    "My {who}'s name is {name}.",
    "I have a {who} [named|called] {name}.",
    "The name of my {who} is {name}.",
    "[By the way|Also|Guess what|Oh and], my {who} is [called|named] {name}.",
    "[I got|We got|We have|There is also] a {who}[, {name}| named {name}|, called {name}|: "
    "{name}].",
    "My {who} {name} [is here too|says hello|is the best|sleeps].",
    "[We|I] call my {who} {name}.",
    "{name} is [the name of my {who}|my {who}|my {who}'s name].",
    *ways("tell_called"),
)
ASK_CALLED = Wordings(
    "What is my {who} called?",
    "[What is|What's|Do you know|Do you remember|Tell me] my {who}'s name?",
    "[What is|What's|Tell me] the name of my {who}?",
    "[Do you know|Do you remember|Remind me] [what my {who} is called|the name of my {who}]?",
    "[How|What] [did I say |]my {who} is called?",
    "Who is my {who}?",
    "[Name of|The name of|And the name of|And] my {who}[?|, please?| again?| - what was it?]",
    "What was my {who}'s name[ again|]?",
    "[My|And my] {who}'s name[?| again?| is| was?]",
    *ways("ask_called"),
)
ABOUT_ME = Wordings(
    "What do you know about me?",
    "[What|Everything] [do you know|do you remember|did I tell you|have I told you] about me[?|]",
    "[Tell me|Say|List|Sum up] [what you know|everything you know|what you remember] about me.",
    "[What have I told you|What did I say|What have you learned] about [me|myself]?",
    "[Do you know|Do you remember] [anything|something] about me?",
    "[Summarise|Summarize|Describe] me[ in your words|].",
    *ways("about_me"),
)
TELL_TWO = Wordings(
    "{first} and {second}.",
    "[Hi, |Hello! |Hey, |OK, |]{first}[, and| and|,] {second}[.|!|]",
    "{first}. {second_upper}[.|]",
    "{first}[;|,] also, {second}.",
)
GIVEN = Wordings(
    "{value}",
    "{value}[.|!|, please remember it.|]",
    "[It is|It's|Its|That is|That would be|I think it is|Of course it is] {value}[.|!|]",
)
