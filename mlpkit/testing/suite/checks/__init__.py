"""The checks: a folder for what each group of kinds promises, a file for each idea."""
