"""The command line: one module a verb, and the only part that prints."""
