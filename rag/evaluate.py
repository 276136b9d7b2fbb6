"""Measuring: answers on a file of questions, and retrieval on a corpus with relevance judgements.

Without a library, every row's own contexts are the whole library for its question: they go into one temporary library
and retrieval is limited to them, so the path is the same as a user's.
"""

import json
import lzma
import math
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel

from ingest import Library
from ingest import Settings as IngestSettings
from model.grounded import normalize_answer
from rag.answer import NOT_FOUND, Answer
from rag.chain import AnswerChain, build_chain
from rag.citations import strip_markers
from rag.errors import EvalError, ReplyError
from rag.read import default_reader, read
from rag.retriever import LibraryRetriever

Progress = Callable[[int, int], None]
STAGES = ("meaning", "words", "fused", "read")


def read_lines(path: Path, *keys: str) -> list[dict[str, Any]]:
    """Rows of a .jsonl or .jsonl.xz file, each with these keys.

    Raises:
        EvalError: it can't be read, or a row is not what it should be (the line is named).
    """
    rows = []
    try:
        with lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    row = json.loads(line)
                    missing = [k for k in keys if not isinstance(row, dict) or k not in row]
                    if missing:
                        raise EvalError(f"{path}, line {number}: no {missing[0]!r} in it")
                    rows.append(row)
    except (OSError, lzma.LZMAError, EOFError, UnicodeDecodeError) as error:
        raise EvalError(f"{path}: can't be read ({getattr(error, 'strerror', None) or error})") from error
    except ValueError as error:
        raise EvalError(f"{path}, line {number}: not JSON ({error})") from error
    if not rows:
        raise EvalError(f"{path}: no questions in it")
    return rows


@contextmanager
def temporary_library(texts: set[str]) -> Iterator[tuple[Library, dict[str, str]]]:
    """A library of these texts, a file each, and each text's path."""
    with tempfile.TemporaryDirectory(prefix="octavo-eval-") as place:
        folder = Path(place).resolve() / "texts"
        folder.mkdir()
        paths = {}
        for text in texts:
            file = folder / f"{sha256(text.encode()).hexdigest()[:20]}.txt"
            file.write_text(text, encoding="utf-8")
            paths[text] = file.as_posix()
        with Library.open(Path(place) / "library", create=True) as library:
            library.add([folder])
            yield library, paths


def evaluate_answers(questions: Path, library: str | None, model: str | None, out: Path | None, progress: Progress) -> dict[str, Any]:
    """Asks every question; writes predictions to `out`; returns the figures."""
    rows = read_lines(questions, "id", "question", "answers", *([] if library is not None else ["contexts"]))
    for number, row in enumerate(rows, 1):
        if not isinstance(row["question"], str) or not row["question"].strip():
            raise EvalError(f"{questions}, question {number}: the question must be a text that isn't empty")
        contexts = row.get("contexts", [])
        if not isinstance(contexts, list) or not all(isinstance(c, str) for c in contexts):
            raise EvalError(f"{questions}, question {number}: contexts must be a list of texts")
    if out is not None:
        out.write_text("", encoding="utf-8")  # fails now rather than after the last question
    paths: dict[str, str] = {}
    start = time.monotonic()
    if library is not None:
        with Library.open(IngestSettings().library_dir(library)) as opened:
            predictions = _ask_all(rows, opened, None, model, out, progress)
    else:
        with temporary_library({c for row in rows for c in row["contexts"] if c.strip()}) as (opened, paths):
            predictions = _ask_all(rows, opened, paths, model, out, progress)
    seconds = time.monotonic() - start
    recall = _supporting_found(rows, predictions, paths) if library is None else None
    return figures(rows, predictions) | {"retrieval_recall": recall, "s_per_question": round(seconds / len(rows), 3)}


def _supporting_found(rows: list[dict[str, Any]], predictions: list[dict[str, Any]], paths: dict[str, str]) -> float | None:
    """Share of the contexts that a row marks as `supporting` (a list of true and false) that were put before the model."""
    wanted, found = 0, 0
    for row, prediction in zip(rows, predictions, strict=True):
        packed = {r["path"] for r in prediction["retrieved"]}
        supporting = {paths.get(c) for c, needed in zip(row["contexts"], row.get("supporting") or [], strict=False) if needed}
        wanted += len(supporting)
        found += len(supporting & packed)
    return round(found / wanted, 4) if wanted else None


def _ask_all(
    rows: list[dict[str, Any]],
    library: Library,
    paths: dict[str, str] | None,
    model: str | BaseChatModel | None,
    out: Path | None,
    progress: Progress,
) -> list[dict[str, Any]]:
    chain = build_chain(library, model)
    predictions = []
    for number, row in enumerate(rows, 1):
        within = None if paths is None else [paths[c] for c in row["contexts"] if c in paths]
        predictions.append(_prediction(row["id"], _ask(chain, row["question"], within)))
        if out is not None:
            with out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(predictions[-1], ensure_ascii=False) + "\n")
        progress(number, len(rows))
    return predictions


