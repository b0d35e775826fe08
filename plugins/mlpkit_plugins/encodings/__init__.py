"""Encodings of columns of numbers."""
