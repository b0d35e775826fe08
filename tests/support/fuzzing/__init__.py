"""Damages inputs, feeds them to a loader, and watches what it does with them."""
