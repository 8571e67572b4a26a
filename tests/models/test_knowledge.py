"""What the bundled model is taught of LLM inference: enough, clear, and asked in many ways."""

import random
import re
from collections import Counter

import pytest

from models.training import knowledge
from models.training.intents import inference
from models.training.intents import inference_wordings as wordings
from models.training.intents.base import Intent, State
from models.training.knowledge import first_sentence, without_article
from models.training.wording import Wordings, expand

REQUIRED = """
KV cache; prefill; decode; TTFT; TPOT; ITL; latency; throughput; goodput; quantization;
dequantization; GPTQ; AWQ; SmoothQuant; INT8; LLM.int8; INT4; FP8; NF4; FP16; BF16; FP32; group
size; outliers; calibration; perplexity; speculative decoding; draft model; target model;
acceptance rate; prompt lookup; self-speculation; Medusa; EAGLE; PagedAttention; KV compression;
quantized KV cache; static KV cache; MHA; MQA; GQA; MLA; attention; sliding-window attention;
FlashAttention; roofline; memory bandwidth; arithmetic intensity; compute-bound; memory-bound;
FLOPs; HBM; VRAM; GPU; CPU inference; batching; batch size; continuous batching; static batching;
dynamic batching; chunked prefill; disaggregated prefill; prefix caching; prompt caching; semantic
caching; streaming; SSE; stateless chat; stateful chat; serverless; cold start; warm-up;
provisioned GPU; autoscaling; scale to zero; tensor parallelism; pipeline parallelism; expert
parallelism; data parallelism; NVLink; MoE; router; distillation; pruning; sparsity; LoRA; vLLM;
SGLang; TensorRT-LLM; TGI; llama.cpp; GGUF; Ollama; Ray Serve; KServe; Triton Inference Server;
Hugging Face transformers; Hugging Face Hub; safetensors; bitsandbytes; torch.compile; CUDA
graphs; kernel fusion; SLO; SLA; tail latency; p50; p95; p99; capacity planning; break-even; cost
per million tokens; queueing; Little's law; head-of-line blocking; load test; benchmark; token;
tokenizer; BPE; vocabulary; context window; prompt; system prompt; chat template; embedding;
logits; softmax; sampling; temperature; top-p; top-k; greedy decoding; beam search; seed; stop
sequence; end-of-turn token; transformer; layer; weights; parameters; fine-tuning; inference;
training; hallucination; RAG; rate limit; OpenAI-compatible API; preemption; eviction; peak
memory; memory ledger; activation memory; race; contention; observer effect
"""
TERM_NAMES = [term.names[0] for term in knowledge.terms()]
INTENTS = [inference.define, inference.why, inference.when, inference.compare]


def plain(name: str) -> str:
    """A name as it is told apart: hyphens, spaces, articles and case are typed in any way."""
    return re.sub(r"[\s_-]", "", without_article(name).lower())


def sentences(text: str) -> int:
    return len(re.split(r"(?<=[.!?])\s+(?=[A-Z])", text))


def own_wordings(patterns: tuple[str, ...]) -> set[str]:
    return {wording.lower() for pattern in patterns for wording in expand(pattern)}


def test_the_world_of_inference_is_wide_enough() -> None:
    assert len(knowledge.terms()) >= 105
    assert len(knowledge.whys()) >= 45
    assert len(knowledge.whens()) >= 40
    assert len(knowledge.comparisons()) >= 32


def test_every_required_term_is_known() -> None:
    known = {plain(name) for term in knowledge.terms() for name in term.names}
    required = {name.strip() for name in REQUIRED.replace("\n", " ").split(";")}
    assert not {name for name in required if plain(name) not in known}


def test_no_name_leads_to_two_terms() -> None:
    owners: dict[str, set[str]] = {}
    for term in knowledge.terms():
        for name in term.names:
            owners.setdefault(plain(name), set()).add(term.names[0])
    assert not {name: terms for name, terms in owners.items() if len(terms) > 1}


def test_definitions_begin_differently_so_that_one_does_not_slip_into_another() -> None:
    starts = Counter(" ".join(term.definition.split()[:3]) for term in knowledge.terms())
    assert not [start for start, count in starts.items() if count > 1]


@pytest.mark.parametrize("term", knowledge.terms(), ids=TERM_NAMES)
def test_a_definition_is_two_or_three_sentences_with_the_idea_in_the_first(
    term: knowledge.Term,
) -> None:
    assert 3 <= len(term.names) <= 8 or term.bare_name == "quantization"
    assert sentences(term.definition) in (2, 3)
    assert 20 <= len(term.definition.split()) <= 46
    assert len(term.definition) < 320
    assert term.definition.isascii()
    assert term.definition.endswith(".")
    assert 1 <= len(term.idea) <= 2
    for idea in term.idea:
        assert idea in first_sentence(term.definition)


