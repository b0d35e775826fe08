"""Checks of layers and losses."""
