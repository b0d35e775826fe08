"""The checks, one file per kind or group of kinds."""
