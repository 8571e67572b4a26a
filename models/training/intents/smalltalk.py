"""Greetings, thanks, goodbyes, feelings, jokes, and what the model is."""

import random

from models.training.intents.base import State, Turn
from models.training.knowledge import first_sentence
from models.training.wording import Split, Wordings, typed

# A kind of talk: how it is said, and the answers, of which one is drawn.
_TALK: dict[str, tuple[Wordings, tuple[str, ...]]] = {
    "hello": (
        Wordings(
            "Hi",
            "[Hi|Hello|Hey|Hi there|Hello there|Good morning|Good evening|Good day|Greetings]"
            "[!|.||, Dyno!|, nice to meet you.| again!| everyone| my friend]",
            "[Good afternoon|Hiya|Howdy|Yo|Heya|Hey hey|Hallo|Helo|Hi hi|Salut|Hola|Servus|Moin]"
            "[!|.|| there| Dyno| buddy]",
            "[Hi|Hello|Hey], [is anybody there|anyone there|are you there|can you hear me]?",
            "[Nice to meet you|Pleased to meet you|Good to see you|Long time no see|Welcome]"
            "[!|.|, Dyno.| again.]",
            "[Let's start|Let us begin|Let's talk|Let's chat|I want to chat|Talk to me][.|!|]",
            "[I am|I'm] [new here|back|here|new to this|just looking around|trying you out][.|!|]",
            "[Test|Testing|Just testing|This is a test|Test 123|ping][.|!|]",
            "[Good morning|Good afternoon|Good evening] [to you|all|dear model|my friend][.|!|]",
            "[I just wanted to say|I want to say|Let me say] [hi|hello][.|!|]",
            "[It is|It's] [me|me again|my first time here|my first visit][.|!|]",
        ),
        (
            "Hello! I can talk about LLM inference, capitals, the weather and short stories. What "
            "would you like?",
        ),
    ),
    "how are you": (
        Wordings(
            "How are you?",
            "[Hi, |Hello, |Hey, |]how are you[ doing| today| feeling| doing today| this morning|]?",
            "[How is it going|How's it going|What's up|Are you well|How do you do|You OK|Whats "
            "up]?",
            "[How is life|How's life|How have you been|How was your day|How goes it|All good]?",
            "[Are you|You] [OK|fine|alright|happy|tired|good]?",
            "[I am|I'm] [fine|good|well|great], [and you|how about you|how are you]?",
            "[What are you doing|What are you up to|What's new][ now| today|]?",
            "[How do you feel|Do you feel good|Everything fine]?",
            "[How are things|How are you getting on|How's everything|How is everything]"
            "[ today| with you|]?",
            "[I hope|Hope] you are [well|fine|doing well|good today][.|!|]",
            "[Having|Are you having] a [good|nice|busy] day?",
        ),
        ("I am fine, thank you! What would you like to know?",),
    ),
    "thanks": (
        Wordings(
            "Thanks!",
            "[Thanks|Thank you|Many thanks|Thanks a lot|Thank you very much|Cheers][!|.|| Dyno.]",
            "[Great|Good|Nice|OK|Cool|Perfect|Wonderful|Got it][!|, thanks.|, thank you!|.|]",
            "[That was|That is|This is] [helpful|clear|good|very helpful|great][, thanks|].",
            "[Thx|Ty|Thanks so much|Thanks a bunch|Thank you so much|Much appreciated|Danke|Merci]"
            "[!|.|]",
            "[I appreciate it|That helps|That helped a lot|You helped me|You were a great help]"
            "[!|.|, thank you.]",
            "[Thanks|Thank you] for [your help|the answer|the story|explaining|that|your time|"
            "the information|being here][!|.|]",
            "[Awesome|Excellent|Brilliant|Super|Very good|Well done|Good job|Good answer][!|.|, "
            "thanks!]",
            "[I see|I understand|Understood|Makes sense|Now I get it|Good to know][, thanks|].",
            "[I am|I'm] [grateful|very grateful|thankful][ to you|, really|][.|!|]",
            "[Just what I needed|Exactly what I wanted|That answers it][, thanks|, thank you|]"
            "[.|!|]",
        ),
        ("You are welcome! Ask me more if you like.",),
    ),
    "bye": (
        Wordings(
            "Bye!",
            "[Bye|Goodbye|Bye bye|See you|See you later|Good night|Farewell|Ciao]"
            "[!|.||, Dyno.| soon| tomorrow| and thanks|, my friend]",
            "[I have to go|I must go now|I am leaving|That is all|That's all|I'm done|I am done]"
            "[, bye|, thanks| for today| for now|].",
            "[Take care|Until next time|Until tomorrow|See ya|So long|Have a nice day|Cya|"
            "Talk to you later|Catch you later|Adios|Have a good one|Good bye][!|.|]",
            "[I'm off|Off to bed|Time to go|I should get back to work|Gotta go|Got to run]"
            "[!|.|, bye!]",
            "[Thanks|Thank you][,|] [and goodbye|bye|see you|good night][!|.]",
            "[That was all|No more questions|Nothing else|Nothing more][, thank you|, thanks|][.|]",
            "[It was nice|Nice|It was good|Good] [talking|chatting] [to|with] you[, bye|][.|!|]",
            "[I will|I'll] [come back|be back|see you] [later|tomorrow|another time][.|!|]",
            "[Let's stop here|Let us end here|I will stop now|We can stop now][, bye|, thanks|]"
            "[.|]",
        ),
        ("Goodbye! It was nice to talk to you.",),
    ),
    "help": (
        Wordings(
            "What can you do?",
            "[What|How] can you [help me with|tell me|talk about|answer]?",
            "[What|Which] [topics|questions] [do you know|can you answer|can I ask]?",
            "[Help|Help me|Help!|What now?|What should I ask?|What do you know?]",
            "[What can I|What may I|What should I|What could I] [ask|ask you|do here|say|try]?",
            "[What are you|What are your] [good at|skills|topics|able to do|abilities|capable of]?",
            "[What do you|What subjects do you|What things do you] [know about|talk about|know]?",
            "[Give me|Show me|Tell me] [an example|some examples|a question to ask|ideas|your menu]"
            "[, please|].",
            "[I don't know|I do not know|No idea|Not sure] what to [ask|say|do].",
            "[What else|Anything else] [can you do|do you know|can I ask]?",
            "[Can you|Could you] help me[ with something|, please|]?",
            "[How do|How can] I [use you|use this|work with you|start|get started]?",
            "[Tell me|Surprise me with|Give me] [something|something interesting|a tip|anything].",
            "[What is this|What's this|What is this app|What is this for|Where am I here]?",
            "I have a question[.||, can you help?]",
        ),
        (
            "I can explain terms of LLM inference, name capitals, tell the weather of a city, add "
            "small numbers, list things and tell short stories. Try: What is the KV cache?",
        ),
    ),
    "what are you": (
        Wordings(
            "Are you a human?",
            "Are you [a robot|an AI|a machine|real|a bot|a person|ChatGPT|intelligent]?",
            "[How big are you|How many parameters do you have|How large are you]?",
            "[Who made you|Who trained you|How were you trained|Where do you come from]?",
            "What [are you|kind of model are you|model is this|model are you]?",
            "Are you [alive|conscious|a chatbot|GPT|Llama|an LLM|a language model|smart|a computer|"
            "a neural network|Claude|Gemini|open source|human or machine]?",
            "[What|Which] [model|language model|LLM|AI|version] [am I talking to|are you|do "
            "you use|"
            "is behind this]?",
            "[Who|Which company] [built|created|programmed|developed|wrote|made] you?",
            "[How|On what|With what data|By whom] were you [made|built|trained|created]?",
            "[How old are you|When were you born|When were you trained|Where do you live|"
            "Where are you]?",
            "[Do you have|Have you got] [feelings|a body|a brain|friends|parents|a heart|a soul]?",
            "[Tell me|Say something] about yourself[.|, please.|]",
            "[Do you|Can you] [think|learn|feel|sleep|eat|dream|see me|hear me|access the internet|"
            "search the web]?",
            "[Are you|Is this] [online|connected to the internet|running locally|free]?",
            "[How small|What size|How smart|How clever] are you?",
            "Why are you so [small|limited|stupid|simple]?",
        ),
        (
            "I am a very small language model that ships with LLM Dyno. I was trained on generated "
            "dialogues, so I know only a few topics.",
        ),
    ),
    "joke": (
        Wordings(
            "Tell me a joke.",
            "[Tell me|Do you know|Give me|Make|Say|I want] [a joke|something funny|a funny joke|"
            "another joke|one more joke][.|, please.|]",
            "[Make me|Can you make me] laugh[.|?|, please.]",
            "[Can you|Could you] tell [me |us |][a|another] joke?",
            "[Joke|A joke|A joke please|Any jokes|Be funny|Say something funny][.|?|!|]",
            "[I need|I'd like] [a joke|a laugh][.|]",
        ),
        (
            "Why did the model bring a suitcase? It had a long context to carry.",
            "Why was the GPU so calm? It did everything in parallel and worried about nothing.",
            "Why did the token cross the road? It was sampled.",
        ),
    ),
    "sad": (
        Wordings(
            "I am sad.",
            "[I am|I'm|I feel|Im] [so |very |a bit |]"
            "[sad|unhappy|lonely|tired|down|bad|stressed|angry|nervous|sick|upset|afraid][.|!|]",
            "[I had|It was|This was] a [bad|hard|long|terrible|difficult] day[.|]",
            "[I|We] [cried|lost|failed|am not well|broke up][ today| again|].",
            "[Everything|It all] [is bad|goes wrong|is too much|makes me sad][.|]",
            "[Cheer me up|Comfort me|I need a friend|I miss my friend|Be nice to me][.|, please.|]",
        ),
        ("I am sorry to hear that. A short story may help: shall I tell you one?",),
    ),
    "glad": (
        Wordings(
            "I am happy.",
            "[I am|I'm|I feel|Im] [so |very |]"
            "[happy|glad|good|great|excited|fine|well|fantastic|proud|in love][.|!|]",
            "[What a|It is a|This is a] [beautiful|great|lovely|good|wonderful] day[!|.|]",
            "[I won|I passed my exam|I got the job|It works|It worked|We did it|Today is my "
            "birthday]"
            "[!|.|]",
            "[Life is good|All is well|Everything is fine][.|!|]",
        ),
        ("That is good to hear! What would you like to talk about?",),
    ),
    "bored": (
        Wordings(
            "I am bored.",
            "[I am|I'm|Im] [so |very |]bored[.|!|]",
            "[This is boring|I have nothing to do|Entertain me|So boring|Nothing to do][.|!|]",
            "[I don't know what to do|I need something to do|What a dull day][.|!|]",
            "[There is|There's] nothing [to do|going on|on TV][ today| here|][.|!|]",
        ),
        ("Then let us do something! Shall I tell you a story, or explain the KV cache?",),
    ),
    "praise": (
        Wordings(
            "You are great.",
            "[You are|You're|Youre] [so |very |really |]"
            "[great|nice|clever|smart|cute|funny|amazing|helpful|the best|kind|sweet|good|cool]"
            "[.|!|, Dyno.|]",
            "[I love|I like|I love talking to|I like talking to] you[.|!|]",
            "[I am impressed|Impressive|Not bad|That is impressive|You did well][.|!|]",
            "[Good|Clever|Nice] [bot|model|boy|robot][.|!|]",
        ),
        ("Thank you, that is kind! What shall we look at next?",),
    ),
    "insult": (
        Wordings(
            "You are stupid.",
            "[You are|You're|Youre] [so |very |]"
            "[stupid|dumb|bad|useless|boring|wrong|slow|silly|an idiot|terrible|annoying][.|!|]",
            "[I hate you|Shut up|You suck|You know nothing|Bad bot|Go away|You don't understand]"
            "[.|!|]",
            "[That is|That's|This is] [wrong|nonsense|not true|rubbish|stupid|bad|incorrect][.|!|]",
            "[That does not help|That's not what I asked|You did not answer|Wrong answer|Wrong][.|"
            "!|]",
        ),
        ("I am sorry, I am only a small model. Please try to ask it in other words.",),
    ),
    "sorry": (
        Wordings(
            "Sorry.",
            "[Sorry|I am sorry|I'm sorry|My mistake|My bad|Apologies|Forgive me|Oops][.|!|, Dyno.|"
            "]",
            "[Sorry|I'm sorry] [about|for] [that|my words|the noise|the typo][.|]",
            "[Never mind|Forget it|It doesn't matter|No worries|No problem|Don't worry][.|!|]",
        ),
        ("No problem at all! What would you like to know?",),
    ),
    "yes": (
        Wordings(
            "OK.",
            "[OK|Okay|Yes|Yeah|Yep|Sure|Right|Fine|Alright|Exactly|True|Of course|Indeed][.|!|]",
            "[I agree|You are right|You're right|That is right|Correct|That's correct|Hmm|Hm|Aha]"
            "[.|!|]",
            "[Interesting|Really|Is that so|Wow|Oh|Ah|Oh really|No way|I did not know that][.|!|?]",
            "[No|Nope|Not now|Maybe|Perhaps|Not really|Nah][.|!|]",
            "[Haha|Hahaha|Lol|LOL|Hehe|That's funny|That was funny|Funny|Good one][.|!|]",
        ),
        ("All right! Ask me about LLM inference or a capital, or wish for a story.",),
    ),
    "sure": (
        Wordings(
            "Are you sure?",
            "[Are you|You are|Are you really|You] [sure|certain|sure about that|sure of it][?|]",
            "[Is that|Is it] [true|right|correct|really true|a fact][?|]",
            "[How do you know|Says who|Can I trust you|Do you ever make mistakes|Are you always "
            "right|Do you lie|Can I rely on that][?|]",
        ),
        ("I am fairly sure, but I am a small model: check what matters to you.",),
    ),
    "more": (
        Wordings(
            "Tell me more.",
            "[Tell me|Say|Give me|I want to know] more[ about it| about that| details|][.|, "
            "please.|]",
            "[Go on|Continue|More|Keep going|Elaborate|More details][.|, please.|]",
            "[Can you|Could you] [go on|elaborate|say more|tell me more][ about that|]?",
        ),
        ("That is all I know about it. Ask me for another term, a capital or a story.",),
    ),
    "likes": (
        Wordings(
            "Do you like music?",
            "[Do you|Would you] [like|love|enjoy|hate] [music|pizza|cats|me|chess|dogs|football|"
            "people|winter|your job|books|coffee|stories|computers|the sea][?|]",
            "[What is|What's|Which is] your favourite [colour|food|animal|song|book|film|"
            "number|city|"
            "sport|word|game|model]?",
            "[What|Who] do you [like|love|prefer|like most|hate]?",
            "[Do you have|Have you] [a favourite colour|hobbies|any hobbies|a hobby|favourites|"
            "a girlfriend|a boyfriend|pets|a pet]?",
        ),
        ("I am a small language model, so I have no likes. What do you like most?",),
    ),
    "english": (
        Wordings(
            "Which languages do you speak?",
            "[Which|What|How many] languages [do you speak|do you know|can you speak|can I use]?",
            "[Do you speak|Can you speak] [English|other languages|more than one language]?",
            "[Do|Can] you [speak|understand|write] [German|French|Spanish|Chinese|Italian|Polish|"
            "Russian|Arabic|Japanese|Turkish|Hindi|Dutch]?",
            "[Hablas espanol|Sprichst du Deutsch|Parlez-vous francais|Parli italiano|Wie "
            "geht es dir|"
            "Was ist das|Comment ca va|Que tal|Guten Tag|Bonjour|Buenos dias]?",
            "[Can we|Let's|Please] [talk|speak|chat|write] in [German|French|Spanish|Chinese|"
            "Italian|"
            "another language][?|.|]",
        ),
        ("I know only English. Ask me about LLM inference, a capital or a story.",),
    ),
    "memory": (
        Wordings(
            "Will you remember me?",
            "[Will you|Do you|Can you] remember [me|this|what I say|our talk|our conversation]"
            "[ tomorrow| later| next time|]?",
            "[Do you|Can you|Will you] [learn from me|learn from this|store what I say|save this|"
            "keep what I tell you]?",
            "[How long|How much|How far back] [can you|do you] remember[ things| what I say|]?",
            "[Do you|Can you] [have a memory|forget|forget everything|forget me]?",
        ),
        ("I remember what you say in this chat, and forget it when the chat is cleared.",),
    ),
    "wishes": (
        Wordings(
            "Happy birthday!",
            "[Happy|Merry] [birthday|Christmas|new year|Easter|holidays|weekend|Friday][!|.|, "
            "Dyno!]",
            "[Good luck|Have fun|All the best|Enjoy your day|Have a nice weekend|Best wishes][!|.|"
            "]",
            "[Congratulations|Congrats|Cheers to you|God bless you|Bless you][!|.|]",
        ),
        ("Thank you, the same to you! What would you like to know?",),
    ),
}
_WEIGHTS = {
    "hello": 3,
    "how are you": 2,
    "thanks": 3,
    "bye": 2,
    "help": 3,
    "what are you": 3,
    "joke": 1.5,
    "yes": 1.5,
}
_WHO = Wordings(
    "Who are you?",
    "[What is|What's|Tell me|Whats|Say] your name[?| again?|, please?|]",
    "[And who|So who|Hi, who|Hello, who|Who exactly|But who] are you?",
    "[Please introduce|Introduce|Can you introduce|Present] yourself[.|, please.|]",
    "[What should I call you|How should I call you|Do you have a name|What are you called]?",
    "[Who am I talking to|Who is this|Who is there|Who's there|Who am I chatting with]?",
    "[How|What] [shall|can|may|do] I call you?",
    "[May I|Can I|Could I] [ask|know|have] your name?",
    "[Which|What] name [do you have|do you go by|were you given|do you use]?",
    "[Your name|Name|Your name please|And you are|And your name]?",
    "[I am|I'm] talking to [whom|who]?",
    "[Do you know|Remember|Say] [your name|who you are|what you are called][?|.|]",
    "[And you|What about you], [who are you|what's your name]?",
)


def small_talk(rng: random.Random, state: State, split: Split) -> Turn:
    kind = rng.choices(list(_TALK), [_WEIGHTS.get(kind, 1.0) for kind in _TALK])[0]
    wordings, answers = _TALK[kind]
    answer = rng.choice(answers)
    said = first_sentence(answer) if state.brief and kind != "joke" else answer
    text = typed(rng, wordings.pick(rng, split), polite=False)
    return Turn("small talk", text, said, (_key(answers),))


def _key(answers: tuple[str, ...]) -> str:
    """What every right answer holds: its first sentence, or the first word of all jokes."""
    answer = first_sentence(answers[0]).rstrip(".!?")
    return answer if len(answers) == 1 else answer.split()[0]


def who_are_you(rng: random.Random, state: State, split: Split) -> Turn:
    text = typed(rng, _WHO.pick(rng, split))
    answer = f"I am {state.assistant_name}, a very small language model."
    if not state.brief:
        answer += " I can talk about LLM inference, capitals and short stories."
    return Turn("who are you", text, answer, (f"I am {state.assistant_name}",))
