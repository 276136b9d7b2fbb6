"""Measuring: answers on a file of questions, and retrieval on a corpus with relevance judgements.

Without a library, every row's own contexts are the whole library for its question: they go into one temporary library
and retrieval is limited to them, so the path is the same as a user's.

A run that ends early goes on where it was: each answer is written as a line of JSON with the hashes of all that it depends on, and
what the same parts have already answered is not asked again.
"""

import json
import lzma
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from ingest import Library
from ingest import Settings as IngestSettings
from model.batching import MOST
from rag.answer import NOT_FOUND, Answer
from rag.chain import AnswerChain, build_chain
from rag.errors import EvalError
from rag.hashes import hashes, library_state, short
from rag.models import batches
from rag.read import default_reader, read
from rag.retriever import LibraryRetriever
from rag.scoring import estimate, figures, marks

Progress = Callable[[int, int], None]
STAGES = ("meaning", "words", "fused", "read")
_MADE = {"hashes", "marks", "seconds", "error"}
"""What a prediction holds that was made with hashes."""
_MEASURES = ("recall@1", "recall@5", "recall@10", "MRR", "nDCG@10")


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


def read_questions(path: Path, with_contexts: bool) -> list[dict[str, Any]]:
    """Rows of id, question, answers and, where they are asked of their own, contexts.

    Raises:
        EvalError: it can't be read, or a row is not what it should be.
    """
    rows = read_lines(path, "id", "question", "answers", *(["contexts"] if with_contexts else []))
    for number, row in enumerate(rows, 1):
        if not isinstance(row["id"], str | int):
            raise EvalError(f"{path}, question {number}: the id must be a text or a number")
        if not isinstance(row["question"], str) or not row["question"].strip():
            raise EvalError(f"{path}, question {number}: the question must be a text that isn't empty")
        for key in ("answers", "contexts"):
            if not isinstance(row.get(key, []), list) or not all(isinstance(text, str) for text in row.get(key, [])):
                raise EvalError(f"{path}, question {number}: {key} must be a list of texts")
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


@contextmanager
def library_of(rows: Sequence[Mapping[str, Any]], library: str | None) -> Iterator[tuple[Library, dict[str, str] | None]]:
    """What questions are asked of: the library of this name, or one of their own contexts with each context's path."""
    if library is not None:
        with Library.open(IngestSettings().library_dir(library)) as opened:
            yield opened, None
    else:
        with temporary_library({c for row in rows for c in row["contexts"] if c.strip()}) as made:
            yield made


def evaluate_answers(questions: Path, library: str | None, model: str | None, out: Path | None, progress: Progress) -> dict[str, Any]:
    """Asks every question that `out` doesn't hold the answer of; writes predictions to `out`; returns the figures.

    Raises:
        EvalError: a file that can't be read, or no question that could be asked.
    """
    rows = read_questions(questions, library is None)
    if out is not None:
        out.open("a", encoding="utf-8").close()  # fails now rather than after the first question
    with library_of(rows, library) as (opened, paths):
        chain = build_chain(opened, model)
        predictions, kept = ask_all(chain, rows, paths, out, progress)
        changed = library is not None and library_state(opened) != predictions[0]["hashes"]["library"]
    return summary(predictions) | {"kept": kept, "library_changed": changed}


