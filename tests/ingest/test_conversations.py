"""What was asked and answered is kept, for each its own, through crashes and many writers, and forgets what was removed."""

import subprocess
import sys
from pathlib import Path

import pytest

from ingest import Library
from ingest.errors import LibraryError
from ingest.store.backup import export_library, import_library
from ingest.store.conversations import FILE, REMOVED, Conversations, forget, opened
from ingest.store.incoming import copy_conversations


def source(path: str, text: str = "secret words") -> dict[str, object]:
    return {"path": path, "text": text, "quote": [{"kind": "text", "runs": [[text, True]]}], "boxes": [1]}


def test_a_conversation_is_named_after_its_first_question_renamed_and_deleted(tmp_path: Path) -> None:
    kept = Conversations(tmp_path)
    conversation, first = kept.ask("How  much\nis it?", ["/a.txt"])
    assert kept.ask("And now?", conversation=conversation)[0] == conversation
    kept.put(first, {"text": "45p"}, "done")
    assert [(c.id, c.title) for c in kept.all()] == [(conversation, "How much is it?")]
    assert [(t.question, t.within, t.state) for t in kept.turns(conversation)] == [
        ("How  much\nis it?", ["/a.txt"], "done"),
        ("And now?", [], "asking"),
    ]
    assert [turn.question for turn in kept.turns(conversation, kept.last(conversation))] == ["And now?"]
    kept.rename(conversation, "Fees")
    assert kept.all()[0].title == "Fees"
    kept.delete(conversation)
    assert kept.all() == [] and kept.turns(conversation) == [] and kept.last(conversation) == 0
    assert kept.ask("x" * 100, conversation=conversation)[0] != conversation
    assert kept.all()[0].title == "x" * 79 + "…"


def test_titles_questions_and_answers_are_searched_as_they_are(tmp_path: Path) -> None:
    kept = Conversations(tmp_path)
    _, turn = kept.ask("About 100% of it_")
    kept.put(turn, {"text": "A parrot's name"}, "done")
    kept.ask("Else")
    assert [[c.title for c in kept.all(words)] for words in ("PARROT", "100%", "it_", "%", "_", "zebra", "\\")] == [
        ["About 100% of it_"], ["About 100% of it_"], ["About 100% of it_"], ["About 100% of it_"], ["About 100% of it_"], [], [],
    ]  # fmt: skip


def test_nobody_sees_or_changes_anothers(tmp_path: Path) -> None:
    ada, bob = Conversations(tmp_path, "ada"), Conversations(tmp_path, "bob")
    conversation, _ = ada.ask("Mine")
    assert bob.all() == [] and bob.turns(conversation) == [] and bob.last(conversation) == 0
    bob.rename(conversation, "Stolen")
    bob.delete(conversation)
    assert bob.ask("Joined?", conversation=conversation)[0] != conversation
    assert [c.title for c in ada.all()] == ["Mine"] and len(ada.turns(conversation)) == 1


