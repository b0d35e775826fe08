"""A JSON Schema of specs, made from what is installed."""