def summary(predictions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of some predictions and their intervals, seconds a question, and which questions could not be asked.

    Raises:
        EvalError: none could.
    """
    failed = [{"id": p["id"], "error": p["error"]} for p in predictions if p["error"]]
    if len(failed) == len(predictions):
        raise EvalError(f"none of the {len(failed)} questions could be asked: {failed[0]['error']}")
    found = figures([p["marks"] for p in predictions])
    return {
        "questions": len(predictions),
        **{name: e and round(e.value, 4) for name, e in found.items()},
        "intervals": {name: [round(e.low, 4), round(e.high, 4)] for name, e in found.items() if e},
        "s_per_question": round(sum(p["seconds"] for p in predictions) / len(predictions), 3),
        "failed": failed,
    }


def ask_all(
    chain: AnswerChain, rows: Sequence[Mapping[str, Any]], paths: Mapping[str, str] | None, out: Path | None, progress: Progress
) -> tuple[list[dict[str, Any]], int]:
    """A prediction for each row, and how many of them `out` held already; the others are added to it as they come.

    Args:
        paths: of each context, where questions are asked of their own contexts alone.
        progress: told how many are done, of how many.

    Raises:
        EvalError: `out` holds something else than predictions.
    """
    parts = hashes(chain)
    wanted = [parts | _asked(row, alone=paths is not None) for row in rows]
    kept = _kept(out, wanted) if out is not None else {}
    done = held = sum(short(made) in kept for made in wanted)
    if held:
        progress(held, len(rows))
    missing = [row for row, made in zip(rows, wanted, strict=True) if short(made) not in kept]
    predictions = []
    with ThreadPoolExecutor(MOST if batches(chain.model) else 1) as pool:
        asked = pool.map(lambda row: _prediction(chain, row, paths), missing)
        try:
            for made in wanted:
                if short(made) in kept:
                    predictions.append(kept[short(made)])
                    continue
                predictions.append(next(asked) | {"hashes": made})
                if out is not None:
                    with out.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(predictions[-1], ensure_ascii=False) + "\n")
                done += 1
                progress(done, len(rows))
        finally:  # who stops it waits for those being asked, not for the rest
            pool.shutdown(wait=False, cancel_futures=True)
    return predictions, held


def _asked(row: Mapping[str, Any], alone: bool) -> dict[str, str]:
    """Hashes of a question with its accepted answers, and of the contexts that it is asked of alone."""
    question = {"question": short(row["id"], row["question"], row["answers"], row.get("supporting"))}
    return question | ({"library": short(row["contexts"])} if alone else {})


def _kept(out: Path, wanted: Sequence[Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    """The predictions in a file that are wanted still, by their hashes; all others are taken out of it, a last line that is cut too."""
    if not out.is_file():
        return {}
    lines = out.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    whole = lines[:-1] if lines and not lines[-1].endswith("\n") and lines[-1].startswith('{"id"') else lines
    hoped = {short(made) for made in wanted}
    found = [_written(out, number, line) for number, line in enumerate(whole, 1)]
    kept = {key: row for row in found if row.keys() >= _MADE and not row["error"] and (key := short(row["hashes"])) in hoped}
    if len(kept) < len(lines):
        target = out.resolve()
        rest = target.with_name(f"{target.name}.tmp")
        rest.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept.values()), encoding="utf-8")
        rest.replace(target)
    return kept


def _written(file: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict) or not {"id", "answer", "refused"} <= row.keys():
        raise EvalError(f"{file}, line {number}: not a prediction, and nothing else is written over", "name another file with --out")
    return row


def _prediction(chain: AnswerChain, row: Mapping[str, Any], paths: Mapping[str, str] | None) -> dict[str, Any]:
    started, failed, answer = time.monotonic(), "", Answer()
    within = None if paths is None else [paths[c] for c in row["contexts"] if c in paths]
    try:
        answer = Answer(NOT_FOUND, refused=True) if within == [] else chain.invoke({"question": row["question"], "within": within})
    except Exception as error:  # whatever is wrong with one question, the others are asked
        failed = str(error) or type(error).__name__
    shown = answer.to_dict()
    prediction = {
        "id": row["id"],
        **{name: shown[name] for name in ("answer", "refused", "citations")},
        "retrieved": [
            {"path": e.chunk.path, "page_start": e.chunk.page_start, "char_start": e.chunk.char_start, "char_end": e.chunk.char_end}
            for item in answer.evidence
            for e in item.parts
        ],
        "probability": answer.probability,
        "seconds": round(time.monotonic() - started, 3),
        "error": failed,
    }
    needed = zip(row.get("contexts", []), row.get("supporting") or [], strict=False)
    supporting = {paths[c] for c, true in needed if true and c in paths} if paths is not None else set()
    return prediction | {"marks": marks(prediction, row["answers"], supporting)}


def evaluate_retrieval(corpus: Path, queries: Path, progress: Progress) -> dict[str, Any]:
    """Recall at 1, 5 and 10, mean reciprocal rank and nDCG at 10, over documents, of each stage: found by meaning, by words, by
    both together, and read; and their intervals (scoring.py)."""
    documents = read_lines(corpus, "id", "text")
    asked = read_lines(queries, "text", "relevant")
    scores: dict[str, list[dict[str, float]]] = {stage: [] for stage in STAGES}
    with temporary_library({d["text"] for d in documents if d["text"].strip()}) as (library, paths):
        names: dict[str, list[str]] = {}
        for d in documents:
            if d["text"] in paths:
                names.setdefault(paths[d["text"]], []).append(d["id"])
        retriever = LibraryRetriever(library=library)
        for number, query in enumerate(asked, 1):
            for stage, ranking in _rankings(library, retriever, query["text"]).items():
                found = [names[path] for path in dict.fromkeys(ranking)][:10]
                scores[stage].append(_scored([i for same in found for i in same], set(query["relevant"])))
            progress(number, len(asked))
    means: dict[str, dict[str, float]] = {}
    intervals: dict[str, dict[str, list[float]]] = {}
    for stage, scored in scores.items():
        estimates = {name: estimate([one[name] for one in scored], [1.0] * len(scored)) for name in _MEASURES}
        means[stage] = {name: round(e.value, 4) for name, e in estimates.items() if e}
        intervals[stage] = {name: [round(e.low, 4), round(e.high, 4)] for name, e in estimates.items() if e}
    return {"queries": len(asked), **means, "intervals": intervals}


def _rankings(library: Library, retriever: LibraryRetriever, question: str) -> dict[str, list[str]]:
    """The paths of the chunks that each stage finds, best first."""
    fused = retriever.evidence(question, k=40)
    hits = {"meaning": library.dense(question, 40), "words": library.words(question, 40)}
    stages = {"fused": fused, "read": read(question, fused, default_reader())}
    return {stage: [hit.chunk.path for hit in found] for stage, found in (hits | stages).items()}


def _scored(found: list[str], relevant: set[str]) -> dict[str, float]:
    hits = [name in relevant for name in found]
    recalls = {f"recall@{k}": sum(hits[:k]) / max(1, len(relevant)) for k in (1, 5, 10)}
    ideal = sum(1 / math.log2(i + 2) for i in range(min(10, len(relevant))))
    gained = sum(1 / math.log2(i + 2) for i, hit in enumerate(hits[:10]) if hit)
    return recalls | {"MRR": 1 / (hits.index(True) + 1) if True in hits else 0.0, "nDCG@10": gained / (ideal or 1.0)}
