"""The checks: one file per kind of component, with the examples that they use, and files for several kinds."""
