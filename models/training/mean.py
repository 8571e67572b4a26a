"""The mean of several models' weights: `python -m models.training.mean OUT 1:before 4:after`.

Weights of one training, or of two that parted late, answer better together than each of them does
(M. Wortsman et al., "Model soups", 2022: https://arxiv.org/abs/2203.05482)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import torch
import typer
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from models.training.export import export


def mean_of(shares: Mapping[Path, float]) -> LlamaForCausalLM:
    """The model whose weights are the mean of those in the folders, each with its share.

    Raises ValueError when the shares do not add up to more than nothing.
    """
    total = sum(shares.values())
    if total <= 0:
        raise ValueError("The shares must add up to more than 0.")
    summed: dict[str, torch.Tensor] = {}
    for folder, share in shares.items():
        model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
        for name, weight in model.state_dict().items():
            part = weight * (share / total)
            summed[name] = summed[name] + part if name in summed else part
    model.load_state_dict(summed)
    return model.eval()


def _share(text: str) -> tuple[Path, float]:
    share, _, folder = text.partition(":")
    try:
        return Path(folder), float(share)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not SHARE:FOLDER, such as 4:out/target") from None


def main(
    out: Annotated[Path, typer.Argument(help="Where the mean is written.")],
    parts: Annotated[list[str], typer.Argument(help="SHARE:FOLDER of each checkpoint.")],
) -> None:
    shares = dict(map(_share, parts))
    tokenizer = Tokenizer.from_file(str(next(iter(shares)) / "tokenizer.json"))
    export(mean_of(shares), tokenizer, out)


if __name__ == "__main__":
    typer.run(main)
