"""The conformance suite: small checks of what every component of a kind must do."""
