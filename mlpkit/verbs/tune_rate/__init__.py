"""Suggest a learning rate."""
