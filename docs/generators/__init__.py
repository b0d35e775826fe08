"""The parts that ``generate.py`` writes into the pages, one kind per module."""
