"""Write and check plugins."""
