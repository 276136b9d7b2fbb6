"""Any order of adding, changing, removing, renaming, copying, restarting and verifying ends as a plain dict says."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from ingest import Embedder, Library
from tests.ingest.invariants import check

# of one suffix: the same bytes read by two loaders are two documents; folders too, so that a file may take a folder's place
NAMES = st.sampled_from(
    ["anchors.txt", "barley.txt", "sub.txt/candles.txt", "sub.txt/deep.txt/donkeys.txt", "engines.txt", "sub.txt", "sub.txt/deep.txt"]
)
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
    """`disk` is what the folder holds, `held` what the library must hold: paths below the folder and their texts; `removed` are paths
    that were taken out, and stay out until an add names them."""

    embedder: Embedder

    @initialize(texts=st.lists(TEXTS, min_size=3, max_size=3))
    def begin(self, texts: list[str]) -> None:
        self._home = tempfile.TemporaryDirectory()
        self._folder = Path(self._home.name).resolve() / "folder"
        self._folder.mkdir()
        self.disk: dict[str, str] = {}
        self.held: dict[str, str] = {}
        self.removed: set[str] = set()
        self._library = self._open()
        self._verified = True
        for name, text in zip(["anchors.txt", "sub.txt/candles.txt", "sub.txt/deep.txt/donkeys.txt"], texts, strict=True):
            self.write(name, text)
        self.write_many()

    def _open(self) -> Library:
        return Library.open(Path(self._home.name) / "library", self.embedder, create=True)

    @rule(data=st.data(), kinds=st.lists(st.sampled_from(["delete", "rename", "copy", "write"]), min_size=2, max_size=4), then=THEN)
    def change(self, data: st.DataObject, kinds: list[str], then: str) -> None:
        """Some changes on disk, which may hit what was changed just before; then an add, mostly."""
        for kind in kinds:
            old = data.draw(st.sampled_from(sorted(self.disk)))
            if kind == "delete" and len(self.disk) > 1:
                self.delete(old)
                continue
            new = data.draw(NAMES)
            if kind == "rename":
                moving, text = Path(self._home.name) / "moving", self.disk[old]
                (self._folder / old).rename(moving)
                (self._folder / old).touch()
                self.delete(old)
                self.make_way(new)
                moving.rename(self._folder / new)
                self.disk[new] = text
            else:
                self.write(new, self.disk[old] if kind == "copy" else data.draw(TEXTS))
        if then == "add all":
            self.add()
        if then == "add one":
            self.add_one_file(data.draw(st.sampled_from(sorted(self.disk))))

    @rule(folder=st.sampled_from(["sub.txt", "sub.txt/many.txt"]), text=TEXTS)
    def replace_a_folder_by_a_file_and_the_other_way(self, folder: str, text: str) -> None:
        self.write(folder, text)
        self.add()
        self.write_many()
        self.add()

    def write_many(self) -> None:
        """A folder of so many documents that it would keep them if it were found empty."""
        for number in range(10):
            self.write(f"sub.txt/many.txt/{number}.txt", f"Chart {number} shows the shoals of bay {number * 7}.")

    def write(self, name: str, text: str) -> None:
        self.make_way(name)
        (self._folder / name).write_text(text)
        self.disk[name] = text

    def make_way(self, name: str) -> None:
        """Takes away a folder that has a file's name, and files where its folders have to be."""
        path = self._folder / name
        above = [place for place in path.parents if place.is_relative_to(self._folder)]
        for place in [path] * path.is_dir() + [place for place in above if place.is_file()]:
            self.delete(str(place.relative_to(self._folder)))
        path.parent.mkdir(parents=True, exist_ok=True)

    def delete(self, name: str) -> None:
        """A file, or a folder with all below it; folders that are empty then go too."""
        path = self._folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        for other in [other for other in self.disk if other == name or other.startswith(name + "/")]:
            del self.disk[other]
        while path.parent != self._folder and not any(path.parent.iterdir()):
            path = path.parent
            path.rmdir()

    def add(self) -> None:
        self._verified = False
        counts = self._library.add([self._folder]).counts
        wanted = {name: text for name, text in self.disk.items() if name not in self.removed}
        same = sum(self.held.get(name) == text for name, text in wanted.items())
        assert counts == {
            "added": len(wanted.keys() - self.held.keys()),
            "unchanged": same,
            "replaced": len(wanted.keys() & self.held.keys()) - same,
            "removed": len(self.held.keys() - wanted.keys()),
            "skipped": len(self.disk) - len(wanted),
            "failed": 0,
        }
        self.held = wanted
        check(self._library, self._expected())

    def add_one_file(self, name: str) -> None:
        assert self._library.add([self._folder / name]).ok
        for below in [other for other in self.held if other.startswith(name + "/")]:  # it was a folder
            del self.held[below]
        self.held[name] = self.disk[name]
        self.removed.discard(name)
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
        self.removed.update(names)
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
        assert {document.path for document in self._library.removed()} == {str(self._folder / name) for name in self.removed}

    def _expected(self) -> dict[str, str]:
        return {str(self._folder / name): text for name, text in self.held.items()}

    def teardown(self) -> None:
        self.add()
        assert self._library.add([self._folder]).counts["unchanged"] == len(self.held)
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
