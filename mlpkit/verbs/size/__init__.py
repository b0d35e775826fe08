"""Show how much room runs take on the disk."""
