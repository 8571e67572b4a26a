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
from models.training.batches import USER_WEIGHT, Batch, Encoded, encode, grouped, max_chars
from models.training.dialogues import conversation
from models.training.shapes import CONTEXT_TOKENS, Shape
from models.training.wording import Split

_CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Length:
    """Conversations of up to about `row_tokens`, and their share of all at the start and end."""

    row_tokens: int
    share_at_start: float
    share_at_end: float


_STEPS_DRAWN = 5


@dataclass(frozen=True)
class Plan:
    """How to train. Learning rates are peaks; they fall linearly over the last `decay_share`.
    `step_tokens`, at the start and at the end: early, many small steps learn faster; late, the
    gradient's noise is what stands in the way."""

    total_tokens: int
    lengths: tuple[Length, ...] = (
        Length(256, 0.985, 0.965),
        Length(1024, 0.015, 0.02),
        Length(2048, 0.0, 0.015),
    )
    step_tokens: tuple[int, int] = (2400, 7000)
    batch_tokens: int = 4096
    muon: bool = True
    matrix_lr: float = 0.02
    other_lr: float = 3e-3
    user_weight: float = USER_WEIGHT
    warmup_steps: int = 60
    decay_share: float = 0.6
    seed: int = 1
    average_decay: float = 0.998

    def lr_factor(self, step: int, tokens: int) -> float:
        warm = min(1.0, (step + 1) / self.warmup_steps)
        left = (1.0 - min(1.0, tokens / self.total_tokens)) / self.decay_share
        return warm * min(1.0, max(0.02, left))

    def tokens_of_step(self, tokens: int) -> int:
        """How many tokens the next step learns from, after `tokens` of training."""
        start, end = self.step_tokens
        return int(start + min(1.0, tokens / self.total_tokens) * (end - start))

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


def summed_loss(
    model: LlamaForCausalLM, batch: Batch, teacher: LlamaForCausalLM | None = None
) -> torch.Tensor:
    """Sum of the weighted losses of a batch, in nats: against the text, or against what the
    `teacher` would say next."""
    weight = batch.weight[:, 1:].flatten()
    chosen = weight > 0
    logits = _logits(model, batch, chosen)
    targets = batch.token_ids[:, 1:].flatten()[chosen]
    if teacher is not None:
        with torch.no_grad():
            targets = _logits(teacher, batch, chosen).softmax(-1)
    losses = functional.cross_entropy(logits, targets, reduction="none")
    return (losses * weight[chosen]).sum()


def _logits(model: LlamaForCausalLM, batch: Batch, chosen: torch.Tensor) -> torch.Tensor:
    """What the model says at the chosen places, [N, V]."""
    # Padding stands at the end, where causal attention hides it: no mask is needed.
    hidden = model.model(input_ids=batch.token_ids, use_cache=False).last_hidden_state
    logits: torch.Tensor = model.lm_head(hidden[:, :-1].flatten(0, 1)[chosen]).float()
    return logits


def _smoothed(mean: float, value: float, keep: float = 0.95) -> float:
    return value if math.isnan(mean) else keep * mean + (1 - keep) * value


def _optimizers(model: LlamaForCausalLM, plan: Plan) -> tuple[torch.optim.Optimizer, ...]:
    """Muon for the matrices of the layers, AdamW for the rest; or AdamW for all."""

    def adamw(parameters: list[nn.Parameter], lr: float) -> torch.optim.Optimizer:
        return torch.optim.AdamW(parameters, lr=lr, betas=(0.9, 0.95), weight_decay=0.0)

    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    if not plan.muon:
        return adamw(matrices, plan.other_lr), adamw(others, plan.other_lr)
    muon = torch.optim.Muon(matrices, lr=plan.matrix_lr, weight_decay=0.01, momentum=0.95)
    return muon, adamw(others, plan.other_lr)


