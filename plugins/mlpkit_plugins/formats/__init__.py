"""Readers of file formats that several data sets share; ``name`` is a file's name in messages."""
