"""Files that a spec names, and files that are written."""