class Training:
    """One model in training, with everything that a checkpoint must hold."""

    def __init__(
        self,
        shape: Shape,
        tokenizer: Tokenizer,
        plan: Plan,
        folder: Path,
        *,
        teacher: LlamaForCausalLM | None = None,
        device: str = "cpu",
    ) -> None:
        torch.manual_seed(plan.seed)
        self._device = torch.device(device)
        self._teacher = None if teacher is None else teacher.to(self._device).eval()
        self.plan = plan
        self.folder = folder
        self.progress = Progress()
        self.model = LlamaForCausalLM(shape.config()).to(self._device)
        if self._device.type == "cpu":
            for model in filter(None, (self.model, self._teacher)):
                model.set_attn_implementation(attention.register())
        self._average = {k: v.detach().clone() for k, v in self.model.named_parameters()}
        self._optimizers = _optimizers(self.model, plan)
        self.tokenizer = tokenizer
        self._drawn: list[list[Batch]] = []
        self._drawn_at = 0, 0
        self._resume()

    def train_while(self, wanted: Callable[[], bool]) -> None:
        """Make steps for as long as they are wanted."""
        progress, plan = self.progress, self.plan
        self.model.train()
        while wanted():
            started_s = time.monotonic()
            if not self._drawn:
                self._drawn_at = progress.step, progress.tokens
                self._drawn = self._draw(*self._drawn_at)
            batches = self._drawn.pop()
            loss = self._step(batches, plan.lr_factor(progress.step, progress.tokens))
            progress.loss = _smoothed(progress.loss, loss)
            progress.step += 1
            progress.tokens += sum(batch.tokens for batch in batches)
            progress.seconds += time.monotonic() - started_s

    def run(
        self,
        report: Callable[[Progress], None],
        *,
        report_every_steps: int = 20,
        save_every_steps: int = 100,
    ) -> None:
        """Train until the plan's tokens are reached, saving checkpoints on the way."""
        progress = self.progress

        def wanted() -> bool:
            if progress.step and progress.step % save_every_steps == 0:
                self.save()
            if progress.step and progress.step % report_every_steps == 0:
                report(progress)
            return progress.tokens < self.plan.total_tokens

        self.train_while(wanted)
        progress.held_out_loss = self.held_out_loss()
        self.save()
        report(progress)

    def _draw(self, step: int, tokens: int) -> list[list[Batch]]:
        """What the next steps learn from. Drawn for several at once, so that rows of similar length
        fill a batch; a pure function of seed, step and tokens, so training resumes."""
        rng = random.Random(f"{self.plan.seed}:{step}")
        wanted = _STEPS_DRAWN * self.plan.tokens_of_step(tokens)
        drawn: list[Encoded] = []
        while sum(len(encoded.ids) for encoded in drawn) < wanted:
            encoded = self._encode(rng, "train", self.plan.row_tokens(rng, tokens))
            if len(encoded.ids) <= CONTEXT_TOKENS:
                drawn.append(encoded)
        batches = list(grouped(drawn, self.plan.batch_tokens))
        rng.shuffle(batches)
        steps: list[list[Batch]] = [[] for _ in range(_STEPS_DRAWN)]
        for batch in batches:
            min(steps, key=lambda s: sum(b.tokens for b in s)).append(batch)
        return [step for step in steps if step]

    def _encode(self, rng: random.Random, split: Split, row_tokens: int) -> Encoded:
        said = conversation(rng, split, max_chars(row_tokens))
        return encode(self.tokenizer, said, self.plan.user_weight)

    def _step(self, batches: list[Batch], lr_factor: float) -> float:
        plan = self.plan
        peaks = (plan.matrix_lr if plan.muon else plan.other_lr, plan.other_lr)
        for optimizer, peak in zip(self._optimizers, peaks, strict=True):
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = peak * lr_factor
        total_weight = sum(float(batch.weight.sum()) for batch in batches)
        total = 0.0
        for batch in batches:
            with torch.autocast(self._device.type, torch.bfloat16):
                moved = batch.to(self._device)
                loss = summed_loss(self.model, moved, self._teacher) / total_weight
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
        model = LlamaForCausalLM(self.model.config).to(self._device)
        model.load_state_dict(self._average, strict=False)
        model.tie_weights()
        return model.eval()

    def held_out_loss(self, count: int = 400) -> float:
        """Loss of the averaged model on conversations in held-out wordings, in nats a token."""
        model = self.averaged_model()
        drawn = [self._encode(random.Random(n), "held_out", 256) for n in range(count)]
        with torch.no_grad():
            batches = grouped(drawn, self.plan.batch_tokens)
            total = sum(float(summed_loss(model, batch.to(self._device))) for batch in batches)
        return total / sum(sum(encoded.weights) for encoded in drawn)

    def save(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "model": self.model.state_dict(),
            "average": self._average,
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "progress": asdict(self.progress),
            "drawn_at": self._drawn_at,
        }
        partial = self.folder / f"{_CHECKPOINT}.partial"
        torch.save(state, partial)
        partial.replace(self.folder / _CHECKPOINT)
        (self.folder / "progress.json").write_text(json.dumps(asdict(self.progress)))

    def _resume(self) -> None:
        path = self.folder / _CHECKPOINT
        if not path.exists():
            return
        state = torch.load(path, weights_only=True, map_location=self._device)
        self.model.load_state_dict(state["model"])
        self._average = state["average"]
        for optimizer, saved in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.progress = Progress(**state["progress"])
        self._drawn_at = state["drawn_at"]
        self._drawn = self._draw(*self._drawn_at)
        del self._drawn[len(self._drawn) - (self.progress.step - self._drawn_at[0]) :]
