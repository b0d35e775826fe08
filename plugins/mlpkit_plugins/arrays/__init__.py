"""Arrays of examples: what the data sets that read them share."""
