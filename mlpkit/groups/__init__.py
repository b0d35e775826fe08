"""Several runs that belong together: seeds, members of an ensemble, specs."""
