"""Checks of initializers."""
