"""The search engine of the local Argilla: every answer comes from Argilla's own tables, with SQL.

argilla_server commits to its database first and tells its search engine afterwards. With Elasticsearch that is a second
copy, which can drift; here the database *is* the index. Only the full-text index is kept beside the tables, by SQLite
triggers, in the same transaction as the records.

What a query means is what argilla_server's Elasticsearch engine makes of it (`argilla_server.search_engine.commons`).
"""


def install_engine() -> None:
    """Register the engine with argilla_server, once that is imported; settings then choose it by its name."""
    from argilla_server.search_engine import SearchEngine

    from . import functions
    from .search import NAME, SqliteSearchEngine

    functions.install()
    SearchEngine.register(NAME)(SqliteSearchEngine)
