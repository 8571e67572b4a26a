"""The bundled models, loaded once for all tests of this folder."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

BUNDLED = Path(__file__).parents[2] / "models" / "bundled"


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Models this small gain nothing from more, and lose much where others use the machine."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def bundled() -> Path:
    return BUNDLED


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(BUNDLED / "target")


@pytest.fixture(scope="session")
def target() -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(BUNDLED / "target", dtype=torch.float32).eval()


@pytest.fixture(scope="session")
def draft() -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(BUNDLED / "draft", dtype=torch.float32).eval()
