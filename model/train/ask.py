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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from model import grounded
from model.tokenizer import Tokenizer
from model.train.data import TEXT_FILES, plain_errors, read_texts, tokenizer_of
from model.train.examples import Prompts, pad
from model.train.passages import enumerations, nearest, passages_of, tables_of
from model.train.teacher import Teacher, load_teacher

LONGEST = 48
"""Tokens of an answer and its question."""
LIKELIEST = 40
"""Tokens among which one is drawn."""
LEAST = 0.2
"""How likely the teacher must find the whole answer that was meant."""
SHORT = 8
"""Tokens of an answer up to which it must be as likely as that; a longer one may be less so, by its length."""
COPIES = 4
"""Questions drawn about a passage at a time."""

Asked = tuple[int, str, str]
"""(number of a passage, answer, question)"""


def answers_wanted(passage: str, rng: random.Random) -> list[str]:
    """Answers that a teacher left to itself seldom asks for: what a passage enumerates, the cells of a table."""
    if not passage.startswith("|"):
        return enumerations(passage)
    cells = [cell.strip() for line in passage.splitlines()[2:] for cell in line.strip("|").split("|")]
    fit = [cell for cell in cells if 0 < len(cell) <= 60]
    return rng.sample(fit, min(len(fit), COPIES))


def short_tables(text: str) -> list[str]:
    """The tables of a text, the longer ones without their last rows."""
    tables = (t for t in tables_of(text) if len(t.partition("\n")[0]) < 300)
    return [t if len(t) <= 1200 else t[: t.rindex("\n", 0, 1200)] for t in tables]


@torch.inference_mode()
def write(teacher: Teacher, prompts: Tensor, answered: Tensor, ends: int, newline: int) -> Tensor:
    """Continues prompts (B, T), padded with 0 before them, by (B, up to LONGEST) tokens.

    Answers are drawn freely, for variety, the questions to them with more care; `answered` (B,) says where the answer is given.
    """
    past, ids, said = None, prompts, torch.empty((len(prompts), 0), dtype=torch.long, device=prompts.device)
    for n in range(LONGEST):
        seen = F.pad(prompts != 0, (0, n), value=True)
        out = teacher.model(input_ids=ids, attention_mask=seen, past_key_values=past, use_cache=True)
        past = out.past_key_values
        heat = torch.where((said == newline).any(1, keepdim=True) | answered[:, None], 0.5, 1.0)
        likely, which = (teacher.logits(out.last_hidden_state[:, -1]) / heat).topk(LIKELIEST)
        ids = which.gather(1, torch.multinomial(likely.softmax(-1), 1))
        said = torch.cat((said, ids), 1)
        if n % 8 == 7 and bool((said == ends).any(1).all()):
            break
    return said


def parse(said: str, passage: str, given: str = "") -> tuple[str, str] | None:
    """The answer and the question, where they are in the form that was learnt and the passage holds the answer, if none was given."""
    answer, _, question = (part.strip() for part in said.partition("\n"))
    held = answer == given or answer in passage or answer in ("yes", "no")
    fits = 0 < len(answer) <= 240 and 3 <= len(question.split()) <= 30 and "\n" not in question
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
        likely = (chance.sum(1) / (at.sum(1) / SHORT).clamp(min=1)).exp() >= LEAST
        yield from (asked[i] for i, kept in zip(batch, likely.tolist(), strict=True) if kept)


def turns_of(numbers: list[int], length: Callable[[int], int], tokens: int) -> list[list[int]]:
    """Numbers of passages of like length, so many together that COPIES prompts of each have at most `tokens` tokens."""
    turns: list[list[int]] = []
    for number in sorted(numbers, key=length):
        if not turns or (len(turns[-1]) + 1) * COPIES * (length(number) + LONGEST) > tokens:
            turns.append([])
        turns[-1].append(number)
    return turns


def draw(
    teacher: Teacher, tokenizer: Tokenizer, passages: list[str], prompts: Prompts, minutes: float, tokens: int, rng: random.Random
) -> set[Asked]:
    """Lets the teacher ask for `minutes`, about the passages in any order."""
    asking = [prompts.ask(number) for number in range(len(passages))]
    wanted = [answers_wanted(passage, rng) for passage in passages]
    fit = [n for n, passage in enumerate(passages) if wanted[n] or not passage.startswith("|")]
    turns = turns_of(fit, lambda n: len(asking[n]), tokens)
    rng.shuffle(turns)
    asked, began, drawn = set[Asked](), time.monotonic(), 0
    newline, ends = tokenizer.encode("\n")[0], tokenizer.end_of_turn_id
    for turn in itertools.cycle(turns):
        if time.monotonic() - began > 60 * minutes:
            break
        turn = turn * COPIES
        given = [rng.choice(wanted[n]) if wanted[n] and (passages[n].startswith("|") or rng.random() < 0.5) else "" for n in turn]
        rows = [asking[n] + (tokenizer.encode(f" {answer}\n") if answer else []) for n, answer in zip(turn, given, strict=True)]
        longest = max(map(len, rows))
        padded = torch.tensor([[0] * (longest - len(row)) + row for row in rows], device=teacher.head.device)
        answered = torch.tensor([bool(answer) for answer in given], device=padded.device)
        for n, answer, ids in zip(turn, given, write(teacher, padded, answered, ends, newline).tolist(), strict=True):
            drawn += 1
            if ends in ids:
                said = tokenizer.decode(ids[: ids.index(ends)])
                if pair := parse(f"{answer}\n{said}" if answer else said, passages[n], answer):
                    asked.add((n, *pair))
    print(f"{drawn} drawn, {len(asked)} are questions, {time.monotonic() - began:.0f} s", flush=True)
    return asked


def ask(
    teacher: Teacher, tokenizer: Tokenizer, documents: list[list[str]], minutes: float, tokens: int, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """Questions about the documents' passages that are worth keeping."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    place = {passage: document for document in documents for passage in document}
    passages, prompts = list(place), Prompts(list(place), tokenizer)
    asked = draw(teacher, tokenizer, passages, prompts, minutes, tokens, rng)
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
    parser.add_argument("--tokens", type=int, default=400_000, help="tokens of prompts at a time")
    a = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    teacher = load_teacher(a.teacher, "eager").to(device)
    tokenizer = tokenizer_of(a.tokenizer)
    documents = []
    for file in a.texts:
        texts = list(read_texts(file))
        passages = [passages_of(text) for text in texts]
        documents += [[p for text in passages for p in text]] if ".jsonl" in file.suffixes else passages
        documents.append([table for text in texts for table in short_tables(text)])
    with lzma.open(a.out, "wt", encoding="utf-8", preset=1) as file:
        kept = 0
        for row in ask(teacher, tokenizer, documents, a.minutes, a.tokens):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            kept += 1
    print(f"{kept} kept")


if __name__ == "__main__":
    main()
