"""The one truth: SQLite. In: texts, chunks and vectors. Out: rows, word search, exact vector search.

`schema` has the tables and how they are opened, `rows` what is written into them, `search` how they are searched, `paths` how
files are named in them. `lock` lets one process write at a time, `verify` and `backup` check the whole and carry it elsewhere.
"""
