"""Checks of layers alone."""