@pytest.mark.parametrize("kind", ["whys", "whens", "comparisons"])
def test_answers_are_one_or_two_plain_sentences_and_all_different(kind: str) -> None:
    facts = getattr(knowledge, kind)()
    for fact in facts:
        assert sentences(fact.answer) <= 2
        assert fact.answer.isascii()
        assert fact.answer.endswith(".")
        assert len(fact.answer) < 320
    assert len({fact.answer for fact in facts}) == len(facts)


def test_every_why_is_asked_in_many_ways_and_a_topic_has_one_why() -> None:
    for fact in knowledge.whys():
        assert len(fact.also) >= 4
        assert not fact.question.endswith("?")
    topics = [topic for fact in knowledge.whys() for topic in fact.topics]
    assert len(topics) == len(set(topics))
    assert {knowledge.term(topic).bare_name for topic in topics} == set(topics)


def test_every_when_has_names_or_its_own_wordings() -> None:
    for fact in knowledge.whens():
        assert knowledge.term(fact.topic)
        assert fact.names or fact.also
    used = [fact.topic for fact in knowledge.whens() if fact.names]
    assert len(used) == len(set(used))


def test_no_pair_is_compared_twice() -> None:
    pairs = [frozenset(plain(side[0]) for side in fact.pair) for fact in knowledge.comparisons()]
    assert len(pairs) == len(set(pairs))


def test_no_wording_asks_for_two_facts() -> None:
    for facts in (knowledge.whys(), knowledge.whens()):
        asked = Counter(wording for fact in facts for wording in own_wordings(fact.also))
        assert not [wording for wording, count in asked.items() if count > 1]


@pytest.mark.parametrize("name", ["DEFINE", "PURPOSE", "WHY", "WHEN", "COMPARE", "CONTEXT"])
def test_some_wordings_are_held_out(name: str) -> None:
    frames: Wordings = getattr(wordings, name)
    assert len(frames.all("held_out")) >= 3
    assert not frames.all("train") & frames.all("held_out")


@pytest.mark.parametrize("intent", INTENTS)
def test_questions_hardly_repeat_and_their_keys_are_in_the_answer(intent: Intent) -> None:
    turns = [intent(random.Random(seed), State(), "train") for seed in range(1000)]
    assert len({turn.user for turn in turns}) > 900
    for turn in turns:
        assert "{" not in turn.user
        assert "[" not in turn.user
        assert turn.keys
        assert all(key in turn.assistant for key in turn.keys)


@pytest.mark.parametrize("intent", INTENTS)
def test_who_wants_one_sentence_gets_one(intent: Intent) -> None:
    for seed in range(100):
        turn = intent(random.Random(seed), State(brief=True), "train")
        assert sentences(turn.assistant) == 1
    asked = [intent(random.Random(seed), State(), "train") for seed in range(1000)]
    wishes = [turn for turn in asked if "in one sentence" in turn.user.lower()]
    assert wishes
    assert all(sentences(turn.assistant) == 1 for turn in wishes)


_SPOKEN_OF = (
    knowledge.term("speculative decoding").definition,
    inference.whys_of()["speculative decoding"].answer,
    inference.whens_of()["speculative decoding"].answer,
)


@pytest.mark.parametrize("said", _SPOKEN_OF)
def test_it_means_the_term_that_was_just_spoken_of(said: str) -> None:
    for intent, start in (
        (inference.why, "Decode is limited"),
        (inference.when, "Use speculative"),
    ):
        if said.startswith(start):
            continue
        turns = [
            intent(random.Random(seed), State(last_answer=said), "train") for seed in range(100)
        ]
        assert sum(turn.assistant.startswith(start) for turn in turns) > 40
        assert any(" it " in turn.user and "speculative" not in turn.user for turn in turns)


def test_of_a_term_without_a_why_there_is_no_more_to_say() -> None:
    state = State(last_answer=knowledge.term("ITL").definition)
    for intent in (inference.why, inference.when):
        turns = [intent(random.Random(seed), state, "train") for seed in range(200)]
        of_it = [turn for turn in turns if turn.assistant == inference.NOTHING_MORE]
        assert 10 < len(of_it) < 60
        assert any(re.search(r"\bit\b", turn.user) for turn in of_it)


def test_a_value_that_somebody_saw_is_asked_about_and_what_it_is_of_is_defined() -> None:
    turns = [inference.define(random.Random(seed), State(), "train") for seed in range(6000)]
    asked = [turn for turn in turns if re.search(r"group.size .*(128|64|32)", turn.user)]
    assert asked
    assert all("share one scale" in turn.assistant for turn in asked)


def test_what_is_typed_for_a_term_varies_in_hyphens_and_articles() -> None:
    asked = {
        inference._called(random.Random(seed), ("a draft model", "inter-token latency", "INT8"))
        for seed in range(3000)
    }
    assert asked >= {"a draft model", "draft model", "the draft model", "draft-model", "draftmodel"}
    assert asked >= {"inter-token latency", "inter token latency", "INT 8", "INT-8"}
