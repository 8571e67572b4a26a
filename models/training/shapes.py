"""The shapes of the models: numbers only."""

from dataclasses import dataclass

from transformers import LlamaConfig

from models.training.tokenizer import CONTEXT_TOKENS, END, PAD, SPECIAL_TOKENS


@dataclass(frozen=True)
class Shape:
    """A Llama shape. `hidden` is heads x `head_dim`; `kv_heads` divides `heads`."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    vocab_size: int

    def parameters(self) -> int:
        """How many weights, with the embedding counted once since it is tied to the output."""
        kv_hidden = self.hidden * self.kv_heads // self.heads
        attention = 2 * self.hidden * (self.hidden + kv_hidden)
        feed_forward = 3 * self.hidden * self.intermediate
        norms = 2 * self.hidden
        layers = self.layers * (attention + feed_forward + norms)
        return layers + self.hidden + self.vocab_size * self.hidden

    def config(self) -> LlamaConfig:
        return LlamaConfig(
            vocab_size=self.vocab_size,
            hidden_size=self.hidden,
            intermediate_size=self.intermediate,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.kv_heads,
            head_dim=self.hidden // self.heads,
            max_position_embeddings=CONTEXT_TOKENS,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
            tie_word_embeddings=True,
            initializer_range=0.02,
            bos_token_id=None,
            eos_token_id=SPECIAL_TOKENS.index(END),
            pad_token_id=SPECIAL_TOKENS.index(PAD),
        )


VOCAB_SIZE = 5376
TARGET = Shape(layers=8, hidden=384, intermediate=1024, heads=6, kv_heads=2, vocab_size=VOCAB_SIZE)
DRAFT = Shape(layers=2, hidden=192, intermediate=512, heads=3, kv_heads=1, vocab_size=VOCAB_SIZE)
