"""What a training says of itself wherever it is shown, and the display of a notebook."""
