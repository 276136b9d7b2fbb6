"""Any order of adding, changing, removing, renaming, copying, restarting and verifying ends as a plain dict says."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from ingest import Embedder, Library
from tests.ingest.invariants import check

# of one suffix: the same bytes read by two loaders are two documents
NAMES = st.sampled_from(["anchors.txt", "barley.txt", "sub/candles.txt", "sub/deep/donkeys.txt", "engines.txt"])
THEN = st.sampled_from(["add all", "add all", "add one", "nothing"])
TEXTS = st.sampled_from(
    [
        "The tide mill grinds wheat with four pairs of French stones.",
        "# Barges\n\nA barge brought oats to the quay each Friday.",
        "The hives behind the granary gave 31 kg of honey.",
        "Lamps are lit at dusk by the keeper of the northern pier.",
        "Eels pass the weir in May, on nights without a moon.",
        "\n\n".join(f"Bell {n} of the tower was cast in {1500 + n} from the bronze of cannon {n * 7}." for n in range(20)),
        "\n\n".join(f"Shelf {n} of the library holds {n * 3} atlases bound in red leather." for n in range(20)),
    ]
)


class LibraryMachine(RuleBasedStateMachine):
    """`disk` is what the folder holds, `held` what the library must hold: paths below the folder and their texts."""

    embedder: Embedder

    @initialize(texts=st.lists(TEXTS, min_size=3, max_size=3))
    def begin(self, texts: list[str]) -> None:
        self._home = tempfile.TemporaryDirectory()
        self._folder = Path(self._home.name).resolve() / "folder"
        self._folder.mkdir()
        self.disk: dict[str, str] = {}
        self.held: dict[str, str] = {}
        self._library = self._open()
        self._verified = True
        for name, text in zip(["anchors.txt", "sub/candles.txt", "sub/deep/donkeys.txt"], texts, strict=True):
            self.write(name, text)

    def _open(self) -> Library:
        return Library.open(Path(self._home.name) / "library", self.embedder, create=True)

    @rule(data=st.data(), kinds=st.lists(st.sampled_from(["delete", "rename", "copy", "write"]), min_size=2, max_size=4), then=THEN)
    def change(self, data: st.DataObject, kinds: list[str], then: str) -> None:
        """Some changes on disk, which may hit what was changed just before; then an add, mostly."""
        for kind in kinds:
            old = data.draw(st.sampled_from(sorted(self.disk))) if self.disk else ""
            if kind == "delete" and old:
                (self._folder / old).unlink()
                del self.disk[old]
                continue
            new = data.draw(NAMES)
            if kind == "rename" and old:
                (self._folder / new).parent.mkdir(parents=True, exist_ok=True)
                (self._folder / old).rename(self._folder / new)
                self.disk[new] = self.disk.pop(old)
            else:
                self.write(new, self.disk[old] if kind == "copy" and old else data.draw(TEXTS))
        if then == "add all":
            self.add()
        if then == "add one" and self.disk:
            self.add_one_file(data.draw(st.sampled_from(sorted(self.disk))))

    def write(self, name: str, text: str) -> None:
        (self._folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self._folder / name).write_text(text)
        self.disk[name] = text

    def add(self) -> None:
        self._verified = False
        counts = self._library.add([self._folder]).counts
        same = sum(self.held.get(name) == text for name, text in self.disk.items())
        assert counts == {
            "added": len(self.disk.keys() - self.held.keys()),
            "unchanged": same,
            "replaced": len(self.disk.keys() & self.held.keys()) - same,
            "removed": len(self.held.keys() - self.disk.keys()),
            "skipped": 0,
            "failed": 0,
        }
        self.held = dict(self.disk)
        check(self._library, self._expected())

    def add_one_file(self, name: str) -> None:
        assert self._library.add([self._folder / name]).ok
        self.held[name] = self.disk[name]
        self._verified = False

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        """A file, or a folder with all below it."""
        what = data.draw(st.sampled_from(sorted({*self.held, *(name.partition("/")[0] for name in self.held)})))
        names = [name for name in self.held if name == what or name.startswith(what + "/")]
        assert self._library.remove(self._folder / what) == len(names)
        for name in names:
            del self.held[name]
        self._verified = False

    @rule()
    def restart(self) -> None:
        self._library.close()
        self._library = self._open()

    @precondition(lambda self: not self._verified)
    @rule()
    def verify(self) -> None:
        self._verified = True
        report = self._library.verify()
        assert report.ok and report.documents == len(self.held)
        assert bool(report.notes) == any(self.disk.get(name) != text for name, text in self.held.items())

    @invariant()
    def it_holds_what_it_should(self) -> None:
        assert [document.path for document in self._library.documents()] == sorted(self._expected())
        assert self._library.status()["index_current"]

    def _expected(self) -> dict[str, str]:
        return {str(self._folder / name): text for name, text in self.held.items()}

    def teardown(self) -> None:
        self.add()
        assert self._library.add([self._folder]).counts["unchanged"] == len(self.disk)
        self._library.close()
        self._home.cleanup()


@pytest.fixture
def machine(embedder: Embedder) -> Iterator[type[LibraryMachine]]:
    LibraryMachine.embedder = embedder
    yield LibraryMachine


def test_the_library_follows_any_order_of_changes(machine: type[LibraryMachine]) -> None:
    """An add starts a process to build the index: so there are few runs, of a few steps, and a failing one isn't shrunk."""
    few = max(4, settings().max_examples // 20)
    run_state_machine_as_test(
        machine, settings=settings(settings(), phases=[Phase.generate], max_examples=few, stateful_step_count=2 * few)
    )
