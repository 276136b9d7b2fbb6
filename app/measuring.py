"""The commands that measure: `octavo eval`, `octavo calibrate` and `octavo bench`; mounted by cli.py.

Tables go to stdout, how far it is to stderr.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from app.options import Json, Library, Model
from ingest.terminal import is_terminal, print_json, say

Questions = Annotated[Path, typer.Argument(help="Lines of id, question and answers ([] where there is none).", metavar="QUESTIONS.jsonl")]
Asked = Annotated[str | None, typer.Option("--library", help="Ask this library; without it, each row's contexts.", metavar="NAME")]
_SHOWN = 8
"""Ids of changed answers that the table names, of a kind."""


def evaluate(
    files: Annotated[
        list[Path],
        typer.Argument(help="QUESTIONS.jsonl; with --compare: two PREDICTIONS.jsonl; with --retrieval: CORPUS.jsonl QUERIES.jsonl."),
    ],
    library: Asked = None,
    model: Model = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write predictions here; what it holds already is not asked again.", metavar="PREDICTIONS.jsonl"),
    ] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Compare two files of predictions.")] = False,
    retrieval: Annotated[bool, typer.Option("--retrieval", help="Measure retrieval alone.")] = False,
    json: Json = False,
) -> None:
    """Measure answers on a file of questions.

    Answers, refusals, citations and retrieval, each figure with its 95 % interval.
    """
    if compare and retrieval:
        raise typer.BadParameter("--compare and --retrieval don't go together")
    if len(files) != (2 if compare or retrieval else 1):
        raise typer.BadParameter("give two files with --compare or --retrieval, else one file of questions")
    if compare:
        from rag.compare import compare as compared

        _show(compared(files[0], files[1]), json, _comparison)
    elif retrieval:
        from rag.evaluate import evaluate_retrieval

        _show(evaluate_retrieval(files[0], files[1], Counted("queries")), json, _stages)
    else:
        from rag.evaluate import evaluate_answers

        try:
            figures = evaluate_answers(files[0], library, model, out, Counted("questions"))
        except KeyboardInterrupt:
            kept = f"{out} holds what was answered, and the same command goes on" if out else "with --out FILE the same command would go on"
            say(f"stopped: {kept}", err=True)
            raise typer.Exit(130) from None
        _show(figures, json, _figures)


def calibrate(questions: Questions, library: Asked = None, model: Model = None, json: Json = False) -> None:
    """Fit to your own questions when Octavo refuses.

    It refuses below a threshold; some of the questions must have an answer and some none.

    Risk is the share of wrong answers among those given, coverage the share of the answerable questions that are answered.

    The threshold is chosen on every other question and judged on the rest. Nothing is changed: where it does better there, the last line
    is for .env.
    """
    from rag.calibrate import calibrate as fitted

    _show(fitted(questions, library, model, Counted("questions")), json, _thresholds)


bench = typer.Typer(help="Measure how quick this machine is.", no_args_is_help=True)


@bench.command(name="model")
def bench_model(
    model: Annotated[
        str, typer.Option("--model", help="A model, or 2b, 9b or 27b for random weights of that shape.", metavar="M")
    ] = "starter",
    context: Annotated[int, typer.Option(help="Tokens of the prompt.", min=2)] = 2000,
    tokens: Annotated[int, typer.Option(help="Tokens of the answer.", min=2)] = 64,
    rounds: Annotated[int, typer.Option(help="Times that each is run; the best counts.", min=1)] = 3,
    together: Annotated[int, typer.Option(help="Also this many answers at once.", min=0, max=16)] = 0,
    compare: Annotated[Literal["transformers", "llama.cpp"] | None, typer.Option(help="Run in turns with ours.")] = None,
    quantize: Annotated[Literal["int8", "int4"] | None, typer.Option(help="Pack the weights.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda.")] = "auto",
    dtype: Annotated[str, typer.Option(help="auto, bfloat16, float32.")] = "auto",
    json: Json = False,
) -> None:
    """Reading a prompt and writing an answer, beside what this machine's memory and arithmetic allow. The last line is JSON."""
    from model.bench import bench as run

    figures = run(
        model,
        device=device,
        dtype=dtype,
        quantize=quantize,
        context=context,
        tokens=tokens,
        rounds=rounds,
        together=together,
        compare=compare,
        tell=lambda line: say(line, err=True),
    )
    if not json:
        say(f"{figures['device']}: {figures['ceilings']['gb_s']} GB/s, {figures['ceilings']['tflop_s']} TFLOP/s")
        for name in filter(None, ("ours", compare)):
            f = figures[name]
            say(
                f"{name:12} prompt {f['prefill_tok_s']:,.0f} tokens/s ({f['prefill_tflop_s']} TFLOP/s, {f['prefill_share']:.0%}), "
                f"answer {f['decode_tok_s']:,.1f} tokens/s ({f['decode_gb_s']} GB/s, {f['decode_share']:.0%})"
            )
        if together:
            say(f"{together} together  {figures['together']['tok_s']:,.0f} tokens/s, {figures['together']['times_one']} times one")
        if compare:
            say(f"{'times':12} prompt {figures['ratios']['prefill']}, answer {figures['ratios']['decode']}")
    print_json(figures)


