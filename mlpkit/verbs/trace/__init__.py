"""Inspect a past step of a run."""
