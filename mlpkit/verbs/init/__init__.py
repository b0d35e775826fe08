"""Write a first spec for your data."""
