"""How Sphinx makes the documentation's site of the pages; ``docs/build.py`` has it made."""
