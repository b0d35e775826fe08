"""Train a spec with many values of some keys."""
