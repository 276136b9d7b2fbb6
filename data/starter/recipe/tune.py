"""Tuning on answers that change in their passages from epoch to epoch: `python -m model.train.tune`, and `swap.SwapAnswers`."""

from model.train import tune
from swap import SwapAnswers

if __name__ == "__main__":
    tune.main(augment=SwapAnswers)
