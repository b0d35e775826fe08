"""Text on a terminal: results, messages, columns, colours."""
