"""Built-in engines of sweeps, one per file; code that needs an engine's package is in a file that ``start`` imports."""
