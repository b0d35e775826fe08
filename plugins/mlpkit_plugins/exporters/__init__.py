"""Exporters: what writes a trained model to a file that other programs use."""
