"""Built-in schedules, one per file."""
