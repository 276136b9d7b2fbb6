"""What is exported is opened by others, and says what the model said."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from gguf import GGUFReader
from hypothesis import given
from hypothesis import strategies as st

from model import load_model
from model.errors import SourceError
from model.load.sources import read_checkpoint
from model.save import folder
from model.save.export import export_model
from model.save.gguf import pieces_of
from model.tokenizer import Tokenizer
from tests.model.conftest import oracle, tokenizer_json
from tests.model.tiny import a_gemma_2


def with_runs() -> str:
    """The tests' tokenizer, with the merge that makes its piece of two spaces, as Gemma's has them."""
    data = json.loads(tokenizer_json())
    data["model"]["merges"].insert(0, ["\u2581", "\u2581"])
    return json.dumps(data)


TEXT = "the bus  at\n\n<table>the a é 漢 <end_of_turn>"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One model in bfloat16 as a folder and, with its numbers, as a GGUF file."""
    place, network = tmp_path_factory.mktemp("save"), oracle().bfloat16()
    network.save_pretrained(place / "folder", max_shard_size="200KB")
    (place / "folder" / "tokenizer.json").write_text(with_runs(), encoding="utf-8")
    (place / "folder" / "README.md").write_text("---\nlicense: gemma\n---\n# Mine\n")
    (place / "folder" / "secret.txt").write_text("not the model's")
    a_gemma_2(place / "one.gguf", network.float())
    return place


IDS = torch.randint(0, 320, (2, 40), generator=torch.Generator().manual_seed(0))


def logits(source: Path) -> torch.Tensor:
    return load_model(source, device="cpu", dtype=torch.float32).forward(IDS)


@torch.no_grad()
def theirs(directory: Path) -> torch.Tensor:
    from transformers import AutoModelForCausalLM

    network: Any = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager")
    return network.eval()(IDS).logits


@pytest.mark.parametrize("source", ["folder", "one.gguf"])
@pytest.mark.parametrize("out", ["new", "new.gguf"])
def test_each_form_becomes_each_and_says_the_same(
    source: str, out: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "_SHARD", 100_000)
    size = export_model(place / source, tmp_path / out)
    assert torch.equal(logits(tmp_path / out), logits(place / source))
    files = [tmp_path / out] if out.endswith(".gguf") else list((tmp_path / out).iterdir())
    assert size == sum(file.stat().st_size for file in files)
    assert [file.name for file in tmp_path.iterdir()] == [out]
    before, after = (load_model(at, device="cpu").tokenizer for at in (place / source, tmp_path / out))
    assert before.encode(TEXT) == after.encode(TEXT)
    assert before.chat([("user", TEXT)]) == after.chat([("user", TEXT)])


@pytest.mark.parametrize("source", ["folder", "one.gguf"])
def test_transformers_opens_the_folder_and_computes_the_same(
    source: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoTokenizer

    monkeypatch.setattr(folder, "_SHARD", 100_000)
    export_model(place / source, tmp_path / "new")
    assert len(list((tmp_path / "new").glob("model-*-of-*.safetensors"))) > 1
    assert (theirs(tmp_path / "new") - logits(place / source)).abs().max() <= 1e-4
    tokenizer: Any = AutoTokenizer.from_pretrained(tmp_path / "new")
    ours = load_model(place / source, device="cpu").tokenizer
    text = TEXT.replace("<end_of_turn>", "")  # there, it is a control token
    assert tokenizer(text)["input_ids"] == [ours.bos_id, *ours.encode(text)]
    assert tokenizer("<end_of_turn>")["input_ids"] == [ours.bos_id, ours.end_of_turn_id]


def test_weights_keep_their_type_and_papers_go_along(place: Path, tmp_path: Path) -> None:
    export_model(place / "folder", tmp_path / "new")
    assert {tensor.dtype for _, tensor in read_checkpoint(tmp_path / "new").tensors()} == {torch.bfloat16}
    assert (tmp_path / "new" / "README.md").read_text() == (place / "folder" / "README.md").read_text()
    assert not (tmp_path / "new" / "secret.txt").exists()
    export_model(place / "folder", tmp_path / "new.gguf")
    fields = GGUFReader(tmp_path / "new.gguf").fields
    assert fields["general.license"].contents() == "gemma"
    kinds = {tensor.tensor_type.name for tensor in GGUFReader(tmp_path / "new.gguf").tensors}
    assert kinds == {"BF16", "F32"}


def test_the_starter_becomes_a_folder_that_knows_how_it_is_asked(tmp_path: Path) -> None:
    export_model("starter", tmp_path / "starter")
    before, after = read_checkpoint("starter"), read_checkpoint(tmp_path / "starter")
    assert after.config == before.config and after.card == {**after.card, **{k: before.card[k] for k in ("name", "license", "prompt")}}
    assert (tmp_path / "starter" / "model.safetensors").stat().st_mode == (tmp_path / "starter" / "config.json").stat().st_mode
    assert "ai.google.dev/gemma/terms" in (tmp_path / "starter" / "NOTICE").read_text()
    text = "The mill at Brook was built in 1641.\n\nTwo  spaces, café 漢"
    assert after.tokenizer.encode(text) == before.tokenizer.encode(text)


def test_nothing_is_written_over_and_nothing_is_left_of_what_failed(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("there", "there.gguf"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(SourceError, match=rf"{name}: exists already"):
            export_model(place / "folder", tmp_path / name)
        assert (tmp_path / name).read_text() == "mine"
    with pytest.raises(SourceError, match="no such folder to write into"):
        export_model(place / "folder", tmp_path / "none" / "out")
    oracle(query_pre_attn_scalar=8).save_pretrained(tmp_path / "other")
    (tmp_path / "other" / "tokenizer.json").write_text(tokenizer_json(), encoding="utf-8")
    with pytest.raises(SourceError, match="can't say its query_pre_attn_scalar of 8"):
        export_model(tmp_path / "other", tmp_path / "new.gguf")
    with monkeypatch.context() as full, pytest.raises(SourceError, match=r"new: takes 0\.0 GB, and 0\.0 GB are free there"):
        full.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=1000))
        export_model(place / "folder", tmp_path / "new")
    shard = sorted((tmp_path / "other").glob("*.safetensors"))[0]
    shard.write_bytes(shard.read_bytes()[:-100])
    for name in ("new", "new.gguf"):
        with pytest.raises(SourceError):
            export_model(tmp_path / "other", tmp_path / name)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["other", "there", "there.gguf"]


def test_a_tokenizer_that_sentencepiece_could_not_say_is_refused() -> None:
    data = json.loads(tokenizer_json())
    data["model"]["vocab"]["he"] = len(data["model"]["vocab"])
    data["model"]["merges"].append(["h", "e"])  # then "t" + "he" would make "the" as well, but is no merge
    with pytest.raises(SourceError, match=r"^here: a GGUF file can't say its tokenizer's merges"):
        pieces_of(Tokenizer.from_json(json.dumps(data)), 400, "here")


@given(st.text(alphabet="the abus<>_\n é漢", max_size=30))
def test_a_vocabulary_as_pieces_encodes_any_text_alike(text: str) -> None:
    from model.load.gguf import build_tokenizer

    before = Tokenizer.from_json(with_runs())
    after = build_tokenizer(*pieces_of(before, 320, "here"), "here")
    assert after.encode(text) == before.encode(text)
