"""Built-in callbacks, one a file."""
