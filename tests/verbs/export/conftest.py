"""A table with all that a table may hold, and a model trained on it."""

from towns import expect_refusal, towns

__all__ = ["expect_refusal", "towns"]
