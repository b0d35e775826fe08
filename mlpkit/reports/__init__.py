"""Sections of a page about a run: each is made from data alone, wherever that comes from."""
