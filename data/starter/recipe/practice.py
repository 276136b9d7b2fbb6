"""Reading practice out of running text: questions whose answers the text itself gives, as many as one likes.

    python data/starter/recipe/practice.py TEXT.txt.xz QUESTIONS.jsonl.xz OUT.jsonl.xz [--blanks 120000]

- blanks: what recurs in a document is blanked in one sentence and must be found in another passage (after Splinter's recurring
  spans, arXiv 2101.00438);
- what is X: sentences that say so, answered whole; who is X: what stands beside a name between commas;
- list the ...: enumerations and bullets;
- yes or no: a sentence asked about, for a no with another number or name in it;
- cells: one cell of a table, by its row and its column.

A question's distractors are passages of the same document that don't hold the answer. The blanked sentences are read once.
"""

import argparse
import json
import lzma
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from model.save.export import check_new
from model.train.data import SENTENCE_END, plain_errors, read_texts
from passages import COMMON, SAYS_MORE, content_words, passages_of, tables_of

Row = dict[str, Any]

_SPAN = re.compile(
    r"(?<=[a-z,] )[A-Z][\w'’-]+(?:(?: of| the| and| de| von)? [A-Z][\w'’-]+){0,3}|[A-Z][\w'’-]+(?: [A-Z][\w'’-]+){1,3}"  # names
    r"|\b\d[\d,.]*\d(?: [a-z]{3,})?|\b\d(?: [a-z]{3,})"  # numbers and what is counted
    r"|\b[a-z]{4,} [a-z]{5,}\b"  # pairs of longer words
)
_NOT_NAMES = (
    "It This That There He She They These Those What Which Who If When Here We You I Each All Some Most One As In On His Her Their Its My "
    "Our Another Such Other Not Now Then And But So Usually Perhaps Nor Yet The Your Thus Only To For At By"
)
_DEFINES = re.compile(
    rf"(An? )?((?!(?:{_NOT_NAMES.replace(' ', '|')})\b)[A-Za-z][\w'’/-]+(?: [\w'’/-]+){{0,3}}) (is|are|was|were) "
    r"((?:an?|the|one of|any) [^\n]{20,240}[.])"
)
_PERSON = re.compile(
    r"\b(?:(?:grand)?(?:father|mother|son|daughter)|brother|sister|wife|husband|widow|cousin|nephew|niece|friend|aunt|uncle|m[ae]n|wom[ae]n"
    r"|boy|girl|lad(?:y|ies)|actor|actress|artist|architect|author|captain|chief|clerk|composer|director|doctor|editor|emperor|engineer"
    r"|farmer|founder|general|governor|guide|head|historian|inventor|judge|king|lawyer|leader|lieutenant|lord|manager|master|member|merchant"
    r"|minister|musician|officer|owner|painter|philosopher|physician|poet|politician|pope|president|priest|prince|princess|professor|queen"
    r"|scientist|secretary|servant|singer|soldier|surgeon|teacher|writer|\w+(?:smith|wright|man|woman|ologist|keeper|maker))s?\b"
)
_NAMED = rf"((?!(?:{_NOT_NAMES.replace(' ', '|')})\b)[A-Z][\w'’-]+(?: (?:of |de |van |von )?[A-Z][\w'’-]+){{0,3}})"
_BESIDE = re.compile(rf"(?:^|(?<=[a-z] )){_NAMED}, ((?:an?|the|our|its|his|her|their) [a-z][^,.;:()\n]{{4,90}})(?:, (?!and |or )|[.;]$)")
_BEFORE = re.compile(
    rf"(?:^|(?<=[a-z,] ))((?:[Aa]n?|[Tt]he|[Oo]ur|[Ii]ts|[Hh]is|[Hh]er) [a-z][a-z' -]{{3,50}}), {_NAMED}(?:, (?!and |or )|[.;]$)"
)
"""What a name is, said behind it and before it."""
_CLAIM = re.compile(
    r"((?:The|An?) (?:[a-z-]+ ){0,3}[a-z-]+|[A-Z][\w'’-]+(?: [A-Z][\w'’-]+){0,3}) (is|are|was|were|can|has|had|may|must|should|will) "
    r"((?!not\b)[^,;:()\n\"“]{12,110})[.]"
)
_NUMBER_OR_NAME = re.compile(r"(?<=[a-z] )(?:\d[\d,.]*\d|\d|[A-Z][a-z]+(?: [A-Z][a-z]+)*)\b")
_ITEMS = r"([^.;:()\n`*\[]{3,60}(?:, [^.;:(),\n`*\[]{2,60})+,? (?:and|or) [^.;:(),\n`*\[]{2,60})[.]$"
_LISTS = (
    (
        re.compile(r"\b[Tt]he ((?:[a-z-]+ ){0,3}[a-z-]+s) (?:are|were|include|included)(?: the)?:? " + _ITEMS),
        ("List the {}.", "What are the {}?", "Name the {}"),
    ),
    (
        re.compile(r"\b((?!(?:with|and|or|of|the|in|for|from|through|especially)\b)(?:[a-z-]{4,} )?[a-z-]{3,}s),? such as " + _ITEMS),
        ("Name some {}.", "Which {} are named?", "List the {} that are mentioned."),
    ),
    (
        re.compile(r"^((?:An?|The) (?:[\w-]+ ){0,2}[\w-]+) (?:includes|comprises|contains) " + _ITEMS),
        ("What does {} include?", "List what {} includes."),
    ),
    (re.compile(r"^((?:An?|The) (?:[\w-]+ ){0,2}[\w-]+) consists of " + _ITEMS), ("What does {} consist of?", "List what {} consists of.")),
)
"""Sentences that enumerate, and what may be asked of them."""
_BULLETS = re.compile(
    r"(?:^#+ ([A-Z][a-z]+(?: [a-z]+){0,3}s)|^[^\n|]*\b(?:following|these) ((?:[a-z-]+ ){0,3}[a-z-]+s)\b[^\n.|]*:)\n+"
    r"((?:[*-] [^\n]+\n+){2,9})",
    re.M,
)


