"""Check and train specs, and use what was trained."""