def _ask(chain: AnswerChain, question: str, within: list[str] | None) -> Answer:
    if within == []:
        return Answer(NOT_FOUND, refused=True)  # no contexts, no answer
    try:
        return chain.invoke({"question": question, "within": within})
    except ReplyError:  # one question's failure, which doesn't end the run: no answer, and no refusal either
        return Answer()


def _prediction(name: str, answer: Answer) -> dict[str, Any]:
    retrieved = [
        {"path": e.chunk.path, "page_start": e.chunk.page_start, "char_start": e.chunk.char_start, "char_end": e.chunk.char_end}
        for item in answer.evidence
        for e in item.parts
    ]
    shown = answer.to_dict()
    return {"id": name, "answer": shown["answer"], "refused": answer.refused, "citations": shown["citations"], "retrieved": retrieved}


def f1(said: str, accepted: list[str]) -> float:
    """Token overlap with the best of the accepted answers (SQuAD's measure)."""
    best = 0.0
    for answer in accepted:
        a, b = normalize_answer(said).split(), normalize_answer(answer).split()
        common = sum((Counter(a) & Counter(b)).values())
        if common:
            best = max(best, 2 * common / (len(a) + len(b)))
    return best


def figures(rows: list[dict[str, Any]], predictions: list[dict[str, Any]]) -> dict[str, Any]:
    """F1 and EM over the answerable questions, where a refusal counts 0; refusals; how many citations are verified."""
    answerable = [(r, p) for r, p in zip(rows, predictions, strict=True) if r["answers"]]
    refused = [(r, p) for r, p in zip(rows, predictions, strict=True) if p["refused"]]
    right = sum(not r["answers"] for r, _ in refused)
    cited = [c for _, p in answerable for c in p["citations"]]
    texts = [(r["answers"], "" if p["refused"] else strip_markers(p["answer"])) for r, p in answerable]

    def share(part: float, whole: int) -> float | None:
        return round(part / whole, 4) if whole else None

    return {
        "questions": len(rows),
        "F1": share(sum(f1(text, accepted) for accepted, text in texts), len(texts)),
        "EM": share(sum(normalize_answer(text) in map(normalize_answer, accepted) for accepted, text in texts), len(texts)),
        "refusal_precision": share(right, len(refused)),
        "refusal_recall": share(right, len(rows) - len(answerable)),
        "answerable_refused": share(len(refused) - right, len(answerable)),
        "citation_precision": share(sum(c["verified"] for c in cited), len(cited)),
    }


def evaluate_retrieval(corpus: Path, queries: Path, progress: Progress) -> dict[str, Any]:
    """Recall at 1, 5 and 10, mean reciprocal rank and nDCG at 10, over documents, of each stage: found by meaning, by words, by
    both together, and read."""
    documents = read_lines(corpus, "id", "text")
    asked = read_lines(queries, "text", "relevant")
    total = {stage: dict.fromkeys(("recall@1", "recall@5", "recall@10", "MRR", "nDCG@10"), 0.0) for stage in STAGES}
    with temporary_library({d["text"] for d in documents if d["text"].strip()}) as (library, paths):
        names: dict[str, list[str]] = {}
        for d in documents:
            if d["text"] in paths:
                names.setdefault(paths[d["text"]], []).append(d["id"])
        retriever = LibraryRetriever(library=library)
        for number, query in enumerate(asked, 1):
            for stage, ranking in _rankings(library, retriever, query["text"]).items():
                found = [names[path] for path in dict.fromkeys(ranking)][:10]
                _score(total[stage], [i for same in found for i in same], set(query["relevant"]))
            progress(number, len(asked))
    means = {stage: {name: round(value / len(asked), 4) for name, value in figures.items()} for stage, figures in total.items()}
    return {"queries": len(asked), **means}


def _rankings(library: Library, retriever: LibraryRetriever, question: str) -> dict[str, list[str]]:
    """The paths of the chunks that each stage finds, best first."""
    fused = retriever.evidence(question, k=40)
    hits = {"meaning": library.dense(question, 40), "words": library.words(question, 40)}
    stages = {"fused": fused, "read": read(question, fused, default_reader())}
    return {stage: [hit.chunk.path for hit in found] for stage, found in (hits | stages).items()}


def _score(total: dict[str, float], found: list[str], relevant: set[str]) -> None:
    hits = [name in relevant for name in found]
    for k in (1, 5, 10):
        total[f"recall@{k}"] += sum(hits[:k]) / max(1, len(relevant))
    total["MRR"] += 1 / (hits.index(True) + 1) if True in hits else 0.0
    ideal = sum(1 / math.log2(i + 2) for i in range(min(10, len(relevant))))
    total["nDCG@10"] += sum(1 / math.log2(i + 2) for i, hit in enumerate(hits[:10]) if hit) / (ideal or 1.0)
