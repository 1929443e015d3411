"""Checkpoints signed over the record, evidence bundles built from it, and erasure of its contents."""
