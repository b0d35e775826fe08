"""Built-in engines of sweeps, one per file; what an engine's library is for is in a file that its ``start`` imports."""
