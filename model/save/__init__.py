"""A model out again, for other programs: Hugging Face's layout, GGUF."""
