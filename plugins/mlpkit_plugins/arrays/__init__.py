"""Arrays of examples, shared by the data sets that read them."""
