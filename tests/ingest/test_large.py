"""A million passages: searched, changed and looked over as a small library is."""

import json

import pytest

from ingest.bench.search import bench


@pytest.mark.slow
def test_a_million_passages_are_searched_and_changed() -> None:
    figures = bench(1_000_000, 200, print)
    print(json.dumps(figures))
    assert figures["recall_at_10"] >= 0.95
