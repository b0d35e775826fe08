"""Homework: exercises to hand out, and their marking."""
