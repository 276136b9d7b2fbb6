"""Questions that nobody wrote: a tuned teacher asks about running text, and those that it then answers as it meant are kept.

    python data/starter/recipe/ask.py TEACHER_RUN TOKENIZER.gguf TEXT.txt.xz... OUT.jsonl.xz [--minutes 5]

The teacher must have learnt to ask (`model.train.tune --ask`). A student reads each of these questions once, so that it can't
learn them by heart. After Puri et al., "Training question answering models from synthetic data" (arXiv 2002.09599).
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
from model.save.export import check_new
from model.tokenizer import Tokenizer
from model.train.data import TEXT_FILES, plain_errors, read_texts, tokenizer_of
from model.train.examples import Prompts, pad
from model.train.teacher import Teacher, load_teacher
from passages import enumerations, nearest, passages_of, tables_of

MAX_NEW_TOKENS = 48
"""Of an answer and its question together."""
TOP_K = 40
MIN_ANSWER_PROBABILITY = 0.2
"""That the teacher must give to the whole answer that it meant."""
SHORT_ANSWER = 8
"""Tokens up to which that holds; the probability of a longer answer is brought to this length."""
SAMPLES_PER_PASSAGE = 4
"""In one batch."""

Asked = tuple[int, str, str]
"""(number of a passage, answer, question)"""


def given_answers(passage: str, rng: random.Random) -> list[str]:
    """Answers that a teacher seldom asks for of itself: what a passage enumerates, the cells of a table."""
    if not passage.startswith("|"):
        return enumerations(passage)
    cells = [cell.strip() for line in passage.splitlines()[2:] for cell in line.strip("|").split("|")]
    fit = [cell for cell in cells if 0 < len(cell) <= 60]
    return rng.sample(fit, min(len(fit), SAMPLES_PER_PASSAGE))


def short_tables(text: str) -> list[str]:
    """The tables of a text, the longer ones without their last rows."""
    tables = (t for t in tables_of(text) if len(t.partition("\n")[0]) < 300)
    return [t if len(t) <= 1200 else t[: t.rindex("\n", 0, 1200)] for t in tables]


@torch.inference_mode()
def sample(teacher: Teacher, prompts: Tensor, has_answer: Tensor, end_id: int, newline_id: int) -> Tensor:
    """Continues prompts (B, T), left-padded with 0, by (B, up to MAX_NEW_TOKENS) sampled tokens.

    Answers are drawn at temperature 1, for variety, the questions to them, which follow a newline, at 0.5. `has_answer` (B,) says
    which prompts end with the answer already.
    """
    past, ids, sampled = None, prompts, torch.empty((len(prompts), 0), dtype=torch.long, device=prompts.device)
    for n in range(MAX_NEW_TOKENS):
        mask = F.pad(prompts != 0, (0, n), value=True)
        out = teacher.model(input_ids=ids, attention_mask=mask, past_key_values=past, use_cache=True)
        past = out.past_key_values
        temperature = torch.where((sampled == newline_id).any(1, keepdim=True) | has_answer[:, None], 0.5, 1.0)
        logits, top = (teacher.logits(out.last_hidden_state[:, -1]) / temperature).topk(TOP_K)
        ids = top.gather(1, torch.multinomial(logits.softmax(-1), 1))
        sampled = torch.cat((sampled, ids), 1)
        if n % 8 == 7 and bool((sampled == end_id).any(1).all()):
            break
    return sampled


def parse(text: str, passage: str, given: str = "") -> tuple[str, str] | None:
    """(answer, question), where the text has that form and the answer was given or stands in the passage."""
    answer, _, question = (part.strip() for part in text.partition("\n"))
    held = answer == given or answer in passage or answer in ("yes", "no")
    fits = 0 < len(answer) <= 240 and 3 <= len(question.split()) <= 30 and "\n" not in question
    return (answer, question) if held and fits and re.fullmatch(r"[^\x00-\x1f]+", question) else None


@torch.inference_mode()
def round_trip_filter(teacher: Teacher, prompts: Prompts, asked: list[Asked], tokens: int = 65_536) -> Iterator[Asked]:
    """Those whose answer the teacher itself is likely to give when it is asked about the passage."""
    device = teacher.head.device
    pairs = [(prompts.question(question, [n]), prompts.target_ids(grounded.answer(answer, 1))) for n, answer, question in asked]
    order = sorted(range(len(pairs)), key=lambda i: sum(map(len, pairs[i])))
    while order:
        length = sum(map(len, pairs[order[-1]]))
        batch = [order.pop() for _ in range(min(len(order), max(1, tokens // length)))]
        ids, labels = (torch.from_numpy(a).to(device) for a in pad([pairs[i] for i in batch], length))
        at = labels >= 0
        logprobs = torch.zeros(labels.shape, device=device)
        logprobs[at] = -F.cross_entropy(teacher.logits(teacher.hidden(ids)[at]), labels[at], reduction="none")
        likely = (logprobs.sum(1) / (at.sum(1) / SHORT_ANSWER).clamp(min=1)).exp() >= MIN_ANSWER_PROBABILITY
        yield from (asked[i] for i, kept in zip(batch, likely.tolist(), strict=True) if kept)


def length_batches(numbers: list[int], length: Callable[[int], int], tokens: int) -> list[list[int]]:
    """Numbers of passages of like length, so many together that the samples of all have at most `tokens` tokens."""
    batches: list[list[int]] = []
    for number in sorted(numbers, key=length):
        if not batches or (len(batches[-1]) + 1) * SAMPLES_PER_PASSAGE * (length(number) + MAX_NEW_TOKENS) > tokens:
            batches.append([])
        batches[-1].append(number)
    return batches


def generate_questions(
    teacher: Teacher, tokenizer: Tokenizer, passages: list[str], prompts: Prompts, minutes: float, tokens: int, rng: random.Random
) -> set[Asked]:
    """Lets the teacher ask about the passages, in any order, until `minutes` are over."""
    asking = [prompts.ask(number) for number in range(len(passages))]
    answers = [given_answers(passage, rng) for passage in passages]
    fit = [n for n, passage in enumerate(passages) if answers[n] or not passage.startswith("|")]
    batches = length_batches(fit, lambda n: len(asking[n]), tokens)
    rng.shuffle(batches)
    asked, began, count = set[Asked](), time.monotonic(), 0
    newline_id, end_id = tokenizer.encode("\n")[0], tokenizer.end_of_turn_id
    for batch in itertools.cycle(batches):
        if time.monotonic() - began > 60 * minutes:
            break
        batch = batch * SAMPLES_PER_PASSAGE
        given = [rng.choice(answers[n]) if answers[n] and (passages[n].startswith("|") or rng.random() < 0.5) else "" for n in batch]
        rows = [asking[n] + (tokenizer.encode(f" {answer}\n") if answer else []) for n, answer in zip(batch, given, strict=True)]
        longest = max(map(len, rows))
        padded = torch.tensor([[0] * (longest - len(row)) + row for row in rows], device=teacher.head.device)
        has_answer = torch.tensor([bool(answer) for answer in given], device=padded.device)
        sampled = sample(teacher, padded, has_answer, end_id, newline_id).tolist()
        count += len(sampled)
        for n, answer, ids in zip(batch, given, sampled, strict=True):
            if end_id in ids:
                text = tokenizer.decode(ids[: ids.index(end_id)])
                if pair := parse(f"{answer}\n{text}" if answer else text, passages[n], answer):
                    asked.add((n, *pair))
    print(f"{count} drawn, {len(asked)} are questions, {time.monotonic() - began:.0f} s", flush=True)
    return asked


def ask(
    teacher: Teacher, tokenizer: Tokenizer, documents: list[list[str]], minutes: float, tokens: int, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """Questions about the documents' passages that are worth keeping, each with passages of its document that don't answer it."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    place = {passage: document for document in documents for passage in document}
    passages, prompts = list(place), Prompts(list(place), tokenizer)
    asked = generate_questions(teacher, tokenizer, passages, prompts, minutes, tokens, rng)
    for number, answer, question in sorted(round_trip_filter(teacher, prompts, sorted(asked))):
        gold, kind = passages[number], "yesno" if answer in ("yes", "no") else "asked"
        others = [p for p in nearest(question, place[gold], rng) if p != gold and (kind == "yesno" or answer not in p)][:6]
        distractors = rng.sample(others, min(len(others), rng.choice((0, 1, 2, 3, 3, 4, 5))))
        row = {"question": question, "contexts": [gold], "answers": [answer], "distractors": distractors}
        yield {**row, "kind": kind, "source": "made", "once": kind == "asked"}


@plain_errors()
def main() -> None:
    parser = argparse.ArgumentParser(description="Let a tuned teacher ask about running text.")
    parser.add_argument("teacher", type=Path, help="the folder of a run of model.train.tune --ask")
    parser.add_argument("tokenizer", type=Path, help="the GGUF file whose tokenizer it uses")
    parser.add_argument("texts", type=Path, nargs="+", help=f"{TEXT_FILES} (.xz or plain)")
    parser.add_argument("out", type=Path, help="a .jsonl.xz file of questions")
    parser.add_argument("--minutes", type=float, default=5.0, help="ask for so long")
    parser.add_argument("--tokens", type=int, default=400_000, help="tokens of prompts at a time")
    a = parser.parse_args()
    check_new(a.out)
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