WRITER = """
import sys
from pathlib import Path
from ingest.store.conversations import Conversations
kept = Conversations(Path(sys.argv[1]))
for number in range(40):
    conversation, turn = kept.ask(f"{sys.argv[2]} {number}")
    kept.put(turn, {"text": sys.argv[2]}, "done")
if sys.argv[2] == "crash":
    kept.put(kept.ask("crash at last")[1], {"text": "It is"}, "asking")
    import os, signal
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_two_processes_write_at_once_and_one_that_was_killed_leaves_its_answer_cut(tmp_path: Path) -> None:
    running = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name]) for name in ("one", "crash")]
    assert [process.wait(60) for process in running] == [0, -9]
    kept = Conversations(tmp_path)
    assert len(kept.all()) == 81
    (cut,) = kept.turns(kept.all("crash at last")[0].id)
    assert (cut.state, cut.answer) == ("cut", {"text": "It is"})
    (ours,) = kept.turns(kept.ask("Ours")[0])
    assert ours.state == "asking"


def test_a_process_that_has_the_number_of_one_that_is_gone_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Conversations(tmp_path)
    monkeypatch.setattr("ingest.store.conversations._process", lambda number: 1 << 22 | number)  # as before a restart
    conversation, _ = kept.ask("Before")
    monkeypatch.undo()
    assert [turn.state for turn in kept.turns(conversation)] == ["cut"]


def test_what_was_quoted_from_a_removed_document_is_forgotten_and_nothing_else(tmp_path: Path) -> None:
    kept = Conversations(tmp_path)
    conversation, first = kept.ask("One")
    kept.put(first, {"text": "secret words", "blocks": ["secret words"], "pointed": True, "citations": [source("/gone")]}, "done")
    _, second = kept.ask("Two", conversation=conversation)
    kept.put(
        second, {"text": "Its own [1] [2].", "citations": [source("/gone"), source("/here", "kept")], "nearest": [source("/gone")]}, "done"
    )
    _, third = kept.ask("Three", conversation=conversation)
    kept.put(third, {"text": "- secret words [1]", "mode": "summarise", "citations": [source("/gone")]}, "done")
    forget(tmp_path, ["/gone"])
    one, two, three = (turn.answer for turn in kept.turns(conversation))
    assert (three["text"], three["blocks"]) == (REMOVED, [{"kind": "text", "runs": [[REMOVED, False]]}])
    shown = [{"kind": "text", "runs": [[REMOVED, False]]}]
    assert (one["text"], one["blocks"], one["citations"][0]["removed"]) == (REMOVED, shown, True)
    assert (two["text"], [s["text"] for s in two["citations"]], two["nearest"][0]["quote"]) == ("Its own [1] [2].", [REMOVED, "kept"], [])
    assert b"secret words" not in (tmp_path / FILE).read_bytes()


def test_a_document_that_is_gone_from_the_disk_is_forgotten_by_the_next_ingest(tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    for name in ("gone.txt", "here.txt"):
        (tmp_path / "papers" / name).write_text(f"The parrot of {name} is called Quill.")
    with Library.open(tmp_path / "library", create=True) as library:
        library.add([tmp_path / "papers"])
        kept = Conversations(tmp_path / "library")
        conversation, turn = kept.ask("Who?")
        kept.put(turn, {"text": "x", "citations": [source(document.path) for document in library.documents()]}, "done")
        (tmp_path / "papers" / "gone.txt").unlink()
        library.add([tmp_path / "papers"])
    assert [cited["text"] for cited in kept.turns(conversation)[0].answer["citations"]] == [REMOVED, "secret words"]


def test_an_exported_library_brings_its_conversations_and_their_sources_along(tmp_path: Path) -> None:
    directory = tmp_path / "library"
    (directory / "files").mkdir(parents=True)
    (directory / "files" / "parrot.txt").write_text("The parrot is called Quill.")
    with Library.open(directory, create=True) as library:
        library.add([directory / "files"])
        path = library.documents()[0].path
    kept = Conversations(directory)
    conversation, turn = kept.ask("Who?", [path])
    cited = source(path) | {"marker": 1, "name": "parrot.txt", "boxes": [{"page": 1, "x0": 0.5}]}
    kept.put(turn, {"text": "Quill [1].", "citations": [cited]}, "asking")
    Conversations(directory, "bob").ask("Of Bob's")
    export_library(directory, tmp_path / "backup.zip")
    import_library(tmp_path / "backup.zip", tmp_path / "again")
    assert [[c.title for c in Conversations(tmp_path / "again", who).all()] for who in ("", "bob", "eve")] == [["Who?"], ["Of Bob's"], []]
    with Library.open(tmp_path / "again") as library:
        (brought,) = Conversations(tmp_path / "again").turns(conversation)
        there = library.documents()[0].path
        assert (brought.question, brought.within, brought.state) == ("Who?", [there], "cut")
        assert there != path and brought.answer["citations"] == [cited | {"path": there}]
        library.remove(there)
    assert Conversations(tmp_path / "again").turns(conversation)[0].answer["citations"][0]["text"] == REMOVED


@pytest.mark.parametrize(
    "answer",
    ["[1]", "{", '{"citations": [{}]}', '{"citations": 7}', '{"nearest": [{"path": 1}]}', '{"citations": [{"path": "/", "boxes": ["x"]}]}'],
)
def test_conversations_that_a_stranger_made_are_refused_in_a_line(tmp_path: Path, answer: str) -> None:
    kept = Conversations(tmp_path)
    _, turn = kept.ask("Who?")
    with opened(tmp_path / FILE) as connection:
        connection.execute("update turns set answer = ? where id = ?", (answer, turn))
    (tmp_path / "new").mkdir()
    with pytest.raises(LibraryError, match="conversations can't be"):
        copy_conversations(tmp_path / FILE, tmp_path / "new", ("/a", "/b"))


def test_verify_tells_of_damaged_conversations_and_repair_puts_them_aside(tmp_path: Path) -> None:
    with Library.open(tmp_path, create=True) as library:
        Conversations(tmp_path).ask("Who?")
        assert library.verify().ok
        (tmp_path / FILE).write_bytes(b"no database" * 1000)
        assert [problem.partition(":")[0] for problem in library.verify().problems] == ["conversations"]
        assert library.verify(repair=True).ok
    assert Conversations(tmp_path).all() == [] and (tmp_path / f"{FILE}.damaged").exists()


def test_a_damaged_file_is_a_line(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    with pytest.raises(LibraryError, match="can't be read or written"):
        Conversations(tmp_path).all()


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    Conversations(tmp_path).ask("Mine")
    assert (tmp_path / FILE).stat().st_mode & 0o77 == 0
