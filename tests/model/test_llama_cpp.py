"""The starter in llama.cpp, as it ships and as it is exported: a second implementation reads the same file and says the same."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from model import load_model
from model.load.sources import starter_file
from model.save.export import export_model

pytestmark = pytest.mark.slow

PROMPT = "Question: When was the mill built?\n\n[1] The mill at Brook was built in 1641 by Agnes.\n\nQuestion: When was the mill built?"


@pytest.mark.parametrize(("exported", "most"), [(False, 0.02), (True, 0.001)])
def test_llama_cpp_reads_the_file_alike(exported: bool, most: float, tmp_path: Path) -> None:
    llama_cpp = pytest.importorskip("llama_cpp", reason="pip install 'octavo[slow]'")
    file = starter_file()
    if exported:  # through a folder, in bfloat16
        export_model("starter", tmp_path / "folder")
        export_model(tmp_path / "folder", file := tmp_path / "starter.gguf")
    ours = load_model(file, device="cpu", dtype=torch.float32)
    theirs = llama_cpp.Llama(str(file), n_ctx=512, logits_all=True, verbose=False)
    ids = ours.tokenizer.chat([("user", PROMPT)])
    text = "The mill at Brook, café, 1641.\n\nTwo  spaces"
    assert theirs.tokenize(text.encode(), add_bos=False, special=False) == ours.tokenizer.encode(text)
    theirs.eval(ids)
    a = ours.forward(torch.tensor([ids]))[0].log_softmax(-1)
    b = torch.from_numpy(np.array(theirs.scores[: len(ids)])).log_softmax(-1)
    assert (a.exp() * (a - b)).sum(-1).mean() < most
    steps = [t.id for t in ours.generate(ids, 12)]
    answer = theirs.create_completion(ids, max_tokens=12, temperature=0)["choices"][0]["text"]
    assert answer.strip() == ours.tokenizer.decode(steps).strip()
    assert math.isfinite(float(b.max()))
