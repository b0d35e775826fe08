"""Images with a file each."""
