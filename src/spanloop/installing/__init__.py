"""Packages into an environment, by uv or pip: plain standard library, for it runs before anything is installed."""
