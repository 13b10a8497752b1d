"""What the engine adds to Argilla's database: a full-text index that SQLite itself keeps, and an index.

Triggers write `spanloop_texts` in the transaction that writes a record, and `spanloop_index` from that, so no crash or
restart can part them from the records. If a trigger is missing or another than here (an older spanloop, or a migration
of Argilla that made the table anew), everything is built from the records again.
"""

import sqlite3

# One text per record and field: a string as it is; of messages and objects, every string and number in them.
_TEXTS_OF = """
    SELECT {row}.id, {row}.dataset_id, item.key,
           CASE item.type WHEN 'text' THEN item.value ELSE
               (SELECT group_concat(leaf.atom, ' ') FROM json_tree(item.value) AS leaf WHERE leaf.atom IS NOT NULL) END
    FROM {source} json_each({row}.fields) AS item
    WHERE item.type IN ('text', 'array', 'object') AND NOT EXISTS (
        SELECT 1 FROM fields WHERE fields.dataset_id = {row}.dataset_id AND fields.name = item.key
                               AND json_extract(fields.settings, '$.type') = 'image')
"""
_FILL = "INSERT INTO spanloop_texts (record_id, dataset_id, field, text)"
# SQLite's lower case of İ is another than Lucene's.
_INDEX = "INSERT INTO spanloop_index (rowid, text) VALUES (NEW.id, replace(NEW.text, 'İ', 'i'))"
_FORGET = """INSERT INTO spanloop_index (spanloop_index, rowid, text)
                VALUES ('delete', OLD.id, replace(OLD.text, 'İ', 'i'))"""

# SQLite's tables end with Unicode 6.1 and take later characters for letters: name the symbols among them.
_LATER_SYMBOLS = ((0x1F000, 0x1FAFF), (0x2066, 0x2069), (0x20BA, 0x20C0), (0x23F4, 0x23FF), (0x2B4D, 0x2BFF))
_SEPARATORS = "".join(chr(code) for first, last in _LATER_SYMBOLS for code in range(first, last + 1))

_TABLES = {
    "spanloop_texts": """
        CREATE TABLE spanloop_texts (id INTEGER PRIMARY KEY, record_id CHAR(32) NOT NULL, dataset_id CHAR(32) NOT NULL,
                                     field VARCHAR NOT NULL, text TEXT)""",
    "spanloop_texts_record": "CREATE INDEX spanloop_texts_record ON spanloop_texts (record_id)",
    "spanloop_texts_dataset": "CREATE INDEX spanloop_texts_dataset ON spanloop_texts (dataset_id)",
    "spanloop_index": f"""
        CREATE VIRTUAL TABLE spanloop_index USING fts5 (
            text, content = 'spanloop_texts', content_rowid = 'id',
            tokenize = "unicode61 remove_diacritics 0 separators '{_SEPARATORS}'")""",
}
_TRIGGERS = {
    "spanloop_record_inserted": f"""
        CREATE TRIGGER spanloop_record_inserted AFTER INSERT ON records BEGIN
            {_FILL} {_TEXTS_OF.format(row="NEW", source="")}; END""",
    "spanloop_record_updated": f"""
        CREATE TRIGGER spanloop_record_updated AFTER UPDATE OF id, dataset_id, fields ON records BEGIN
            DELETE FROM spanloop_texts WHERE record_id = OLD.id;
            {_FILL} {_TEXTS_OF.format(row="NEW", source="")}; END""",  # noqa: S608 - no value of a user in it
    "spanloop_record_deleted": """
        CREATE TRIGGER spanloop_record_deleted AFTER DELETE ON records BEGIN
            DELETE FROM spanloop_texts WHERE record_id = OLD.id; END""",
    "spanloop_text_inserted": f"""
        CREATE TRIGGER spanloop_text_inserted AFTER INSERT ON spanloop_texts BEGIN
            {_INDEX}; END""",
    "spanloop_text_deleted": f"""
        CREATE TRIGGER spanloop_text_deleted AFTER DELETE ON spanloop_texts BEGIN {_FORGET}; END""",
}
_INDEXES = (
    # pages in the order of age without a sort; filters and progress without reading the texts
    "CREATE INDEX IF NOT EXISTS spanloop_records_age ON records (dataset_id, inserted_at, id, status)",
)


def ensure_schema(connection: sqlite3.Connection) -> bool:
    """Add what is missing, in one transaction.

    Args:
        connection: To a migrated database, with `isolation_level=None`.

    Returns:
        Whether the full-text index was built anew.
    """
    wanted = {name: sql.strip() for name, sql in (_TABLES | _TRIGGERS).items()}
    connection.execute("BEGIN IMMEDIATE")
    found = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE name GLOB 'spanloop_*'"))
    rebuild = any(found.get(name) != sql for name, sql in wanted.items())
    if rebuild:
        _build(connection, wanted)
    for index in _INDEXES:
        connection.execute(index)
    connection.execute("COMMIT")
    connection.execute("PRAGMA analysis_limit = 1000")
    connection.execute("ANALYZE")  # argilla_server's own queries need it more than ours
    return rebuild


def _build(connection: sqlite3.Connection, wanted: dict[str, str]) -> None:
    for name in _TRIGGERS:
        connection.execute(f"DROP TRIGGER IF EXISTS {name}")
    for name in ("spanloop_index", "spanloop_texts"):
        connection.execute(f"DROP TABLE IF EXISTS {name}")
    for sql in wanted.values():
        connection.execute(sql)
    connection.execute(f"{_FILL} {_TEXTS_OF.format(row='records', source='records, ')}")
