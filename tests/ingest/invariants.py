"""What must hold of a library at every moment, against the plainest model of it: a dict from path to text."""

from contextlib import closing

from ingest import Library
from ingest.store import rows, schema, vectors

_DOCUMENT_OF = {
    "documents": "id",
    "chunks": "document",
    "vectors": "(select document from chunks where chunks.vector = vectors.number)",
}


def check(library: Library, expected: dict[str, str]) -> None:
    """The library holds exactly these documents, whole, and finds each by its words and by its meaning."""
    assert [document.path for document in library.documents()] == sorted(expected)
    for path, text in expected.items():
        assert library.text(path) == text
        first = min(other for other, same in expected.items() if same == text)  # the same bytes are one document
        assert library.dense(text, 1)[0].chunk.path == first
        assert first in [hit.chunk.path for hit in library.words(text, 3)]
    for hit in library.dense("anything at all", 1000):
        assert hit.chunk.text == expected[hit.chunk.path][hit.chunk.char_start : hit.chunk.char_end]
    with closing(schema.connect(library.directory)) as connection:
        for table, document in _DOCUMENT_OF.items():
            query = f"select count(*), total({document} in (select document from files)) from {table}"
            assert len(set(connection.execute(query).fetchone())) == 1, f"{table} that belong to no file"
        assert vectors.pending_count(connection) == 0 and vectors.count(connection) <= rows.chunk_count(connection)
        indexed = [number for segment in vectors.segments(connection) for number in vectors.members(connection, segment)]
        assert sorted(indexed) == sorted(vectors.numbers(connection))
