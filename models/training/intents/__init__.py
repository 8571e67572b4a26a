"""The rooms of the model's world. Each module turns facts into turns of a conversation."""
