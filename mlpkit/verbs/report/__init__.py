"""Write a page about a run."""
