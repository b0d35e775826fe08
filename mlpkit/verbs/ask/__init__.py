"""Answers about keys, components, plugins and mlpkit itself."""
