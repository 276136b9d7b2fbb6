"""Checkpoints of each kind, read into the same three things: config, tensors, tokenizer."""
