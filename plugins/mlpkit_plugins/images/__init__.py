"""Images in files of their own."""
