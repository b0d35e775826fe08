"""Exporters, which write a trained model to a file for other programs."""
