"""Pages that a browser shows from disk, without a network: text, tables, pictures and charts."""
