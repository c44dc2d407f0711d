"""Tests of `withhold.lint`: each check fires where it should, and nowhere else."""
