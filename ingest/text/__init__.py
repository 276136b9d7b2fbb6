"""From a document's text to what is searched. In: canonical text. Out: chunks, and a vector for each.

`chunking` cuts where a person would, `tokens` counts as the embedder counts, `scripts` splits text and questions into words,
also where a script has no spaces, and `embedder` makes vectors: with `bert`, torch alone, where a model is of that kind
(`encoders`), else with sentence-transformers.
"""
