"""Describe a spec's data."""
