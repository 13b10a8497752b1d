"""The local Argilla: the real server with its own environment, database and search engine."""
