"""Built-in engines of sweeps, one per file; what needs an engine's package is in a file that its ``start`` imports."""
