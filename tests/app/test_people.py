"""Names with passwords: the file, the command that writes it, and the door that asks for them."""

import getpass
import io
import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app import login, people
from app.login import IN, OUT, WAIT, WRONG, LoginDoor, Sessions, visitor
from app.people import OWNER, Person
from ingest import IngestError, Library
from ingest.store.conversations import Conversations
from tests.app.conftest import Run
from tests.conftest import ROOT

pytestmark = pytest.mark.enable_socket
ADAS, BOBS = "correct horse", "battery staple"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An OCTAVO_HOME of its own, where nobody is named yet."""
    monkeypatch.setenv("OCTAVO_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def two(own: Path) -> Path:
    """Ada, the owner, and Bob."""
    people.put("Ada", ADAS)
    people.put("Bob", BOBS)
    return own


def typed(monkeypatch: pytest.MonkeyPatch, *passwords: str) -> None:
    coming = iter(passwords)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(getpass, "getpass", lambda prompt: next(coming))


# The file and the command


def test_the_file_is_its_owners_alone_and_holds_no_password(two: Path) -> None:
    file = two / "people"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [line.partition(":")[0] for line in file.read_text().splitlines()] == ["Ada", "Bob"]
    assert ADAS not in file.read_text() and list(two.iterdir()) == [file]
    assert people.passwords()["Ada"].is_(ADAS) and not people.passwords()["Ada"].is_(BOBS)


def test_the_same_password_is_kept_as_two_different_lines(own: Path) -> None:
    people.put("Ada", ADAS)
    people.put("Bob", ADAS)
    first, second = (line.split(":")[1:] for line in (own / "people").read_text().splitlines())
    assert not set(first) & set(second)


def test_a_password_with_accents_is_the_same_however_it_is_typed(own: Path) -> None:
    people.put("Ada", "cafe\u0301 cafe\u0301")
    assert people.passwords()["Ada"].is_("caf\xe9 caf\xe9")


@pytest.mark.parametrize("name", ["", "a:b", "two\nlines", " Ada", "x" * 41, "../x", "<b>"])
def test_a_name_that_the_file_could_not_hold_is_refused(own: Path, name: str) -> None:
    with pytest.raises(IngestError, match="can't be a name"):
        people.put(name, ADAS)
    assert not (own / "people").exists()


@pytest.mark.parametrize("text", ["", "Ada", "Ada:00", "Ada:zz:00", "Ada:00:00\n\n", ":00:00", "\xff"])
def test_a_file_that_is_damaged_lets_nobody_in(own: Path, text: str) -> None:
    (own / "people").write_text(text, encoding="latin-1")
    with pytest.raises(IngestError, match="people, line"):
        people.passwords()


def test_people_are_added_listed_and_taken_away(octavo: Run, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "nobody: the page is opened by its token" in octavo("people").out
    typed(monkeypatch, ADAS, ADAS, BOBS, BOBS, "one of mine", "another one")
    assert octavo("people", "add", "Ada").out == "Ada (owner)\n"
    assert json.loads(octavo("people", "add", "Bob", "--json").out) == {
        "people": [{"name": "Ada", "owner": True}, {"name": "Bob", "owner": False}]
    }
    ran = octavo("people", "add", "Eve")
    assert (ran.code, ran.err.splitlines()[0]) == (2, "error: the two passwords differ")
    assert octavo("people", "remove", "Ada").err == "error: Ada is the owner\nhint: take the others away first\n"
    assert octavo("people", "remove", "Bob").out == "Ada (owner)\n"
    assert octavo("people", "remove", "Ada").code == 0 and not (own / "people").exists()


def test_the_commands_of_the_how_to_do_what_it_says(octavo: Run, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = re.findall(r"^octavo (people.*)", (ROOT / "docs" / "shared-machine.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert commands == ["people add Ada", "people add Bob", "people", "people remove Bob"]
    said = []
    for command in commands:
        monkeypatch.setattr("sys.stdin", io.StringIO("a long password\n"))
        said.append(octavo(*command.split()).out)
    assert said == ["Ada (owner)\n", "Ada (owner)\nBob\n", "Ada (owner)\nBob\n", "Ada (owner)\n"]
    assert people.passwords()["Ada"].is_("a long password")


@pytest.mark.parametrize("args", [["add"], ["remove"], ["invite", "Ada"]])
def test_a_half_command_is_a_mistake(octavo: Run, own: Path, args: list[str]) -> None:
    assert octavo("people", *args).code == 2


def test_who_is_taken_away_takes_their_conversations_along_and_no_others(octavo: Run, two: Path) -> None:
    directory = two / "libraries" / "work"
    Library.open(directory, create=True).close()
    for key in ("", "Bob", "Eve"):
        Conversations(directory, key).ask(f"A question of {key or 'the owner'}'s")
    assert octavo("people", "remove", "Bob").code == 0
    assert [len(Conversations(directory, key).all()) for key in ("", "Bob", "Eve")] == [1, 0, 1]
    assert b"question of Bob" not in (directory / "conversations.sqlite3").read_bytes()


# The door


def whoever(request: Request) -> PlainTextResponse:
    found = visitor(request.cookies)
    return PlainTextResponse(f"{found.name}, {found.is_owner}" if found else "nobody")


@pytest.fixture
def door(two: Path) -> Iterator[TestClient]:
    """A page that says who asks, behind the door; redirects are not followed."""
    login.sessions.cache_clear()
    opened = login.sessions()
    assert opened
    app = LoginDoor(Starlette(routes=[Route("/{path:path}", whoever)]), opened, 8501)
    with TestClient(app, base_url="http://127.0.0.1:8501", follow_redirects=False) as client:
        yield client
    login.sessions.cache_clear()


def enter(door: TestClient, name: str, password: str) -> int:
    return door.post(IN, data={"name": name, "password": password}).status_code


def test_nothing_but_the_form_is_answered_before_somebody_logs_in(door: TestClient) -> None:
    assert "<form" in door.get("/").text and door.get("/").status_code == 401
    for path in ("/_stcore/health", "/octavo/shelf", "/static/js/index.js", "/media/1.png"):
        told = door.get(path)
        assert (told.status_code, told.text) == (403, "Log in first.")
    assert door.post("/anything").status_code == 403
    assert door.get("/", headers={"cookie": "octavo-8501=guessed"}).status_code == 401


def test_name_and_password_open_it_with_a_cookie_that_no_script_and_no_other_site_gets(door: TestClient) -> None:
    told = door.post(IN, data={"name": "Ada", "password": ADAS})
    assert (told.status_code, told.headers["location"]) == (303, "/")
    cookie, *rules = told.headers["set-cookie"].lower().split("; ")
    assert cookie.startswith("octavo-8501=") and {"httponly", "samesite=strict", "path=/"} <= set(rules)
    assert door.get("/").text == "Ada, True"
    assert enter(door, "Bob", BOBS) == 303 and door.get("/").text == "Bob, False"


def test_a_wrong_name_and_a_wrong_password_are_told_alike_and_tried_alike(door: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[bytes] = []
    real = people._hash
    monkeypatch.setattr(people, "_hash", lambda password, salt: hashed.append(salt) or real(password, salt))  # type: ignore[func-returns-value]
    told = [door.post(IN, data={"name": name, "password": "wrong"}) for name in ("Ada", "Eve")]
    assert [answer.status_code for answer in told] == [403, 403] and all(WRONG in answer.text for answer in told)
    assert told[0].text.replace("Ada", "Eve") == told[1].text and len(hashed) == 2


def test_a_name_has_to_wait_after_wrong_passwords_whether_it_is_known_or_not(door: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Ada", "Eve"):
        for _ in range(5):
            assert enter(door, name, "wrong") == 403
        assert WAIT in door.post(IN, data={"name": name, "password": ADAS}).text
    assert enter(door, "Bob", BOBS) == 303
    monkeypatch.setattr(login, "_WITHIN", 0.0)
    assert enter(door, "Ada", ADAS) == 303


def test_logging_out_ends_the_session_whoever_kept_its_cookie(door: TestClient) -> None:
    enter(door, "Ada", ADAS)
    kept = door.cookies["octavo-8501"]
    assert door.get(OUT).headers["location"] == "/"
    assert "octavo-8501" not in door.cookies
    assert door.get("/", headers={"cookie": f"octavo-8501={kept}"}).status_code == 401


def test_a_new_password_and_being_taken_away_end_a_session(door: TestClient) -> None:
    enter(door, "Bob", BOBS)
    people.put("Bob", "another password")
    assert door.get("/").status_code == 401
    enter(door, "Bob", "another password")
    assert door.get("/").text == "Bob, False"
    people.remove("Bob")
    assert door.get("/").status_code == 401


@pytest.mark.parametrize("header", [{"host": "evil.example"}, {"origin": "https://evil.example"}, {"origin": "null"}])
def test_another_sites_page_can_neither_try_a_password_nor_use_the_cookie(door: TestClient, header: dict[str, str]) -> None:
    assert door.post(IN, data={"name": "Ada", "password": ADAS}, headers=header).status_code == 403
    enter(door, "Ada", ADAS)
    assert door.get("/", headers=header).status_code == 403


def test_what_is_typed_is_shown_as_text_and_too_much_is_refused(door: TestClient) -> None:
    told = door.post(IN, data={"name": '"><script>x</script>$name', "password": ""})
    assert "<script>" not in told.text and "&lt;script&gt;x&lt;/script&gt;$name" in told.text
    assert door.post(IN, data={"name": "Ada", "password": "x" * 5000}).status_code == 403
    assert "frame-ancestors 'none'" in told.headers["content-security-policy"]


def test_where_nobody_is_named_whoever_came_in_by_the_token_is_the_owner(own: Path) -> None:
    login.sessions.cache_clear()
    assert visitor({}) is OWNER and OWNER.key == ""
    assert Person("Ada", True).key == "" and Person("Bob", False).key == "Bob"
    assert Sessions().who({"octavo-8501": "x"}) is None
    login.sessions.cache_clear()
