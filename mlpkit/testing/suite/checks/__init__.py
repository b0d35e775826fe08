"""The checks: a file per kind of component, with the examples that they use, and those of several kinds."""
