"""Networks to begin with."""
