"""How a small Gemma 2 is made: prune a teacher, distil it, tune the student on questions, export one file. See docs/distil.md."""
