"""List runs, and compare them."""
