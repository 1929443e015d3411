"""How far the product goes: what things cost, a model from it, a simulation that holds the model against the product.

Rule: a cost is a ratio to a named baseline of the same run, or a number of bytes; every figure of docs/scale.md is
written by `bench/scale/document.py` from what is recorded here.
"""
