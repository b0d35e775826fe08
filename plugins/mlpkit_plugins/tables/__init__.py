"""Tables of named columns: what the data sets that read them share."""
