"""The conformance suite: small checks of the requirements for every component of a kind."""
