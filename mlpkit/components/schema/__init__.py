"""A constructor's signature, read as the schema of its parameters."""
