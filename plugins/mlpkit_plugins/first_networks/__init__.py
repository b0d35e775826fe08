"""Networks for first specs."""
