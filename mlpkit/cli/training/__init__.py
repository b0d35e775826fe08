"""How a training run is shown: as lines, as JSON, or live on a terminal."""
