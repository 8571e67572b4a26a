"""The bundled chat model's workshop: generated text, tokenizer, training, evaluation, card."""
