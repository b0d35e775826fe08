"""The contestants; a module is loaded only in the process of its contestant."""
