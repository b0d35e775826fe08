"""Built-in initializers, one a file."""
