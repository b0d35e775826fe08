"""What shows a training while it runs: lines, a screen, JSON, a table in a notebook."""
