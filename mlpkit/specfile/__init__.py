"""Reading spec files: YAML, inheritance, variables, overrides, and what the keys mean."""
