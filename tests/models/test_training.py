"""Training on a tiny shape: it learns, and goes on from its checkpoint as if never stopped."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

from models.training.export import export
from models.training.learn import default_work_folder
from models.training.mean import mean_of
from models.training.plan import Length, Plan, further
from models.training.shapes import DRAFT, TARGET, Shape
from models.training.tokenizer import train_tokenizer
from models.training.train import Progress, Training
from models.training.warm_start import warm_start

VOCAB_SIZE = 320
SHAPE = Shape(layers=1, hidden=32, intermediate=64, heads=2, kv_heads=1, vocab_size=VOCAB_SIZE)
STEPS_TOKENS = 400


def plan(steps: int) -> Plan:
    # The step size is a lower bound, so that many tokens are never reached in fewer steps.
    return Plan(
        total_tokens=steps * STEPS_TOKENS,
        lengths=(Length(64, 1.0, 1.0),),
        step_tokens=(STEPS_TOKENS, STEPS_TOKENS),
        batch_tokens=1024,
        warmup_steps=2,
    )


@pytest.fixture(scope="module")
def tiny_tokenizer() -> Tokenizer:
    texts = ["What is the KV cache?", "The capital of Norway is Oslo."]
    return train_tokenizer(texts, texts, VOCAB_SIZE)


def test_the_loss_goes_down(tiny_tokenizer: Tokenizer, tmp_path: Path) -> None:
    training = Training(SHAPE, tiny_tokenizer, plan(40), tmp_path)
    before = training.held_out_loss(20)
    losses: list[float] = []
    training.run(lambda progress: losses.append(progress.loss), report_every_s=0)
    assert len(losses) >= 20
    assert losses[-1] < losses[0] - 0.3
    assert training.held_out_loss(20) < before


def test_a_model_learns_from_a_share_of_what_is_drawn(
    tiny_tokenizer: Tokenizer, tmp_path: Path
) -> None:
    shared = replace(plan(1000), learned_share=0.4)
    training = Training(SHAPE, tiny_tokenizer, shared, tmp_path)
    before = training.held_out_loss(20)
    training.train_while(lambda: training.progress.step < 40)
    assert 0 < training.progress.tokens < 40 * 0.6 * STEPS_TOKENS
    assert training.held_out_loss(20) < before - 1


def test_a_stopped_training_goes_on_as_if_never_stopped(
    tiny_tokenizer: Tokenizer, tmp_path: Path
) -> None:
    def weights(training: Training) -> torch.Tensor:
        return torch.cat([p.detach().flatten() for p in training.model.parameters()])

    through = Training(SHAPE, tiny_tokenizer, plan(20), tmp_path / "through")
    through.run(lambda progress: None)

    class Stopped(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.step == 7:
            raise Stopped

    stopped = Training(SHAPE, tiny_tokenizer, plan(20), tmp_path / "stopped")
    with pytest.raises(Stopped):
        stopped.run(stop, report_every_s=0, save_every_s=0)
    resumed = Training(SHAPE, tiny_tokenizer, plan(20), tmp_path / "stopped")
    assert resumed.progress.step == 7
    resumed.run(lambda progress: None)
    assert resumed.progress.tokens == through.progress.tokens
    torch.testing.assert_close(weights(resumed), weights(through))


def test_an_export_opens_with_plain_from_pretrained(
    tiny_tokenizer: Tokenizer, tmp_path: Path
) -> None:
    training = Training(SHAPE, tiny_tokenizer, plan(1), tmp_path / "work")
    export(training.averaged_model(), tiny_tokenizer, tmp_path / "model")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    assert model.config.eos_token_id == tokenizer.eos_token_id
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id
    assert model.dtype == torch.bfloat16


def test_checkpoints_lie_in_the_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DYNO_DATA_DIR", str(tmp_path))
    assert default_work_folder() == tmp_path / "training"


@pytest.mark.parametrize("shape", [SHAPE, TARGET, DRAFT])
def test_a_shape_knows_how_many_weights_its_model_has(shape: Shape) -> None:
    with torch.device("meta"):
        assert LlamaForCausalLM(shape.config()).num_parameters() == shape.parameters()


def test_a_warm_start_keeps_the_rows_of_the_pieces_that_stay(
    tiny_tokenizer: Tokenizer, tmp_path: Path
) -> None:
    training = Training(SHAPE, tiny_tokenizer, plan(1), tmp_path / "work")
    export(training.averaged_model(), tiny_tokenizer, tmp_path / "model")
    texts = ["the cache is warm", "Oslo is cold"]
    other = train_tokenizer(texts, texts, 310)
    shape = replace(SHAPE, vocab_size=other.get_vocab_size())
    begun = Training(shape, other, plan(1), tmp_path / "other")
    begun.begin_with(lambda model: warm_start(model, other, tmp_path / "model"))
    before, after = (m.state_dict() for m in (training.model, begun.model))
    for piece in ("<|end|>", "a", "Ġ"):
        torch.testing.assert_close(
            after["model.embed_tokens.weight"][other.token_to_id(piece)],
            before["model.embed_tokens.weight"][tiny_tokenizer.token_to_id(piece)],
            atol=1e-3,
            rtol=1e-2,
        )
    layer = "model.layers.0.mlp.up_proj.weight"
    torch.testing.assert_close(after[layer], before[layer], atol=1e-3, rtol=1e-2)


def test_a_training_stops_when_its_time_is_over(tiny_tokenizer: Tokenizer, tmp_path: Path) -> None:
    training = Training(SHAPE, tiny_tokenizer, plan(1000), tmp_path)
    assert not training.run(lambda progress: None, at_most_s=0.2)
    assert 0 < training.progress.tokens < training.plan.total_tokens
    resumed = Training(SHAPE, tiny_tokenizer, plan(1000), tmp_path)
    assert resumed.progress.step == training.progress.step


@pytest.mark.slow
def test_compiled_layers_learn_the_same(tiny_tokenizer: Tokenizer, tmp_path: Path) -> None:
    losses = []
    for is_compiled in (False, True):
        training = Training(SHAPE, tiny_tokenizer, plan(3), tmp_path / str(is_compiled))
        if is_compiled:
            training.compile_layers()
        training.run(lambda progress: None)
        losses.append(training.progress.loss)
        training.close()
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)


def test_learning_further_falls_from_the_beginning_at_a_share_of_the_rates() -> None:
    usual = Plan(1_000_000)
    plan = further(usual, 0.25)
    assert (plan.matrix_lr, plan.other_lr) == (usual.matrix_lr / 4, usual.other_lr / 4)
    assert plan.lr_factor(10_000, 500_000) == pytest.approx(0.5)
    assert plan.tokens_of_step(0) == plan.tokens_of_step(1_000_000) == 3 * usual.step_tokens[1]
    shares = [(length.share_at_start, length.share_at_end) for length in plan.lengths]
    assert all(start == end for start, end in shares)


def test_the_mean_of_models_has_the_shares_that_were_asked_for(
    tiny_tokenizer: Tokenizer, tmp_path: Path
) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    weights = []
    for folder in folders:
        model = LlamaForCausalLM(SHAPE.config())
        export(model, tiny_tokenizer, folder)
        weights.append(model.model.embed_tokens.weight.float())
    mean = mean_of(dict(zip(folders, (1.0, 3.0), strict=True)))
    expected = (weights[0] + 3 * weights[1]) / 4
    torch.testing.assert_close(mean.model.embed_tokens.weight, expected)
    with pytest.raises(ValueError, match="more than 0"):
        mean_of(dict.fromkeys(folders, 0.0))
