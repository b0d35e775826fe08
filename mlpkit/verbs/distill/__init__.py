"""Distillation: a network learns from another's predictions."""
