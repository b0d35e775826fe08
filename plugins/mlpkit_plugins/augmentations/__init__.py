"""Built-in augmentations, one per file."""
