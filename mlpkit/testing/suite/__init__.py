"""The conformance suite: what every component of a kind must do, asked by small checks."""
