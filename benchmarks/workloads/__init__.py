"""The workloads: each is a function from the options to comparisons."""
