"""Sweeps: many trainings of a spec, each with other values of some keys, that lose nothing if they are interrupted."""
