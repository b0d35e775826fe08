"""Mathematical functions that several components share, one per file."""
