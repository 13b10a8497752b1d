"""Benchmarks: every comparison side by side in one run, on data that is read from a folder and never committed."""
