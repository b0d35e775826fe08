"""Checks of components of every kind."""
