"""Encodings of columns of categories."""
