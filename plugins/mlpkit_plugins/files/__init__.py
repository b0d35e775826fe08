"""Files that a spec names."""
