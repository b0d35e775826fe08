"""Look into a past step of a run."""
