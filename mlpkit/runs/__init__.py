"""The files of a run: its folder, its model, what is logged, and how all of it reaches the disk whole."""