def blanks(passages: list[str], rng: random.Random, most: int = 200) -> Iterator[Row]:
    """Sentences with something blanked that another passage of the document holds."""
    places: defaultdict[str, set[int]] = defaultdict(set)
    for number, passage in enumerate(passages):
        for found in _SPAN.finditer(passage):
            if not (found[0].islower() and set(found[0].split()) & COMMON):
                places[found[0]].add(number)
    words = [content_words(p) for p in passages]
    used: Counter[int] = Counter()
    spans = [s for s, where in places.items() if 2 <= len(where) <= 8 and len(s) > 2]
    rng.shuffle(spans)
    for span, here in [(s, here) for s in spans for here in rng.sample(sorted(places[s]), 2)]:
        sentence = next((s for s in SENTENCE_END.split(passages[here]) if span in s and 50 <= len(s) <= 300 and "\n" not in s), None)
        if used[here] == 3 or sentence is None:
            continue
        asked = content_words(sentence.replace(span, ""))
        ranked = sorted((i for i in range(len(passages)) if i != here), key=lambda i: (-len(asked & words[i]), i))
        gold = next((i for i in ranked if i in places[span]), None)
        if gold is None or len(asked & words[gold]) < 2:
            continue
        used[here] += 1
        others = [passages[i] for i in ranked if span not in passages[i]][:6]
        yield _row(sentence.replace(span, "_____"), span, passages[gold], rng.sample(others, min(len(others), 3)), "cloze")
        if used.total() == most:
            return


