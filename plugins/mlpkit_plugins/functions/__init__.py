"""Functions of mathematics that several components share, one a file."""
