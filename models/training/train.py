"""Training of one model on generated conversations: resumable, with progress. Knows no topic."""

import json
import math
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional
from transformers import LlamaForCausalLM

from models.training import attention
from models.training.batches import Batch, encode, grouped, max_chars
from models.training.choosing import chosen, losses_of_rows
from models.training.dialogues import conversation
from models.training.drawing import Draws, Step
from models.training.muon import Muon
from models.training.plan import Plan
from models.training.precision import reduced_precision
from models.training.shapes import Shape

_CHECKPOINT = "checkpoint.pt"
_LOSS_KEPT = 0.95


@dataclass
class Progress:
    """How far training is. `seconds` counts computing only, not pauses between starts."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    loss: float = math.nan
    held_out_loss: float = math.nan


def weighted_losses(
    model: LlamaForCausalLM, batch: Batch, teacher: LlamaForCausalLM | None = None
) -> torch.Tensor:
    """The weighted loss at each place of a batch, [N], in nats: against the text, or against what
    the `teacher` would say next."""
    token_ids, places, weights = (
        _moved(array, model.device) for array in (batch.token_ids, batch.places, batch.weights)
    )
    logits = _logits(model, token_ids, places)
    targets = token_ids[:, 1:].flatten()[places]
    if teacher is not None:
        with torch.no_grad():
            targets = _logits(teacher, token_ids, places).softmax(-1)
    return functional.cross_entropy(logits, targets, reduction="none") * weights


def _moved(array: NDArray[Any], device: torch.device) -> torch.Tensor:
    """The array on the device, which does not have to finish anything before."""
    tensor = torch.from_numpy(array)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor


def _logits(model: LlamaForCausalLM, token_ids: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """What the model says at the places of [B, T - 1], [N, V]."""
    # Padding stands at the end, where causal attention hides it: no mask is needed.
    hidden = model.model(input_ids=token_ids, use_cache=False).last_hidden_state
    predicting = hidden[:, :-1].flatten(0, 1).index_select(0, places)
    logits: torch.Tensor = model.lm_head(predicting).float()
    return logits


def _optimizers(model: LlamaForCausalLM, plan: Plan) -> tuple[torch.optim.Optimizer, ...]:
    """Muon for the matrices of the layers, AdamW for the rest; or AdamW for all."""

    def adamw(parameters: list[nn.Parameter], lr: float) -> torch.optim.Optimizer:
        return torch.optim.AdamW(parameters, lr=lr, betas=(0.9, 0.95), weight_decay=0.0)

    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    if not plan.muon:
        return adamw(matrices, plan.other_lr), adamw(others, plan.other_lr)
    return Muon(matrices, plan.matrix_lr), adamw(others, plan.other_lr)


class Training:
    """One model in training, with everything that a checkpoint must hold. `workers` processes write
    what it learns from; none: this one does. To be closed."""

    def __init__(
        self,
        shape: Shape,
        tokenizer: Tokenizer,
        plan: Plan,
        folder: Path,
        *,
        teacher: LlamaForCausalLM | None = None,
        device: str = "cpu",
        workers: int = 0,
    ) -> None:
        torch.manual_seed(plan.seed)
        self._device = torch.device(device)
        self._teacher = None if teacher is None else teacher.to(self._device).eval()
        self.plan = plan
        self.folder = folder
        self.progress = Progress()
        self.model = LlamaForCausalLM(shape.config()).to(self._device)
        for model in filter(None, (self.model, self._teacher)):
            model.set_attn_implementation(attention.register())
        self._average = {k: v.detach().clone() for k, v in self.model.named_parameters()}
        self._loss = torch.tensor(math.nan, device=self._device)
        self._optimizers = _optimizers(self.model, plan)
        self.tokenizer = tokenizer
        self._steps: list[Step] = []
        self._draw = -1
        self._resume(workers)

    def close(self) -> None:
        self._draws.close()

    def begin_with(self, prepare: Callable[[LlamaForCausalLM], None]) -> None:
        """Let `prepare` set the weights, if no step has been made yet."""
        if self.progress.step:
            return
        prepare(self.model)
        self._average = {k: v.detach().clone() for k, v in self.model.named_parameters()}

    def compile_layers(self) -> None:
        """Fuse what each layer computes. One by one, as the code of one serves them all: the whole
        model takes minutes to compile."""
        # One row or many, short or long, learned from or only looked at: each has its own code, and
        # beyond this number of codes nothing is fused any more.
        torch._dynamo.config.recompile_limit = 32
        for layer in self.model.model.layers:
            layer.compile(dynamic=True)

    def train_while(self, wanted: Callable[[], bool]) -> None:
        """Make steps for as long as they are wanted."""
        progress, plan = self.progress, self.plan
        self.model.train()
        while wanted():
            started_s = time.monotonic()
            if not self._steps:
                self._steps = next(self._draws)
                self._draw += 1
            step = self._steps.pop()
            learned = self._learn(step, plan.lr_factor(progress.step, progress.tokens))
            progress.step += 1
            progress.tokens += sum(batch.tokens for batch in learned)
            progress.seconds += time.monotonic() - started_s

    def run(
        self,
        report: Callable[[Progress], None],
        *,
        report_every_s: float = 10.0,
        save_every_s: float = 60.0,
        at_most_s: float = math.inf,
    ) -> bool:
        """Train until the plan's tokens are reached, saving checkpoints on the way; whether they
        were reached within `at_most_s`."""
        progress = self.progress
        started_s = reported_s = saved_s = time.monotonic()
        first_step = progress.step

        def wanted() -> bool:
            nonlocal reported_s, saved_s
            now_s = time.monotonic()
            has_learned = progress.step > first_step
            if has_learned and now_s >= saved_s + save_every_s:
                self.save()
                saved_s = now_s
            if has_learned and now_s >= reported_s + report_every_s:
                self._read_loss()
                report(progress)
                reported_s = now_s
            return progress.tokens < self.plan.total_tokens and now_s < started_s + at_most_s

        self.train_while(wanted)
        is_done = progress.tokens >= self.plan.total_tokens
        if is_done:
            progress.held_out_loss = self.held_out_loss()
        self.save()
        report(progress)
        return is_done

    def _learn(self, step: Step, lr_factor: float) -> Step:
        """Make a step, and give what it learned from."""
        plan = self.plan
        peaks = (plan.matrix_lr if plan.muon else plan.other_lr, plan.other_lr)
        for optimizer, peak in zip(self._optimizers, peaks, strict=True):
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = peak * lr_factor
        total_weight = float(sum(np.sum(batch.weights, dtype=np.float64) for batch in step))
        learned = step if plan.learned_share >= 1 else self._chosen(step)
        if not learned:
            return learned
        total = torch.zeros((), device=self._device)
        for batch in learned:
            with reduced_precision(self._device):
                loss = weighted_losses(self.model, batch, self._teacher).sum() / total_weight
            loss.backward()
            total += loss.detach()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self._optimizers:
            optimizer.step()
        # Kept on the device: to read it is to wait for it.
        self._loss = torch.where(self._loss.isnan(), total, self._loss.lerp(total, 1 - _LOSS_KEPT))
        # A short memory at first, or the random start would linger in the average.
        decay = min(self.plan.average_decay, (1 + self.progress.step) / (10 + self.progress.step))
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self._average.values()), list(self.model.parameters()), 1 - decay
            )
        return learned

    def _chosen(self, step: Step) -> Step:
        losses = []
        for batch in step:
            with torch.no_grad(), reduced_precision(self._device):
                of_places = weighted_losses(self.model, batch, self._teacher).cpu().numpy()
            losses.append(losses_of_rows(batch, of_places))
        rng = np.random.default_rng((self.plan.seed, self.progress.step))
        return chosen(step, losses, self.plan.learned_share, rng)

    def _read_loss(self) -> None:
        self.progress.loss = float(self._loss)

    def averaged_model(self) -> LlamaForCausalLM:
        """A copy with the running average of the weights, which is better than the last step's."""
        model = LlamaForCausalLM(self.model.config).to(self._device)
        model.load_state_dict(self._average, strict=False)
        model.tie_weights()
        return model.eval()

    def held_out_loss(self, count: int = 400) -> float:
        """Loss of the averaged model on conversations in held-out wordings, in nats a token."""
        model = self.averaged_model()
        said = (conversation(random.Random(n), "held_out", max_chars(256)) for n in range(count))
        drawn = [encode(self.tokenizer, talk, self.plan.user_weight) for talk in said]
        with torch.no_grad():
            batches = grouped(drawn, self.plan.batch_tokens)
            total = sum(float(weighted_losses(model, batch).sum()) for batch in batches)
        return total / sum(sum(encoded.weights) for encoded in drawn)

    def save(self) -> None:
        if self._draw < 0:
            return
        self._read_loss()
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "model": self.model.state_dict(),
            "average": self._average,
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "progress": asdict(self.progress),
            "draw": self._draw,
            "steps_left": len(self._steps),
        }
        partial = self.folder / f"{_CHECKPOINT}.partial"
        torch.save(state, partial)
        partial.replace(self.folder / _CHECKPOINT)
        (self.folder / "progress.json").write_text(json.dumps(asdict(self.progress)))

    def _resume(self, workers: int) -> None:
        """Begin to draw, from where the checkpoint is if there is one."""
        path = self.folder / _CHECKPOINT
        if not path.exists():
            self._draws = Draws(self.tokenizer, self.plan, 0, workers)
            return
        state = torch.load(path, weights_only=True, map_location=self._device)
        self.model.load_state_dict(state["model"])
        self._average = state["average"]
        for optimizer, saved in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.progress = Progress(**state["progress"])
        self._loss.fill_(self.progress.loss)
        self._draw = state["draw"]
        is_done = self.progress.tokens >= self.plan.total_tokens
        self._draws = Draws(self.tokenizer, self.plan, self._draw, 0 if is_done else workers)
        self._steps = next(self._draws)
        del self._steps[state["steps_left"] :]
