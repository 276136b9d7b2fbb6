"""Gemma 2 on a CPU by our own C: made for the processor it runs on, and in the place of the torch network where that can be.

Torch needs some 300 calls for a token, and makes plain numbers of packed weights before it multiplies them. A step of few tokens is
one call here, and reads the weights as they are stored; so is each product of a long text, but for plain weights where there are no
tiles: there torch is as fast as the processor allows.
"""

from model.native.build import library
from model.native.runner import Runner, runs

__all__ = ["Runner", "library", "runs"]
