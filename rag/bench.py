"""How long a question takes, stage by stage: what `octavo bench ask` measures.

The stages are called as the chain calls them; what comes behind the gate (packing, generating, checking) is timed in the chain
itself. The first question pays for loading the embedder, the reader and the model, and is told apart.
"""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from ingest import Library
from ingest import Settings as IngestSettings
from model.bench import processor
from rag.chain import RETRIEVED, AnswerChain, build_chain
from rag.errors import EvalError
from rag.evaluate import read_lines
from rag.gate import decide
from rag.read import READ, default_reader, read
from rag.retriever import LibraryRetriever

STAGES = ("retrieve", "read", "gate", "generate", "whole")


def bench(questions: Path, library: str, model: str | None, tell: Callable[[str], None]) -> dict[str, Any]:
    """Milliseconds of each stage: of the first question, and median and 95th percentile of the others.

    Raises:
        EvalError: fewer than two questions, or the file can't be read.
    """
    asked = [str(row["question"]) for row in read_lines(questions, "question")]
    if len(asked) < 2:
        raise EvalError(f"{questions}: only one question", "give some more: the first one pays for loading")
    load = os.getloadavg()[0]
    with Library.open(IngestSettings().library_dir(library)) as opened:
        chain = build_chain(opened, model)
        first, *warm = [_timed(chain, question, tell) for question in asked]
    return {
        "questions": len(asked),
        "passages_read": round(sum(times["passages"] for times in warm) / len(warm), 1),
        "first_ms": {stage: round(first[stage], 1) for stage in STAGES},
        **{stage: _quantiles([times[stage] for times in warm]) for stage in STAGES},
        "reader_dtype": str(next(iter(default_reader().weights.values())).dtype).removeprefix("torch."),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": round(load, 2),
    }


def _timed(chain: AnswerChain, question: str, tell: Callable[[str], None]) -> dict[str, float]:
    started = time.perf_counter()
    found = LibraryRetriever(library=chain.library).evidence(question, RETRIEVED)
    retrieved = time.perf_counter()
    evidence = read(question, found, default_reader())
    was_read = time.perf_counter()
    decide(question, evidence, chain.settings.gate_threshold)
    decided = time.perf_counter()
    answer = chain.invoke(question)
    answered = time.perf_counter() - decided - answer.timings.retrieve_s
    times = {"retrieve": retrieved - started, "read": was_read - retrieved, "gate": decided - was_read, "generate": answered}
    times = {stage: 1000 * seconds for stage, seconds in (times | {"whole": sum(times.values())}).items()}
    tell(f"{times['whole']:6.0f} ms: {question}")
    return times | {"passages": min(READ, len(found))}


def _quantiles(times: Sequence[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {"p50_ms": round(ordered[len(ordered) // 2], 1), "p95_ms": round(ordered[int(len(ordered) * 0.95)], 1)}
