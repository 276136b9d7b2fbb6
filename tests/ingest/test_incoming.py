"""An exported file that a stranger made: rows come in, and nothing else; what is no library's is refused in a line."""

import gc
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ingest import Embedder, Library
from ingest.errors import LibraryError
from ingest.store import backup, schema
from ingest.store.backup import export_library, import_library
from tests.ingest.conftest import three_documents

ENDLESS = """with recursive n(i) as (select 1 union all select i + 1 from n)
    select i as id, '' as sha256, '' as loader, '' as text, '{}' as layout from n"""


@pytest.fixture(scope="module")
def exported(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("exported")
    with Library.open(place / "library", embedder, create=True) as library:
        library.add([three_documents(place / "folder")])
        export_library(library.directory, place / "good.octavo")
    return place / "good.octavo"


@pytest.fixture
def crafted(exported: Path, tmp_path: Path) -> Callable[..., Path]:
    """Makes an exported file whose database went through some SQL, and whose members are some others' beside."""

    def make(sql: str = "", *, drop: str = "", values: tuple[object, ...] = (), members: dict[str, bytes] | None = None) -> Path:
        place = tmp_path / "crafting"
        shutil.rmtree(place, ignore_errors=True)
        with zipfile.ZipFile(exported) as archive:
            archive.extractall(place)
        database = place / "library.sqlite3"
        with closing(sqlite3.connect(database)) as connection:
            connection.create_function("spaced", 1, str, deterministic=True)
            connection.executescript(f"drop table if exists {drop};" if drop else "")
            connection.execute(sql, values) if values else connection.executescript(sql)
            connection.commit()
        data = {"library.sqlite3": database.read_bytes(), **(members or {})}
        manifest = {"directory": "/elsewhere", "sha256": {name: hashlib.sha256(value).hexdigest() for name, value in data.items()}}
        with zipfile.ZipFile(tmp_path / "crafted.octavo", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, value in {**data, "octavo.json": json.dumps(manifest).encode()}.items():
                archive.writestr(name, value)
        return tmp_path / "crafted.octavo"

    return make


def _refused(file: Path, says: str) -> None:
    target = file.parent / "new"
    with pytest.raises(LibraryError, match=says) as raised:
        import_library(file, target)
    assert not target.exists() and not list(file.parent.glob(".*")) and raised.value.hint


@pytest.mark.parametrize(
    ("drop", "sql"),
    [
        ("documents", f"create view documents as {ENDLESS}"),
        ("facts", "create virtual table facts using fts5 (name, value)"),
        ("files", ""),
        ("chunks", "create table chunks (id, document, char_start, char_end, heading, header, vector as (abs(-1)))"),
        ("places", "create view places as select 1 as document, 1 as page, 0 as start, x'' as runs"),
        ("", "pragma user_version = 1"),
        ("", "pragma user_version = 99"),
    ],
)
def test_what_is_no_plain_table_of_a_library_is_refused(drop: str, sql: str, crafted: Callable[..., Path]) -> None:
    _refused(crafted(sql, drop=drop), "its database is no library's")


@pytest.mark.parametrize(
    "sql",
    [
        "update chunks set char_end = 100000",
        "update chunks set char_start = -1",
        "update chunks set char_start = 'here'",
        "update documents set text = x'ff00'",
        "update documents set layout = '[1]'",
        'update documents set layout = \'{"pages": [[0, "one"]]}\'',
        "update documents set layout = '{\"headings\": 5}'",
        "update documents set layout = '{\"notes\": [{}]}'",
        "update files set path = x'00', reason = x'01' where document = 1",
        "update vectors set vector = substr(vector, 1, 10) where number = 2",
        "insert into places values (1, 1, 0, x'')",
        "update documents set layout = '{\"pages\": [[0, 1]]}' where id = 1; insert into places values (1, 1, 0, 'here')",
        "update documents set layout = '{\"pages\": [[0, 1]]}' where id = 1; insert into places values (1, 1, 0, x'0001ff')",
    ],
)
def test_a_value_that_no_library_has_is_refused(sql: str, crafted: Callable[..., Path]) -> None:
    _refused(crafted(sql), "database is no library's")


def test_rows_come_in_and_neither_schema_nor_ids_nor_spans_that_do_not_fit(
    crafted: Callable[..., Path], tmp_path: Path, embedder: Embedder
) -> None:
    file = crafted(
        "create table extra (a); create trigger t after delete on files begin delete from documents; end;"
        "update chunks set text = 'a forged text', key = 'forged' || id; update documents set chars = 7"
    )
    import_library(file, tmp_path / "new")
    with closing(schema.connect(tmp_path / "new")) as connection:
        assert not connection.execute("select name from sqlite_master where name in ('extra', 't')").fetchall()
    with Library.open(tmp_path / "new", embedder) as new:
        assert new.verify().ok and len(new.documents()) == 3 and not new.words("forged", 1)
        assert new.dense("oats", 1)[0].chunk.text.startswith("# Barges")
        assert all(not hit.chunk.id.startswith("forged") for hit in new.words("oats honey wheat", 3))


def test_a_vector_that_is_none_waits_for_the_embedder(crafted: Callable[..., Path], tmp_path: Path, embedder: Embedder) -> None:
    none = np.full(384, np.nan, np.float16).tobytes()
    import_library(crafted("update vectors set vector = ? where number = 1", values=(none,)), tmp_path / "new")
    with Library.open(tmp_path / "new", embedder) as new:
        assert new.status()["waiting_for_vectors"] == 1
        new.verify(repair=True)
        assert len(new.dense("oats", 5)) == 3


def test_vectors_of_another_length_are_told(crafted: Callable[..., Path], tmp_path: Path, embedder: Embedder) -> None:
    import_library(crafted("update vectors set vector = substr(vector, 1, 64)"), tmp_path / "new")
    with Library.open(tmp_path / "new") as new, pytest.raises(Exception, match="another length") as raised:
        new.dense("oats", 1)
    assert "reembed" in raised.value.hint  # type: ignore[attr-defined]


def test_an_embedder_that_is_not_set_here_is_not_taken_over(crafted: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    file = crafted("update facts set value = 'attacker-org/some-embedder' where name = 'embedder_name'")
    _refused(file, "attacker-org/some-embedder.*not set here")
    monkeypatch.setenv("OCTAVO_EMBEDDER", "attacker-org/some-embedder")
    import_library(file, file.parent / "new")


def test_what_would_not_fit_the_disk_is_not_unpacked(crafted: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = crafted(members={"files/zeros.txt": bytes(30_000_000)})
    assert file.stat().st_size < 200_000
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(backup.shutil, "disk_usage", lambda _: usage._replace(free=20_000_000))
    _refused(file, "MB are free")


def test_a_list_of_files_that_is_a_bomb_is_not_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.octavo", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("octavo.json", b" " * (80 << 20))
    _refused(tmp_path / "bomb.octavo", "too long")


@pytest.mark.parametrize("manifest", ["[]", "{}", '{"sha256": [1]}', '{"sha256": {"library.sqlite3": 5}}', "[" * 100_000, '"text"', "null"])
def test_a_list_of_files_that_is_none_is_refused(manifest: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "odd.octavo", "w") as archive:
        archive.writestr("octavo.json", manifest)
        archive.writestr("library.sqlite3", b"")
    _refused(tmp_path / "odd.octavo", "(not an exported library|damaged)")


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C as a terminal has it: what a shell starts in the background ignores it, and a callback swallows it that runs when garbage
    of other tests is collected."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.disable()
    yield
    gc.enable()
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_an_import_that_is_slow_inside_sqlite(crafted: Callable[..., Path], tmp_path: Path) -> None:
    made = "with recursive n(i) as (select 10 union all select i + 1 from n where i < 3000) select"
    file = crafted(  # without an index, each of 3,000 documents looks at all of 300,000 chunks, which are none's
        "drop index chunks_by_document; drop trigger chunk_added; pragma foreign_keys = off;"
        f"insert into documents (id, sha256, loader, text, chars, layout, added) {made} i, i, 'text', 'text', 4, '{{}}', '' from n;"
        f"insert into files {made} '/made-up/' || i, '', '', i, '', '' from n;"
        f"insert into chunks (key, document, char_start, char_end, heading, text) {made} i || ':' || j, 0, 0, 4, '', 'text' from n,"
        " (with recursive m(j) as (select 1 union all select j + 1 from m where j < 100) select j from m)"
    )
    threading.Timer(0.7, os.kill, [os.getpid(), signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        import_library(file, tmp_path / "new")
    assert not (tmp_path / "new").exists() and not list(tmp_path.glob(".*"))


def test_what_is_exported_is_closed_to_other_accounts(library: Library, tmp_path: Path) -> None:
    export_library(library.directory, tmp_path / "backup.octavo")
    assert (tmp_path / "backup.octavo").stat().st_mode & 0o777 == 0o600
