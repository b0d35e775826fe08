"""Splits of the examples of a data set into training, validation and testing."""
