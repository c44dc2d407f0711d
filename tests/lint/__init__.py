"""Advice on rule sets: each check fires where it should, and nowhere else."""
