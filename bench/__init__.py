"""Measurements. Rule: each figure is a ratio to a baseline of the same run; medians, because machines are noisy."""
