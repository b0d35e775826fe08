"""Built-in initializers, one per file."""
