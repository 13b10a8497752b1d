"""Thin Prefect tasks: retries, timeouts and artifacts around one call of the library each.

No task uses Prefect's cache: what a step makes is named by its content in the store and is found there by the next
attempt, on any machine that sees the store. A second cache would only be a second truth.
"""
