"""Prefect flows: one a file, the order of steps and nothing else."""
