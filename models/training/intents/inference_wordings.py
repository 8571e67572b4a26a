"""How people ask about LLM inference: frames with a slot for what they ask about."""

from models.training.wording import Wordings
from models.training.world import ways

DEFINE = Wordings(
    "What is {term}?",
    "What [is|are|'s] {term}?",
    "[What's|Whats|What is|What are] {term}[ again| exactly| really| actually|]?",
    "What[ exactly|] [is|are] {term}[, in simple words|, simply put|, please|, in plain English]?",
    "What is {term} [in LLM inference|in this field|for a model|all about|about]?",
    "In [LLM inference|LLM serving|the context of LLMs|machine learning], what [is|are] {term}?",
    "What does {term} [mean|do|stand for|refer to|describe]?",
    "What [do you understand by|should I understand by|do you call|kind of thing is] {term}?",
    "[Explain|Describe|Define|Clarify] {term}[ to me| in simple words| in plain English|].",
    "[Explain|Describe] {term}[ to me|] [for a newcomer|to a beginner|like I'm five|as to a child|"
    "like I'm 5|like I am a child|in simple terms|in plain words|in layman's terms].",
    "[Explain like I'm five|Explain it like I'm 5|ELI5|In plain English|In simple words]"
    "[:|,] [{term}|what is {term}?|what {term} is.]",
    "[What's|What is|Whats] {term} in [plain English|simple terms|plain words|layman's terms|easy "
    "words]?",
    "[Tell me|Say|Explain] in [simple|plain|easy] words what {term} is.",
    "[So|OK|Right|Well|Now][,|] {term}[:| -|,] what [is it|is that|does it mean|exactly is it]?",
    "[A definition of|A word on|Something on|Info on|An explanation of|The basics of] {term}[, "
    "please|].",
    "[What on earth|What the heck|What exactly|What in the world] [is|are] {term}?",
    "[Can someone|Can anybody|Can anyone|Who can] explain {term}[ to me|]?",
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
    "I [don't know|don't understand|am not sure|have no idea] what {term} [is|means|does].",
    "[Never heard of|Not sure about|No idea about|Confused about] {term}[.|, what is it?]",
    "[Give|Show] me [a definition|the definition|an explanation|the meaning] of {term}.",
    "[What about|And|Now|Next:|How about|And what about|OK, and|Same for] {term}?",
    "[And what is|So what is|Then what is|OK so what's|But what is] {term}?",
    "{Term}[?|.|, please.|, explain.|, what is that?|: what is it?|, what's that?|??]",
    "{term}[?|??|!|]",
    "{term}[ meaning| definition| explained| explanation| basics| meaning?| intro| definition?]",
    "[define|define:|meaning of|definition of|eli5|explain|whats|wat is|what is|what means] {term}",
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
    "[What happens|What is happening|What's going on|What goes on] [during|in|with|when we do] "
    "{term}?",
    "[How|How exactly] is {term} [defined|measured|meant|explained|described]?",
    "How [would|do] [you|we|people] [define|describe|explain|put|sum up] {term}[ for an LLM| here"
    "|]?",
    "{Term}[, huh?|... huh?|, what are they?|, what's the trick?| - what's the trick?| simply "
    "explained| explained simply|, in short words| for dummies| 101]",
    "[Explain|Describe] {term} to [my grandma|my mother|a child|my boss|a friend|a student|me]"
    "[, please|].",
    "[Explain|Describe|Tell me about] {term} in [a few words|a few sentences|two sentences|short "
    "words|your own words][, please|].",
    "{Term} in [two sentences|a few words|simple words|plain words|other words][, please|].",
    "[What|Which] role [does|do] {term} play?",
    '[What is meant by|What is|What\'s|What does it mean:|What do they mean by] "{term}"[?| here?]',
    '[It says|The docs say|The blog says|They write|The chart says] "{term}"[. What is that?|. '
    "Huh?|, what is it?|. What do they mean?]",
    "What is {term}[ and what does it do| and how does it work| and how is it measured| and why do "
    "I need it| and why would I care| and what is it for| and what's it good for]?",
    "[Why would I need|Why should I care about] {term}[, what is it?| - what is it?|? What is it?]",
    "[Walk|Talk|Take] me through {term}[.|, please.]",
    "[The dashboard|The chart|This page|The report] shows {term}[, what is it?|. What does it tell "
    "me?|. What does it mean?]",
    "[How do I|How should I|How to] [read|interpret|understand] {term}?",
    "What [does|do] {term} [tell me|tell you|tell us|say|show|measure|express]?",
    "[What's|What is] {term} [short for|supposed to be|in a nutshell|about|like]?",
    "[What's|What is] the [trick|secret|principle|point] [behind|of|in] {term}, [what is it|what "
    "does it do]?",
    "[State|Recall|Name|Spell out] {term}[ for me|, please|].",
    "[New here|I'm new|Beginner here|Total beginner][:|,] [what is|what's|explain|define] {term}?",
    "[whats|wats|what's] {term}[?? im new|, im new here| mean| again pls| exactly]",
    "What [does|do] {term} [mean|do] [for|in] [a chat|an API|a server|a model|vLLM|the app]?",
    "What [is|are] {term} [in vLLM|for a server|in a chat|in an API|when we serve a model]?",
    "What [does|do] {term} do[ differently| exactly| to my model| for me| for the user| in a "
    "server|]?",
    *ways("define"),
)
# The term with a value that somebody has seen: what it is says what the value is of.
DEFINE_VALUE = Wordings(
    "What does a {bare} of {value} mean?",
    "[What does|What would] [a|an|my] {bare} of {value} [mean|tell me|say|stand for]?",
    "[We have|I have|I see|It shows|The dashboard shows|There is] a {bare} of {value}[. What is "
    "that?|, what does that tell me?|. What does it mean?|, what is it?]",
    "[My|The|Our] {bare} is {value}[. What is that?|. What does that mean?|, what does it mean?]",
    "{bare} = {value}[?|, what is that?|, meaning?| means what?]",
    "What [is|does it mean if] {bare} [={value}|= {value}|is {value}]?",
)
# What a term is for: answered by its why, or by its definition where there is none.
PURPOSE = Wordings(
    "Why does {term} matter?",
    "[Why|And why|But why|So why|Hey, why] [is|are] {term} [important|useful|needed|used|relevant|"
    "interesting|a good thing]?",
    "Why [is|are] {term} so [important|useful|popular|interesting|good]?",
    "Why [use|should I use|do people use|would I use|do we use|do we need|care about|have|bother "
    "with] {term}?",
    "[What's|What is|Tell me] the [point|use|benefit|advantage|purpose|goal|sense] of {term}?",
    "[How|In what way] [does|do] {term} help[ me| a server| in practice| us|]?",
    "What [is|are] {term} [good for|useful for|there for|needed for|used for]?",
    "[Benefits|Advantages|Purpose|Importance|Use|Usefulness] of {term}",
    "What [problem|problems] does {term} solve?",
    "[Explain|Tell me|I wonder|I don't see|I don't understand|I don't get|I want to know|Do you "
    "know] why {term} [matters|is useful|is important|is needed|is used|is so popular].",
    "[I don't see|I don't get|Explain|Tell me] the [point|use|benefit|purpose|importance] of {term}"
    "[.|, please.]",
    "Why should [I|we|anybody|anyone] [care about|know about|bother with|look at|use] {term}?",
    "What do [I|we|people] [gain|get|win] [from|with|by] {term}?",
    "What is so [good|great|special|important] about {term}?",
    "{term}[, but why?|: why?| - why would anyone want that?|, what for?| and why bother?|. Why?]",
    "Why did [everyone|everybody|people|they|our team] [move|switch|change] to {term}?",
    "[Is there any|What's the|I see no] reason [for|to use|to have] {term}[?|]",
    "[Our team|My boss|Everybody] [uses|wants|loves|turned on] {term}[. Why?|, why?|. What for?|. "
    "What does it bring?|, what do we gain?]",
    "[What's|What is] the big deal [with|about] {term}?",
    *ways("purpose"),
)
PURPOSE_OF_IT = Wordings(
    "Why does it matter?",
    "[And why|Why|So why|But why] [does it matter|is it useful|is that important|is it needed]?",
    "[Why would I use|Why should I use|Why do people use|Why use] [it|that|this]?",
    "[What's|What is] the [point|use|benefit|advantage] of [it|that|this]?",
    "What is [it|that] good for?",
    "Why should I care[ about that| about it|]?",
    "[How does|And how does] [it|that] help?",
)
WHY = Wordings(
    "Why {question}?",
    "[Please tell me|Tell me|Explain|Do you know|Can you explain|Explain to me] why {clause}.",
    "[Can|Could] you [tell me|explain|say|explain to me|help me understand] why {clause}?",
    "[How come|Why is it that|How is it possible that|How does it happen that] {clause}?",
    "[What is|What's] the [reason that|reason why|explanation why|cause that] {clause}?",
    "[I wonder|I want to know|I don't understand|I don't get|I'm curious|No idea] why {clause}.",
    "[And why|But why|So why|Why exactly|why on earth|Why actually] {question}?",
    "[Is it true that|I read that|I heard that] {clause}[. Why?|, why?|, but why?]",
    "[My boss|A friend|My colleague|Somebody] [says|told me] that {clause}[. Why?|. Why is that?]",
    "{Clause}[. Why?|, why?|. How come?|, but why?|. Why is that?|, what's the reason?]",
    "[Any idea|Reason|The reason|Explanation] why {clause}?",
    "[Help me understand|Help me see|It is not clear to me|I'd like to know] why {clause}.",
    "[What explains|What is behind the fact|What makes it so] that {clause}?",
    "[Strange result|Observation|Funny|Hm|I noticed|We saw|In our tests]: {clause}[. How is this "
    "possible?|. Why?|. How come?|. Any idea why?|, why|. Is that normal? Why?]",
    "[I noticed|We saw|I see|We find|People say|They say|It seems] that {clause}[. How is this "
    "possible?|, any idea why?|. What is behind it?|, but why|.. why so|. Why would that be?]",
    "{clause}[.. why|, why so| and I don't understand why|, how is this possible?|: reason?| - "
    "why though]",
    "[if so|but then|ok but], why {question}[?|]",
    "[Any idea|Whats the reason|Question for you|Serious question][, |: ]why {question}?",
    "{clause}[, what gives?| - what gives| what's going on?| lol. how can that be| and what's "
    "behind that| explain pls|, what's the logic behind that?|. what is happening there?| - what's "
    "the explanation?|?! explain|. How's that?]",
    "[Silly question maybe|Stupid question|Weird|Sorry if this is obvious][, but |: ]why {question}"
    "[?|]",
    "[People keep asking me|My students ask me|A customer asks|Everybody asks me] why {clause}[.|. "
    "What do I say?|, what is the answer?|]",
    "[For what reason|By what logic|What on earth is the reason,|Do you know,] why {question}?",
    "[I never understood|It puzzles me|I keep wondering|Nobody could tell me] why {clause}[.|?|, "
    "can you?|, help]",
    "[ok and |so |hm, ][what's the reason|what is the logic|what is behind it] that {clause}[?|]",
)
WHEN = Wordings(
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
    "[Do I|Do we|Does everybody|Do you|Does one|Would I] [need|want|really need] {thing}"
    "[ for LLMs| for a chatbot| at all| in production|]?",
    "[Pros and cons|Advantages and disadvantages|Benefits and drawbacks|Strengths and weaknesses|"
    "Upsides and downsides|Advantages and drawbacks] of {thing}[?|, please|]",
    "[What are|Tell me|Give me|List] the [pros and cons|advantages and disadvantages|benefits and "
    "drawbacks|strengths and weaknesses|upsides and downsides] of {thing}[?|]",
    "{Thing}[: worth it?|, worth it?| worth it?|: pros and cons?|: good idea or not?| pros and "
    "cons|: yes or no?]",
    "[Is|Are] {thing} [really|still|actually|ever] worth [it|the trouble|the effort|the money]?",
    "[Is|Are] {thing} [for me|right for me|necessary|needed|required|a must|overkill|enough]?",
    "[Who|Which team|What kind of service] [should use|needs|profits from|gains from] {thing}?",
    "[Can|Could] I [skip|do without|leave out|go without] {thing}?",
    "What [is|are] {thing} best [for|suited for|used for]?",
    "[Tell me|Explain|I wonder|I want to know|Can you say] when [to use|I should use] {thing}.",
    "[Best|Typical|Good] [use case|use cases|situation|time] for {thing}?",
    "What [are good cases|is a good use case|is the right time|is the best case] for {thing}?",
    "[Does|Will|Would] {thing} [always help|help me|pay off for me|make sense for me]?",
    "[I am thinking about|We are thinking of|I consider|My boss wants] {thing}"
    "[. When does it pay?|. Is it worth it?|, is it a good idea?|. Should I?]",
    *ways("when"),
)
WHEN_IT = Wordings(
    "When should I use it?",
    "[And when|When|So when] [do I use|should I use|would I use|does one use] [it|that|this]?",
    "[And when|When] [does it help|does it pay off|is it worth it|is that useful|is it better]?",
    "When [is it|is that] [a bad idea|not worth it|useless|the wrong choice]?",
    "[Should I use|Do I need|Should I turn on] [it|that]?",
    "[Is it|Is that] [always a good idea|worth it|always useful]?",
    "In [which|what] [case|situation] [should I use|would I use] it?",
)
COMPARE = Wordings(
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
    "[difference between|diff between|differences between|the difference of] {a} and {b}[?|]",
    "{A} [or|vs|versus|vs.] {b}[: which one|: which is better|, which|: when which|, what is "
    "better]?",
    "What are the [pros and cons|advantages|benefits] of {a} [over|vs|compared to|against] {b}?",
    "Why [use|choose|take|prefer] {a} [over|instead of|and not|rather than] {b}?",
    "[When|Why] [is|are] {a} better than {b}?",
    "[What's|Which is|What is] better[:|,] {a} or {b}?",
    "[Is|Are] {a} or {b} better[ for me|]?",
    "[Help me|I need to|I have to] [choose|decide] between {a} and {b}.",
    "[How do|How are|Are] {a} and {b} [related|connected|alike|similar]?",
    "[Explain|Describe|Tell me about] {a} [vs|versus|compared to|as opposed to] {b}.",
    "What does {a} [do that|have that|offer that] {b} [does not|doesn't]?",
    "[I know {a}, but what is|I understand {a}, but what's different in] {b}?",
    "[My dev|One team|My colleague|One vendor] [uses|runs|likes|prefers] {a} [but|and|while] "
    "[the server|another|I|the other] [uses|runs|prefers|likes] {b}[, whats different between them"
    "|. What is the difference?|, which is better?|. Who is right?]",
    "{A} and {b} [sound alike|sound the same|look similar|seem the same][, which does what?|. "
    "What's the difference?|, or not?| to me.]",
    "[Do I|Would I|Will I] [lose|gain|win|miss] [something|anything|much] [using|with|if I use] "
    "{a} instead of {b}?",
    "[Isn't|Aren't|Is|Isnt] {a} [just|basically|only] [the inverse of|another word for|a kind of|a "
    "better|the same as] {b}?",
    "{a} or {b}[, whats the diff|, whats the diff and which do i use|? cant decide|, im confused|, "
    "which do i report]",
    "[For one user|At home|In production|On a small GPU|For a chatbot|For a startup][: |, ][{a} or "
    "{b}|which is better, {a} or {b}|should I take {a} or {b}]?",
    "[which is better|what would you take|what should I choose|which one] [for one user|at home|in "
    "production|on a small GPU|for a chatbot|for a startup][, |: ]{a} or {b}[?|]",
    "[We switched|We moved|They want to move|Somebody told me to switch] from {a} to {b}[. What "
    "changes?|, what's the difference?|. Is that good?|, what do we get?]",
    *ways("compare"),
)
COMPARE_IT = Wordings(
    "How is it different from {b}?",
    "[And how|How|So how] [does it compare to|does that differ from|is that different from] {b}?",
    "[What's|What is] the difference [to|from|between that and|between it and] {b}?",
    "[Is it|Is that|Isn't that] [the same as|better than|like] {b}?",
    "[And compared to|And vs|Compared with|Or] {b}?",
)
COMPARE_THEM = Wordings(
    "What is the difference between the two?",
    "[What's|Whats|Explain|Tell me|And|So what is] the difference[ between them| between the two|"
    " between those two| between both|][?|, please?|]",
    "[And how|How|So how] do [they|the two|these two|both of them] [differ|compare|relate]?",
    "[And which|Which|So which] [one|of them|of the two|of these] [is better|should I use|is "
    "faster|is slower|do I need|matters more|is worse|would you take]?",
    "[Compare|Can you compare|Please compare] [them|the two|both|those two][.|, please.|?]",
    "[Are they|Are the two|Aren't they|So are they|Are both] [the same|the same thing|related|"
    "different|alike]?",
    "[How are|In what way are] [they|the two|those] [different|related|connected]?",
    "[I mix them up|I confuse the two|They sound the same][.|, help.|. Difference?|, which is "
    "which?]",
)
CONTEXT = Wordings(
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
ONE_SENTENCE = Wordings(
    "In one sentence, {inner}",
    "In [one|a single|just one] sentence[,|:] {inner}",
    "{question} [Answer in one sentence.|One sentence, please.|One sentence only.|One sentence!]",
    "[Answer in one sentence|One sentence only|Just one sentence|Use one sentence]: {inner}",
    "{bare} in [one|a single] sentence?",
    "{bare}, in [one|a single|one short] sentence[?|, please.|]",
    "[In short|Briefly|In a nutshell|In brief|Short answer][,|:] {inner}",
    "{bare}, [in short|briefly|in brief|in a nutshell|short answer please|keep it short][?|.|]",
    "{question} [Short answer.|Keep it short.|Be brief.|Briefly, please.|Short, please.]",
)
