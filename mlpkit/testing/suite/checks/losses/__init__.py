"""Checks of losses alone."""