@bench.command(name="ask")
def bench_ask(
    questions: Annotated[Path, typer.Argument(help="Lines with a question.", metavar="QUESTIONS.jsonl")],
    library: Library = "default",
    model: Model = None,
    json: Json = False,
) -> None:
    """Questions, stage by stage: finding, reading, deciding, generating. The last line is JSON."""
    from rag.bench import STAGES
    from rag.bench import bench as run

    figures = run(questions, library, model, lambda line: say(line, err=True))
    if not json:
        say(f"{figures['processor']}, {figures['cores']} cores, {figures['threads']} threads, load {figures['load']}")
        say(f"{'ms':10}{'median':>10}{'p95':>10}{'first':>10}")
        for stage in STAGES:
            say(f"{stage:10}{figures[stage]['p50_ms']:10.1f}{figures[stage]['p95_ms']:10.1f}{figures['first_ms'][stage]:10.1f}")
    print_json(figures)


@bench.command(name="ingest")
def bench_ingest(
    folder: Annotated[Path, typer.Argument(help="A folder of PDFs.")],
    rounds: Annotated[int, typer.Option(help="Times that each is run; the best counts.", min=1)] = 2,
    json: Json = False,
) -> None:
    """PDFs into a library, beside the usual LangChain recipe on the same files. The last line is JSON."""
    from ingest.bench.ingest import bench as run

    figures = run(folder, rounds, lambda line: say(line, err=True))
    if not json:
        for name in ("octavo", "recipe"):
            say(f"{name:8} " + "  ".join(f"{key} {value}" for key, value in figures[name].items()))
    print_json(figures)


@bench.command(name="search")
def bench_search(
    chunks: Annotated[int, typer.Option(help="Passages in the library that is made up.", min=1000)] = 100_000,
    questions: Annotated[int, typer.Option(help="Questions asked of it.", min=20)] = 200,
    json: Json = False,
) -> None:
    """Searching a large library, all of it and within some documents. The last line is JSON."""
    from ingest.bench.search import bench as run

    print_json(run(chunks, questions, lambda line: say(line, err=True)))


class Counted:
    """How far it is, at what rate and how long it will take, on stderr: in place on a terminal, else every half minute."""

    def __init__(self, what: str) -> None:
        self._what, self._next = what, 0.0
        self._first: tuple[int, float] | None = None
        """How many were done, and when, as it was first told: what was kept took no time, and the first question pays for loading."""

    def __call__(self, done: int, total: int) -> None:
        now, terminal = time.monotonic(), is_terminal(sys.stderr)
        self._first = self._first or (done, now)
        if now < self._next and done < total:
            return
        self._next = now + (0.2 if terminal else 30)
        line = f"{done:,} of {total:,} {self._what}{_speed(done - self._first[0], now - self._first[1], total - done)}"
        print(f"\r\x1b[K{line}" if terminal else line, end="" if terminal and done < total else "\n", file=sys.stderr, flush=True)


def _speed(asked: int, seconds: float, still: int) -> str:
    if not asked or seconds < 1:
        return ""
    left = still * seconds / asked
    rate = f"{asked / seconds:.1f} a second" if asked >= seconds else f"{seconds / asked:.1f} s each"
    return f", {rate}, {f'{left:.0f} s' if left < 100 else f'{left / 60:.0f} min'} left"


