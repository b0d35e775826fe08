"""Calibrations of predicted probabilities."""
