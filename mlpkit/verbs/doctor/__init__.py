"""Watch a training's health, and explain what was wrong with it."""
