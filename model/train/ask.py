"""Step 5: a tuned teacher asks about running text, and what it then answers as it meant is kept: questions nobody wrote before.

    python -m model.train.ask TEACHER_RUN TOKENIZER.gguf TEXT.txt.xz... OUT.jsonl.xz [--minutes 5]

The teacher must have learnt to ask (model.train.tune --ask). A student that sees each of its questions once can't learn
them by heart. After Puri et al., "Training question answering models from synthetic data" (arXiv 2002.09599).
"""

import argparse
import itertools
import json
import lzma
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from model import grounded
from model.tokenizer import Tokenizer
from model.train.data import TEXT_FILES, plain_errors, read_texts, tokenizer_of
from model.train.examples import Prompts, pad
from model.train.practice import nearest, passages_of
from model.train.teacher import Teacher, load_teacher

LONGEST = 48
"""Tokens of an answer and its question."""
LIKELIEST = 40
"""Tokens among which one is drawn."""
LEAST = 0.2
"""How likely the teacher must find the whole answer that was meant."""
COPIES = 4
"""Questions drawn about a passage at a time."""

Asked = tuple[int, str, str]
"""(number of a passage, answer, question)"""


@torch.inference_mode()
def write(teacher: Teacher, prompts: Tensor, ends: int, newline: int) -> Tensor:
    """Continues prompts (B, T), padded with 0 before them, by (B, up to LONGEST) tokens.

    Answers are drawn freely, for variety, the questions to them with more care.
    """
    past, ids, said = None, prompts, torch.empty((len(prompts), 0), dtype=torch.long, device=prompts.device)
    for n in range(LONGEST):
        seen = F.pad(prompts != 0, (0, n), value=True)
        out = teacher.model(input_ids=ids, attention_mask=seen, past_key_values=past, use_cache=True)
        past = out.past_key_values
        heat = torch.where((said == newline).any(1, keepdim=True), 0.5, 1.0)
        likely, which = (teacher.logits(out.last_hidden_state[:, -1]) / heat).topk(LIKELIEST)
        ids = which.gather(1, torch.multinomial(likely.softmax(-1), 1))
        said = torch.cat((said, ids), 1)
        if n % 8 == 7 and bool((said == ends).any(1).all()):
            break
    return said


def parse(said: str, passage: str) -> tuple[str, str] | None:
    """The answer and the question, where they are in the form that was learnt and the passage holds the answer."""
    answer, _, question = (part.strip() for part in said.partition("\n"))
    held = answer in passage or answer in ("yes", "no")
    fits = 0 < len(answer) <= 100 and 3 <= len(question.split()) <= 30 and "\n" not in question
    return (answer, question) if held and fits and re.fullmatch(r"[^\x00-\x1f]+", question) else None


@torch.inference_mode()
def agreed(teacher: Teacher, prompts: Prompts, asked: list[Asked], tokens: int = 65_536) -> Iterator[Asked]:
    """Those whose answer the teacher itself is likely to give when it is asked about the passage."""
    device = teacher.head.device
    pairs = [(prompts.question(question, [n]), prompts.said(grounded.answer(answer, 1))) for n, answer, question in asked]
    order = sorted(range(len(pairs)), key=lambda i: sum(map(len, pairs[i])))
    while order:
        length = sum(map(len, pairs[order[-1]]))
        batch = [order.pop() for _ in range(min(len(order), max(1, tokens // length)))]
        ids, labels = (torch.from_numpy(a).to(device) for a in pad([pairs[i] for i in batch], length))
        at = labels >= 0
        chance = torch.zeros(labels.shape, device=device)
        chance[at] = -F.cross_entropy(teacher.logits(teacher.hidden(ids)[at]), labels[at], reduction="none")
        likely = chance.sum(1).exp() >= LEAST
        yield from (asked[i] for i, kept in zip(batch, likely.tolist(), strict=True) if kept)


def ask(
    teacher: Teacher, tokenizer: Tokenizer, documents: list[list[str]], minutes: float, batch: int, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """Asks for `minutes`, about the documents' passages in any order, then yields the questions worth keeping."""
    rng = random.Random(seed)
    place = {passage: document for document in documents for passage in document}
    passages, prompts = list(place), Prompts(list(place), tokenizer)
    asking = [prompts.ask(number) for number in range(len(passages))]
    order = sorted(range(len(passages)), key=lambda number: len(asking[number]))
    turns = [order[at : at + batch] for at in range(0, len(order), batch)]
    rng.shuffle(turns)
    torch.manual_seed(seed)
    asked, began, drawn = set[Asked](), time.monotonic(), 0
    newline, ends = tokenizer.encode("\n")[0], tokenizer.end_of_turn_id
    for turn in itertools.cycle(turns):
        if time.monotonic() - began > 60 * minutes:
            break
        longest = max(len(asking[number]) for number in turn)
        rows = torch.tensor([[0] * (longest - len(asking[number])) + asking[number] for number in turn], device=teacher.head.device)
        for number, ids in zip(turn * COPIES, write(teacher, rows.repeat(COPIES, 1), ends, newline).tolist(), strict=True):
            drawn += 1
            if ends in ids and (pair := parse(tokenizer.decode(ids[: ids.index(ends)]), passages[number])):
                asked.add((number, *pair))
    print(f"{drawn} drawn, {len(asked)} are questions, {time.monotonic() - began:.0f} s", flush=True)
    for number, answer, question in sorted(agreed(teacher, prompts, sorted(asked))):
        gold, kind = passages[number], "yesno" if answer in ("yes", "no") else "asked"
        others = [p for p in nearest(question, place[gold], rng) if p != gold and (kind == "yesno" or answer not in p)][:6]
        beside = rng.sample(others, min(len(others), rng.choice((0, 1, 2, 3, 3, 4, 5))))
        yield {"question": question, "contexts": [gold, *beside], "answers": [answer], "kind": kind, "source": "made"}


@plain_errors()
def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m model.train.ask", description="Let a tuned teacher ask about running text.")
    parser.add_argument("teacher", type=Path, help="the folder of a run of model.train.tune --ask")
    parser.add_argument("tokenizer", type=Path, help="the GGUF file whose tokenizer it uses")
    parser.add_argument("texts", type=Path, nargs="+", help=f"{TEXT_FILES} (.xz or plain)")
    parser.add_argument("out", type=Path, help="a .jsonl.xz file of questions")
    parser.add_argument("--minutes", type=float, default=5.0, help="ask for so long")
    parser.add_argument("--batch", type=int, default=384, help=f"passages at a time, {COPIES} questions each")
    a = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    teacher = load_teacher(a.teacher, "eager").to(device)
    tokenizer = tokenizer_of(a.tokenizer)
    documents = []
    for file in a.texts:
        texts = [passages_of(text) for text in read_texts(file)]
        documents += [[p for text in texts for p in text]] if ".jsonl" in file.suffixes else texts
    with lzma.open(a.out, "wt", encoding="utf-8", preset=1) as file:
        kept = 0
        for row in ask(teacher, tokenizer, documents, a.minutes, a.batch):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            kept += 1
    print(f"{kept} kept")


if __name__ == "__main__":
    main()
