"""What ``generate.py`` writes into the pages, one kind of part a module."""
