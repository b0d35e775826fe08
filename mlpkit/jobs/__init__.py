"""What can be done with a spec or a run: one job a file, called by the command line and by Python alike."""
