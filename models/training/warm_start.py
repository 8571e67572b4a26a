"""Weights to begin with from an earlier model of the same shape, whatever its tokenizer was."""

from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoTokenizer, LlamaForCausalLM

# How far a piece that takes over another's embedding stands from it, as a share of its length.
_OFFSET = 0.3


def warm_start(model: LlamaForCausalLM, tokenizer: Tokenizer, folder: Path) -> None:
    """Take the weights of the checkpoint in `folder`. A piece of the vocabulary that was not in the
    earlier one begins near its lower-case twin, else near the mean of the pieces that it was.
    """
    earlier = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
    pieces = AutoTokenizer.from_pretrained(folder).backend_tokenizer
    state = earlier.state_dict()
    name = "model.embed_tokens.weight"
    embeddings = _embeddings(tokenizer, pieces, state[name])
    model.load_state_dict(state | {name: embeddings, "lm_head.weight": embeddings})


def _embeddings(tokenizer: Tokenizer, earlier: Tokenizer, weights: torch.Tensor) -> torch.Tensor:
    """One row a piece of the new vocabulary, [V, hidden]."""
    offset = torch.randn(weights.shape[1]) * weights.norm(dim=1).mean() / weights.shape[1] ** 0.5
    rows = torch.empty(tokenizer.get_vocab_size(), weights.shape[1])
    for piece, number in tokenizer.get_vocab().items():
        same = earlier.token_to_id(piece)
        if same is not None:
            rows[number] = weights[same]
            continue
        text = tokenizer.decode([number])
        twin = earlier.token_to_id(piece.replace("Ġ", " ").lower().replace(" ", "Ġ"))
        were = [twin] if twin is not None else earlier.encode(text).ids
        rows[number] = weights[were].mean(0) + _OFFSET * offset
    return rows
