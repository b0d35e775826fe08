"""Tables of named columns, shared by the data sets that read them."""
