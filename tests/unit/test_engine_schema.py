"""The full-text index of the local Argilla, kept by triggers; on tables of the same shape as Argilla's."""

import json
import sqlite3

import pytest

from spanloop.local_argilla.engine.schema import ensure_schema

TABLES = """
    CREATE TABLE datasets (id CHAR(32) PRIMARY KEY);
    CREATE TABLE fields (id INTEGER PRIMARY KEY, name VARCHAR, settings JSON, dataset_id CHAR(32));
    CREATE TABLE records (id CHAR(32) PRIMARY KEY, fields JSON, dataset_id CHAR(32), inserted_at DATETIME,
        metadata JSON, status VARCHAR, FOREIGN KEY (dataset_id) REFERENCES datasets (id) ON DELETE CASCADE);
    INSERT INTO datasets VALUES ('d');
"""


@pytest.fixture
def database():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.executescript(TABLES)
    yield connection
    connection.execute("INSERT INTO spanloop_index (spanloop_index, rank) VALUES ('integrity-check', 1)")
    connection.close()


def add(database, id, **fields):
    database.execute("INSERT INTO records (id, fields, dataset_id) VALUES (?, ?, 'd')", (id, json.dumps(fields)))


def found(database, word):
    join = "SELECT record_id FROM spanloop_index JOIN spanloop_texts ON id = spanloop_index.rowid"
    rows = database.execute(f"{join} WHERE spanloop_index MATCH ?", (word,))
    return sorted({record_id for (record_id,) in rows})


def test_it_is_made_once_from_what_is_there(database):
    add(database, "a", text="alpha")
    assert ensure_schema(database) is True
    assert found(database, "alpha") == ["a"]
    assert ensure_schema(database) is False


def test_it_follows_inserts_updates_and_deletes(database):
    ensure_schema(database)
    add(database, "a", text="alpha", note="beta")
    add(database, "b", text="alpha")
    assert (found(database, "alpha"), found(database, "beta")) == (["a", "b"], ["a"])
    database.execute("UPDATE records SET fields = ? WHERE id = 'a'", (json.dumps({"text": "gamma"}),))
    assert (found(database, "alpha"), found(database, "beta"), found(database, "gamma")) == (["b"], [], ["a"])
    database.execute("DELETE FROM records WHERE id = 'b'")
    assert found(database, "alpha") == []


def test_a_deleted_dataset_takes_its_texts_with_it(database):
    ensure_schema(database)
    add(database, "a", text="alpha")
    database.execute("DELETE FROM datasets")
    assert database.execute("SELECT count(*) FROM spanloop_texts").fetchone() == (0,)


def test_what_is_rolled_back_is_not_found(database):
    ensure_schema(database)
    database.execute("BEGIN")
    add(database, "a", text="alpha")
    database.execute("ROLLBACK")
    assert found(database, "alpha") == []


@pytest.mark.parametrize(
    "lost", ["TRIGGER spanloop_record_updated", "TRIGGER spanloop_text_inserted", "TABLE spanloop_texts"]
)
def test_what_is_lost_is_built_anew(database, lost):
    ensure_schema(database)
    add(database, "a", text="alpha")
    database.execute(f"DROP {lost}")
    database.execute("UPDATE records SET fields = ?", (json.dumps({"text": "beta"}),)) if "updated" in lost else None
    assert ensure_schema(database) is True
    assert found(database, "beta" if "updated" in lost else "alpha") == ["a"]


def test_messages_and_objects_are_found_by_what_they_say_and_images_are_not(database):
    ensure_schema(database)
    database.execute(
        "INSERT INTO fields (name, settings, dataset_id) VALUES ('picture', ?, 'd')", ('{"type": "image"}',)
    )
    chat = [{"role": "user", "content": "hello"}, {"role": "bot", "content": "goodbye"}]
    add(
        database,
        "a",
        chat=chat,
        custom={"key": {"deep": "value", "n": 7}},
        picture="https://example.org/alpha",
        none=None,
    )
    assert [found(database, word) for word in ("hello", "goodbye", "value", "7")] == [["a"]] * 4
    assert (found(database, "alpha"), found(database, "deep")) == ([], [])


def test_later_emoji_part_words(database):
    ensure_schema(database)
    add(database, "a", text="river\U0001f642bank\U0001fae0end")
    assert [found(database, word) for word in ("river", "bank", "end")] == [["a"]] * 3