def _show(figures: Mapping[str, Any], json: bool, table: Any) -> None:
    if json:
        print_json(figures)
    else:
        table(figures)
    for failed in (figures.get("failed") or [])[:1]:
        say(f"{len(figures['failed'])} could not be asked, the first of them {failed['id']}: {failed['error']}", err=True)


def _figures(figures: Mapping[str, Any]) -> None:
    say(f"{figures['questions']} questions, {figures['s_per_question']} s each" + (f"; {figures['kept']} kept" if figures["kept"] else ""))
    intervals = figures["intervals"]
    for name in figures:
        if name in intervals:
            say(f"{name:24}{figures[name]:8.4f}  {_range(intervals[name])}")
        elif figures[name] is None:
            say(f"{name:24}{'-':>8}")
    if figures["library_changed"]:
        say("the library changed while it was asked", err=True)


def _stages(figures: Mapping[str, Any]) -> None:
    say(f"{figures['queries']} queries")
    for stage, intervals in figures["intervals"].items():
        say(f"{stage:10}" + "  ".join(f"{name} {figures[stage][name]:.4f} {_range(interval)}" for name, interval in intervals.items()))


def _comparison(found: Mapping[str, Any]) -> None:
    say(f"{found['compared']} questions compared")
    for side, name in (("only_before", "the first"), ("only_after", "the second")):
        if found[side]:
            say(f"{len(found[side])} of {name} file are not compared, the other hasn't the same question and answers: {_ids(found[side])}")
    for name, (before, after) in found["parts"].items():
        say(f"{name:24}{before} -> {after}")
    if not found["parts"]:
        say("both were made by the same parts over the same documents")
    say(f"{'':24}{'before':>8}{'after':>8}{'change':>9}")
    for name, figure in found["figures"].items():
        if figure is None:
            say(f"{name:24}{'-':>8}")
            continue
        verdict = "none changed" if not figure["changed"] else "within chance" if figure["within_chance"] else "beyond chance"
        say(
            f"{name:24}{figure['before']:8.4f}{figure['after']:8.4f}{figure['difference']:+9.4f}  "
            f"{_range(figure['interval'], '+')}  {verdict}"
        )
    for kind, ids in found["changed"].items():
        say(f"{kind:24}{len(ids):8}  {_ids(ids)}")
    if found["reworded"]:
        say(f"{'the same in other words':24}{len(found['reworded']):8}  {_ids(found['reworded'])}")


def _thresholds(found: Mapping[str, Any]) -> None:
    say(f"{'threshold':>9}{'risk':>8}{'coverage':>10}{'unanswerable refused':>22}")
    for row in found["table"]:
        mark = "  <- chosen" if row["threshold"] == found["threshold"] else ""
        say(f"{row['threshold']:9.2f}{row['risk']:8.3f}{row['coverage']:10.3f}{row['unanswerable_refused']:22.3f}{mark}")
    now = found["current"]["threshold"]
    if found["threshold"] is None:
        say("no threshold lowers the risk on these questions: leave it as it is")
    else:
        say(f"chosen: {found['rule']}")
        say(f"on the half that it was chosen on: {_half(found['fitted'])}")
        say(f"on the other half: {_half(found['judged'])}")
        say(f"{now:g}, which is set now, on the other half: {_half(found['current'])}")
        if not found["setting"]:
            say(f"on the other half it is no better than {now:g}: leave it as it is")
    if found["warning"]:
        say(found["warning"], err=True)
    if found["setting"]:
        say(f"To use it, write this line into .env: {found['setting']}")


def _half(done: Mapping[str, Any]) -> str:
    parts = [f"{name.replace('_', ' ')} {done[name]:.3f} {_range(done['intervals'][name])}" for name in done["intervals"]]
    return "; ".join(parts)


def _range(interval: Sequence[float], sign: str = "") -> str:
    low, high = interval
    return f"[{low:{sign}.3f}, {high:{sign}.3f}]"


def _ids(ids: Sequence[Any]) -> str:
    return ", ".join(map(str, ids[:_SHOWN])) + (f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else "")
