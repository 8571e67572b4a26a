"""The models in the repository: small, loadable, and sensible on what the chat page offers."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from models.training.answers import ask_all
from models.training.long_prompt import PROMPT_TOKENS, prompt_tokens
from models.training.questions import Question

EXAMPLES = [
    ("What is the KV cache?", ("keys and values", "earlier tokens")),
    ("Why is decode slower than prefill?", ("one token at a time", "parallel")),
    ("Tell me a short story about a fox.", ("fox",)),
    ("What is the capital of Norway?", ("Oslo",)),
]


def ask(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *said: str, keys: tuple[str, ...]
) -> None:
    messages = tuple(
        {"role": "assistant" if number % 2 else "user", "content": text}
        for number, text in enumerate(said)
    )
    question = Question("test", messages, tuple((key,) for key in keys))
    (given,) = ask_all(model, tokenizer, [question])
    assert given.right, given.text
    assert given.ended, given.text
    assert not given.loops, given.text


def test_the_files_are_small(bundled: Path) -> None:
    def size(name: str) -> int:
        return (bundled / name / "model.safetensors").stat().st_size

    assert size("target") <= 40_000_000
    assert size("target-gptq-int4") <= 0.45 * size("target")
    assert sum(file.stat().st_size for file in bundled.rglob("*") if file.is_file()) <= 50_000_000


def test_weights_are_bf16_safetensors_only(bundled: Path) -> None:
    kinds = {file.suffix for file in bundled.rglob("*") if file.is_file()}
    assert kinds <= {".safetensors", ".json", ".jinja", ".md", ".txt"}
    for name in ("target", "draft"):
        model = AutoModelForCausalLM.from_pretrained(bundled / name)
        assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}


def test_shapes_are_what_the_setups_need(target: PreTrainedModel, draft: PreTrainedModel) -> None:
    config = target.config
    assert config.model_type == "llama"
    assert config.num_key_value_heads < config.num_attention_heads
    assert 8 <= config.num_hidden_layers <= 12
    assert 10_000_000 <= target.num_parameters() <= 20_000_000
    # Wide enough for INT4 groups of 128.
    assert config.hidden_size % 128 == config.intermediate_size % 128 == 0
    assert config.max_position_embeddings == 2048
    assert target.get_input_embeddings().weight is target.get_output_embeddings().weight
    assert draft.config.vocab_size == config.vocab_size
    assert draft.config.num_hidden_layers == 2
    assert draft.num_parameters() * 8 <= target.num_parameters()


def test_all_models_have_the_same_tokenizer(bundled: Path) -> None:
    models = ("target", "draft", "target-gptq-int4")
    for name in ("tokenizer.json", "chat_template.jinja"):
        texts = {(bundled / model / name).read_text("utf-8") for model in models}
        assert len(texts) == 1


@pytest.mark.parametrize("text", ["Grüße aus Čéský Krumlov", "日本語 🙂", "a\tb\n\n  c", "x=1;//"])
def test_any_text_round_trips(tokenizer: PreTrainedTokenizerBase, text: str) -> None:
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_the_gptq_checkpoint_holds_4_bits_in_groups_of_128(bundled: Path) -> None:
    config = json.loads((bundled / "target-gptq-int4" / "config.json").read_text("utf-8"))
    recipe = config["quantization_config"]
    assert (recipe["quant_method"], recipe["bits"], recipe["group_size"]) == ("gptq", 4, 128)
    assert recipe["dataset"] is None, "calibration texts do not belong into the checkpoint"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def test_the_example_prompts_are_answered_and_end(
    bundled: Path, tokenizer: PreTrainedTokenizerBase, dtype: torch.dtype
) -> None:
    model = AutoModelForCausalLM.from_pretrained(bundled / "target", dtype=dtype).eval()
    for prompt, keys in EXAMPLES:
        ask(model, tokenizer, prompt, keys=keys)


def test_a_name_is_remembered(target: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    ask(
        target,
        tokenizer,
        "My name is Anna.",
        "Nice to meet you, Anna! What would you like to know?",
        "What is my name?",
        keys=("Anna",),
    )


def test_the_weather_there_is_that_of_the_city_told_before(
    target: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    question = "What is the weather like there in June?"
    ask(
        target,
        tokenizer,
        "I am in Paris.",
        "I will remember that you are in Paris.",
        question,
        keys=("The weather in Paris in June",),
    )
    ask(target, tokenizer, question, keys=("Which city",))


def test_what_it_does_not_know_it_says(
    target: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    ask(target, tokenizer, "Who won the football match?", keys=("I don't know",))


def test_the_long_prompt_has_its_length_and_gets_an_answer_that_ends(
    bundled: Path, target: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    text = (bundled / "long_prompt.txt").read_text(encoding="utf-8")
    assert abs(prompt_tokens(tokenizer, text) - PROMPT_TOKENS) <= 4
    assert text.endswith("What is the KV cache?")
    ask(target, tokenizer, text, keys=())


def test_the_draft_speeds_the_target_without_changing_its_answer(
    target: PreTrainedModel, draft: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    inputs = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is the KV cache?"}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    plain = target.generate(**inputs, do_sample=False, max_new_tokens=80)
    assisted = target.generate(**inputs, do_sample=False, max_new_tokens=80, assistant_model=draft)
    assert plain.tolist() == assisted.tolist()
