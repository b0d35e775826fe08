"""Show runs on a page while they train."""
