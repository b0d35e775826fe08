"""How a training is shown: as lines, as JSON, or live on a terminal."""
