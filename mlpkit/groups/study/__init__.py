"""A study: runs of any specs that belong together, in a folder with notes on them."""