def definitions(passages: list[str], rng: random.Random) -> Iterator[Row]:
    for number, passage in enumerate(passages):
        for sentence in SENTENCE_END.split(passage):
            found = _DEFINES.fullmatch(sentence.strip())
            if found and sum(found[2] in p or found[2].lower() in p for p in passages) > 1:
                named, article = found[2], (found[1] or "").lower()
                plain = named if article or len(named.split()) > 1 or found[3] == "was" else named.lower()
                who = "Who" if _PERSON.search(found[4]) and len(named.split()) > 1 and not article else "What"
                asked = rng.choice([f"{who} {found[3]} {article}{plain}?"] * 3 + [f"{who.lower()} {found[3]} {plain}", f"Define {plain}."])
                yield _row(asked, sentence.strip(), passage, _beside(passages, number, rng), "definition")


def _appositions(sentence: str) -> Iterator[tuple[str, str]]:
    """(name of two words or more, what it is)"""
    for name, what in [(m[1], m[2]) for m in _BESIDE.finditer(sentence)] + [(m[2], m[1]) for m in _BEFORE.finditer(sentence)]:
        if " " in name and not SAYS_MORE.search(what) and (what.startswith(("a ", "an ")) or _PERSON.search(what)):
            yield name, what


def who_is(passages: list[str], rng: random.Random) -> Iterator[Row]:
    for number, passage in enumerate(passages):
        for name, what in (pair for sentence in SENTENCE_END.split(passage) for pair in _appositions(sentence.strip())):
            who = "who" if _PERSON.search(what) else "what"
            asked = rng.choice((f"{who} is {name}?", f"{who} was {name}?", f"{who}'s {name}?"))
            yield _row(rng.choice((asked, asked[0].upper() + asked[1:])), what, passage, _beside(passages, number, rng), "naming")


def claims(passages: list[str], rng: random.Random) -> Iterator[Row]:
    """Sentences turned into yes or no questions; for a no, a number or name gives its place to another one of the document."""
    found_in = [(n, m) for n, p in enumerate(passages) for s in SENTENCE_END.split(p) if (m := _CLAIM.fullmatch(s.strip()))]
    marks = sorted({mark for _, claim in found_in for mark in _NUMBER_OR_NAME.findall(claim[3])})
    for number, claim in found_in:
        subject, verb, rest = claim[1], claim[2], claim[3]
        subject = subject[0].lower() + subject[1:] if subject.startswith(("The ", "A ", "An ")) else subject
        if subject.split()[0] in _NOT_NAMES.split() or (verb in ("has", "had") and not re.match(r"\w+(ed|en|n|t)\b", rest)):
            continue
        mark = next(iter(_NUMBER_OR_NAME.findall(rest)), None)
        swaps = [m for m in marks if mark and m[0].isdigit() == mark[0].isdigit() and m not in passages[number]]
        if mark and swaps and rng.random() < 0.75:
            asked, answer = f"{verb} {subject} {rest.replace(mark, rng.choice(swaps), 1)}?", "no"
        elif mark or rng.random() < 0.1:
            asked, answer = f"{verb} {subject} {rest}?", "yes"
        else:
            continue
        put = rng.choice((asked, asked[0].upper() + asked[1:]))
        yield _row(put, answer, passages[number], _beside(passages, number, rng), "yesno")


def lists(text: str, passages: list[str], rng: random.Random) -> Iterator[Row]:
    for number, passage in enumerate(passages):
        for sentence in SENTENCE_END.split(passage):
            for pattern, forms in _LISTS:
                found = pattern.search(sentence.strip())
                if found and all(len(item.split()) < 7 for item in re.split(", | and | or ", found[2])):
                    named = found[1][0].lower() + found[1][1:]
                    yield _row(rng.choice(forms).format(named), found[2], passage, _beside(passages, number, rng), "list")
    for found in _BULLETS.finditer(text):
        items = [re.split(r"(?<=\w)[.:](?:\s|$)| [–-] ", line[2:])[0].strip(" *`_") for line in found[3].splitlines() if line.strip()]
        named = (found[1] or found[2]).lower()
        if all(2 < len(item) <= 60 and not set(item) & set("[`*") for item in items) and len(found[0]) < 1500:
            yield _row(rng.choice(_LISTS[0][1]).format(named), ", ".join(items), found[0].strip(), _beside(passages, None, rng), "list")


