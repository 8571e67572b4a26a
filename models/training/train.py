"""Training of one model on generated conversations: resumable, with progress. Knows no topic."""

import json
import math
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional
from transformers import LlamaForCausalLM

from models.training import attention
from models.training.batches import Batch, Encoded, encode, grouped, max_chars
from models.training.dialogues import conversation
from models.training.shapes import CONTEXT_TOKENS, Shape

_CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Length:
    """Conversations of up to about `row_tokens`, and their share of all at the start and end."""

    row_tokens: int
    share_at_start: float
    share_at_end: float


@dataclass(frozen=True)
class Plan:
    """How to train. Learning rates are peaks; they fall linearly over the last `decay_share`."""

    total_tokens: int
    lengths: tuple[Length, ...] = (
        Length(256, 0.985, 0.95),
        Length(1024, 0.015, 0.04),
        Length(2048, 0.0, 0.01),
    )
    step_tokens: int = 6000
    batch_tokens: int = 4096
    matrix_lr: float = 0.02
    other_lr: float = 3e-3
    warmup_steps: int = 60
    decay_share: float = 0.6
    seed: int = 1
    average_decay: float = 0.998

    def lr_factor(self, step: int, tokens: int) -> float:
        warm = min(1.0, (step + 1) / self.warmup_steps)
        left = (1.0 - min(1.0, tokens / self.total_tokens)) / self.decay_share
        return warm * min(1.0, max(0.02, left))

    def row_tokens(self, rng: random.Random, tokens: int) -> int:
        """How long the next conversation may be, after `tokens` of training."""
        done = min(1.0, tokens / self.total_tokens)
        shares = [
            length.share_at_start + done * (length.share_at_end - length.share_at_start)
            for length in self.lengths
        ]
        return rng.choices(self.lengths, shares)[0].row_tokens


@dataclass
class Progress:
    """How far training is. `seconds` counts computing only, not pauses between starts."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    loss: float = math.nan
    held_out_loss: float = math.nan


def summed_loss(model: LlamaForCausalLM, batch: Batch) -> torch.Tensor:
    """Sum of the weighted losses of a batch, in nats."""
    # Padding stands at the end, where causal attention hides it: no mask is needed.
    hidden = model.model(input_ids=batch.token_ids, use_cache=False).last_hidden_state
    weight = batch.weight[:, 1:].flatten()
    chosen = weight > 0
    logits = model.lm_head(hidden[:, :-1].flatten(0, 1)[chosen]).float()  # [N, V]
    targets = batch.token_ids[:, 1:].flatten()[chosen]
    losses = functional.cross_entropy(logits, targets, reduction="none")
    return (losses * weight[chosen]).sum()


def _smoothed(mean: float, value: float, keep: float = 0.95) -> float:
    return value if math.isnan(mean) else keep * mean + (1 - keep) * value


class Training:
    """One model in training, with everything that a checkpoint must hold."""

    def __init__(self, shape: Shape, tokenizer: Tokenizer, plan: Plan, folder: Path) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.folder = folder
        self.progress = Progress()
        self.model = LlamaForCausalLM(shape.config())
        self.model.set_attn_implementation(attention.register())
        self._average = {k: v.detach().clone() for k, v in self.model.named_parameters()}
        matrices = [p for n, p in self.model.named_parameters() if p.ndim == 2 and "embed" not in n]
        others = [p for n, p in self.model.named_parameters() if p.ndim != 2 or "embed" in n]
        self._optimizers: tuple[torch.optim.Optimizer, ...] = (
            torch.optim.Muon(matrices, lr=plan.matrix_lr, weight_decay=0.01, momentum=0.95),
            torch.optim.AdamW(others, lr=plan.other_lr, betas=(0.9, 0.95), weight_decay=0.0),
        )
        self._tokenizer = tokenizer
        self._resume()

    def run(
        self,
        report: Callable[[Progress], None],
        *,
        report_every_steps: int = 20,
        save_every_steps: int = 100,
    ) -> None:
        """Train until the plan's tokens are reached, saving checkpoints on the way."""
        progress, plan = self.progress, self.plan
        self.model.train()
        while progress.tokens < plan.total_tokens:
            started_s = time.monotonic()
            conversations = self._conversations(progress.step, progress.tokens)
            loss = self._step(conversations, plan.lr_factor(progress.step, progress.tokens))
            progress.loss = _smoothed(progress.loss, loss)
            progress.step += 1
            progress.tokens += sum(len(encoded.ids) for encoded in conversations)
            progress.seconds += time.monotonic() - started_s
            if progress.step % save_every_steps == 0:
                self.save()
            if progress.step % report_every_steps == 0:
                report(progress)
        self.progress.held_out_loss = self.held_out_loss()
        self.save()
        report(progress)

    def _conversations(self, step: int, tokens: int) -> list[Encoded]:
        """What one step learns from: a pure function of seed, step and tokens, so it resumes."""
        rng = random.Random(f"{self.plan.seed}:{step}")
        drawn: list[Encoded] = []
        while sum(len(encoded.ids) for encoded in drawn) < self.plan.step_tokens:
            row_tokens = self.plan.row_tokens(rng, tokens)
            encoded = encode(self._tokenizer, conversation(rng, "train", max_chars(row_tokens)))
            if len(encoded.ids) <= CONTEXT_TOKENS:
                drawn.append(encoded)
        return drawn

    def _step(self, conversations: list[Encoded], lr_factor: float) -> float:
        peaks = (self.plan.matrix_lr, self.plan.other_lr)
        for optimizer, peak in zip(self._optimizers, peaks, strict=True):
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = peak * lr_factor
        total_weight = sum(sum(encoded.weights) for encoded in conversations)
        total = 0.0
        for batch in grouped(conversations, self.plan.batch_tokens):
            with torch.autocast("cpu", torch.bfloat16):
                loss = summed_loss(self.model, batch) / total_weight
            loss.backward()
            total += loss.item()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self._optimizers:
            optimizer.step()
        # A short memory at first, or the random start would linger in the average.
        decay = min(self.plan.average_decay, (1 + self.progress.step) / (10 + self.progress.step))
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                self._average[name].lerp_(parameter, 1 - decay)
        return total

    def averaged_model(self) -> LlamaForCausalLM:
        """A copy with the running average of the weights, which is better than the last step's."""
        model = LlamaForCausalLM(self.model.config)
        model.load_state_dict(self._average, strict=False)
        model.tie_weights()
        return model.eval()

    def held_out_loss(self, count: int = 400) -> float:
        """Loss of the averaged model on conversations in held-out wordings, in nats a token."""
        model = self.averaged_model()
        drawn = [
            encode(self._tokenizer, conversation(random.Random(n), "held_out", max_chars(256)))
            for n in range(count)
        ]
        with torch.no_grad():
            batches = grouped(drawn, self.plan.batch_tokens)
            total = sum(float(summed_loss(model, batch)) for batch in batches)
        return total / sum(sum(encoded.weights) for encoded in drawn)

    def save(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "model": self.model.state_dict(),
            "average": self._average,
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "progress": asdict(self.progress),
        }
        partial = self.folder / f"{_CHECKPOINT}.partial"
        torch.save(state, partial)
        partial.replace(self.folder / _CHECKPOINT)
        (self.folder / "progress.json").write_text(json.dumps(asdict(self.progress)))

    def _resume(self) -> None:
        path = self.folder / _CHECKPOINT
        if not path.exists():
            return
        state = torch.load(path, weights_only=True)
        self.model.load_state_dict(state["model"])
        self._average = state["average"]
        for optimizer, saved in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.progress = Progress(**state["progress"])
