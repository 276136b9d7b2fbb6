"""How quickly PDFs become a library, beside the usual recipe, on the same files in the same run.

The recipe is what tutorials give: PyPDFLoader, RecursiveCharacterTextSplitter 1000/200, HuggingFaceEmbeddings with MiniLM,
Chroma. Models are loaded before the clock starts. The two take turns, and each one's best run counts. What was made is
then asked: eight words from the middle of random sentences, found when one of the five best passages has them.
"""

import random
import re
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ingest.errors import IngestError
from ingest.library import Library
from ingest.text.embedder import DEFAULT, Embedder, default_directory

Find = Callable[[str], Sequence[str]]
"""A question's five best passages."""
_Made = tuple[dict[str, Any], list[str], Find]


def bench(folder: Path, rounds: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Times both on the PDFs below a folder; see `octavo bench ingest`.

    Raises:
        IngestError: there are no PDFs, or the recipe's packages aren't installed.
    """
    found = sorted(folder.rglob("*.pdf"))
    files = [file for file in found if _has_text(file)]
    if not files:
        raise IngestError(f"no PDFs with text below {folder}", "name a folder of PDFs, the same for both")
    if len(files) < len(found):
        tell(f"{len(found) - len(files)} of {len(found)} left out: pages without text, which the recipe can't read, or damaged")
    if find_spec("pypdf") is None:
        raise IngestError("the recipe needs pypdf", "pip install 'octavo[bench]'")
    embedder = Embedder.load(DEFAULT)
    recipe = _Recipe()
    runs: dict[str, Callable[[Path], _Made]] = {"octavo": partial(_octavo, files, embedder), "recipe": partial(recipe.run, files)}
    rows: dict[str, list[dict[str, Any]]] = {"octavo": [], "recipe": []}
    for number in range(rounds):
        for name, run in runs.items():
            with tempfile.TemporaryDirectory() as directory:
                started = time.monotonic()
                facts, texts, find = run(Path(directory))
                facts["seconds"] = round(time.monotonic() - started, 2)
                facts["recall_at_5"] = _recall(texts, find) if number == 0 else None
            rows[name].append(facts)
            tell(f"{name:8} round {number + 1}: {facts}")
    best = {
        name: min(runs, key=lambda facts: float(facts["seconds"])) | {"recall_at_5": runs[0]["recall_at_5"]} for name, runs in rows.items()
    }
    for facts in best.values():
        facts["pages_s"] = round(facts["pages"] / facts["seconds"], 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return {**best, "ratio": round(best["recipe"]["seconds"] / best["octavo"]["seconds"], 2), "peak_mb": peak}


def _has_text(file: Path) -> bool:
    """Whether every page has text, so that both read the same."""
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(file) as document:
            return all(page.get_textpage().count_chars() for page in document)
    except pypdfium2.PdfiumError:
        return False


def _octavo(files: list[Path], embedder: Embedder, directory: Path) -> _Made:
    library = Library.open(directory, embedder, create=True)
    receipt = library.add(files)
    added = [file for file in receipt.files if file.status == "added"]
    facts = {
        "pages": sum(f.pages or 0 for f in added),
        "chars": sum(f.indexed_chars for f in added),
        "chunks": sum(f.chunks for f in added),
    }
    texts = [library.text(file.path) for file in added]
    return facts, texts, lambda question: [hit.chunk.text for hit in library.dense(question, 5)]


class _Recipe:
    def __init__(self) -> None:
        from langchain_community.embeddings import HuggingFaceEmbeddings

        self._embeddings = HuggingFaceEmbeddings(model_name=str(default_directory()), model_kwargs={"device": "cpu"})
        self._embeddings.embed_query("warm")

    def run(self, files: list[Path], directory: Path) -> _Made:
        from langchain_community.document_loaders import PyPDFLoader
        from langchain_community.vectorstores import Chroma
        from langchain_text_splitters import RecursiveCharacterTextSplitter

        pages = [page for file in files for page in PyPDFLoader(str(file)).load()]
        chunks = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200).split_documents(pages)
        store = Chroma.from_documents(chunks, self._embeddings, persist_directory=str(directory))
        texts = [page.page_content for page in pages]
        facts = {"pages": len(pages), "chars": sum(map(len, texts)), "chunks": len(chunks)}
        return facts, texts, lambda question: [found.page_content for found in store.similarity_search(question, 5)]


def _recall(texts: list[str], find: Find) -> float:
    chosen = random.Random(0)
    sentences = [s for text in texts for s in re.split(r"(?<=[.!?])\s", text) if 12 <= len(s.split()) <= 40]
    asked = chosen.sample(sentences, min(200, len(sentences)))
    found = 0
    for sentence in asked:
        words = sentence.split()
        middle = " ".join(words[len(words) // 2 - 4 : len(words) // 2 + 4])
        found += any(middle in " ".join(passage.split()) for passage in find(middle))
    return round(found / max(1, len(asked)), 3)
