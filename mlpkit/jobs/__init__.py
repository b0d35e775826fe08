"""What can be done with a spec or a run: one job per file, called by the command line and from Python."""