def cells(text: str, passages: list[str], rng: random.Random, most: int = 8) -> Iterator[Row]:
    """Questions about single cells of Markdown tables."""
    for lines in (found.split("\n") for found in tables_of(text)):
        table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        header, rows = table[0], table[2:]
        labels = [row[0] for row in rows]
        if not re.fullmatch(r"[|\s:-]+", lines[1]) or len(header) < 2 or not all(header) or any(len(row) != len(header) for row in rows):
            continue
        for _ in range(most):
            number, column = rng.randrange(len(rows)), rng.randrange(1, len(header))
            label, cell, named = labels[number], rows[number][column], header[column].lower()
            if labels.count(label) > 1 or not re.search("[A-Za-z]", label) or not 0 < len(cell) <= 80 or len(label) > 60:
                continue
            first = rng.randrange(max(0, number - 12), number + 1)
            kept = "\n".join([*lines[:2], *lines[2 + first : 2 + first + rng.randint(number - first + 1, number - first + 9)]])
            forms = (f"What is the {named} of {label}?", f"What was the {named} for {label}?", f"{label}: what is the {named}?")
            if len(kept) < 2400:
                yield _row(rng.choice((*forms, f"What {named} does {label} have?")), cell, kept, _beside(passages, None, rng), "table")


def _beside(passages: list[str], number: int | None, rng: random.Random) -> list[str]:
    """Up to four passages of the document, near ones where `number` says where."""
    near = passages if number is None else [p for i, p in enumerate(passages) if 0 < abs(i - number) < 8]
    return rng.sample(near, min(len(near), rng.choice((0, 1, 2, 3, 3, 4))))


def _row(question: str, answer: str, gold: str, others: list[str], kind: str) -> Row:
    distractors = [p for p in others if p != gold and (kind == "yesno" or answer not in p)]
    asked = {"question": question, "contexts": [gold], "answers": [answer], "distractors": distractors}
    return {**asked, "kind": kind, "source": "made", "once": kind == "cloze"}


def practice(texts: list[str], tables: list[str], most_blanks: int, most_others: int, seed: int = 0) -> list[Row]:
    rng = random.Random(seed)
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for text in texts:
        passages = passages_of(text)
        for row in (
            *blanks(passages, rng),
            *definitions(passages, rng),
            *who_is(passages, rng),
            *claims(passages, rng),
            *lists(text, passages, rng),
            *cells(text, passages, rng),
        ):
            rows[row["kind"]].append(row)
    for text in tables:
        rows["table"] += cells(text, rng.sample(tables, min(3, len(tables))), rng)
    limits = {"cloze": most_blanks}
    return [row for kind in sorted(rows) for row in rng.sample(rows[kind], min(len(rows[kind]), limits.get(kind, most_others)))]


@plain_errors()
def main() -> None:
    parser = argparse.ArgumentParser(description="Make reading practice out of running text.")
    parser.add_argument("text", type=Path, help="running text, documents separated by a line that is only \\x1e (.xz or plain)")
    parser.add_argument("questions", type=Path, help="questions, for their passages and tables")
    parser.add_argument("out", type=Path, help="a .jsonl.xz file of questions")
    parser.add_argument("--blanks", type=int, default=120_000)
    parser.add_argument("--others", type=int, default=12_000, help="at most so many of each other kind")
    a = parser.parse_args()
    check_new(a.out)
    asked = list(read_texts(a.questions))
    prose = [t for t in asked if not t.startswith("|")]
    texts = [*read_texts(a.text), *("\n\n".join(prose[at : at + 20]) for at in range(0, len(prose), 20))]
    rows = practice(texts, [t for t in asked if t.startswith("|")], a.blanks, a.others)
    with lzma.open(a.out, "wt", encoding="utf-8", preset=1) as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    kinds = [row["kind"] for row in rows]
    print(", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds))))


if __name__ == "__main__":
    main()
