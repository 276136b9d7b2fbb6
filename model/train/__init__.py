"""How a small Gemma 2 is made: cut a teacher down (prune), distil, tune on questions, write one file (export)."""
