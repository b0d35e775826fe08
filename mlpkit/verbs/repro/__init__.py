"""Reproduce a run, and compare the results."""
