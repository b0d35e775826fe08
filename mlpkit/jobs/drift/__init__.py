"""Whether new rows are distributed as those that a network was trained on."""
