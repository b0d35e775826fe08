"""A page that shows runs while they go on, from this machine to this machine."""
