"""Which examples of a data set are for training, for validation and for testing."""
