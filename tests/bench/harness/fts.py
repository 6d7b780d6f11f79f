# SPDX-License-Identifier: Apache-2.0
"""SQLite FTS5 over the same titles, in the asking process: the newest 50 that have all words, with what a page tells.

    python3 fts.py build FILE WORKS
    python3 fts.py ask FILE COUNT WORDS
"""

import json
import sqlite3
import sys
import time

SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE works(id INTEGER PRIMARY KEY, owner BLOB, head BLOB, seq INTEGER, registered_at INTEGER, registration TEXT);
CREATE VIRTUAL TABLE words USING fts5(title, description, artist, content='');
"""
# As bench-store words them; a registration's length, and as incompressible.
FILL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO works SELECT i, randomblob(32), randomblob(32), 0, 1790000000, hex(randomblob(850)) FROM n
"""
QUERY = """
SELECT works.* FROM words JOIN works ON works.id = words.rowid WHERE words MATCH ? ORDER BY words.rowid DESC LIMIT 50
"""
SUBJECTS = ["boats", "harbour", "winter", "garden", "portrait", "bridge", "orchard", "storm"]
COLOURS = ["Blue", "Red", "Green"] + 7 * ["Grey"]


def build(file, works):
    database = sqlite3.connect(file)
    database.executescript(SCHEMA)
    database.execute(FILL, (works,))
    rows = (
        (i, f"{COLOURS[i // 8 % 10]} {SUBJECTS[i % 8]} {i}", "Oil on canvas, signed and dated on the back", f"Ada Artist {i % 1000}")
        for i in range(1, works + 1)
    )
    database.executemany("INSERT INTO words(rowid, title, description, artist) VALUES(?, ?, ?, ?)", rows)
    database.execute("INSERT INTO words(words) VALUES('optimize')")
    database.commit()


def ask(file, count, text):
    database = sqlite3.connect(file)
    match = " AND ".join(text.split())
    took = []
    for _ in range(count):
        start = time.perf_counter()
        found = database.execute(QUERY, (match,)).fetchall()
        took.append((time.perf_counter() - start) * 1e6)
    if len(found) != 50:
        sys.exit(f"{len(found)} works have these words")
    took.sort()
    print(json.dumps({"seconds": sum(took) / 1e6, "p50": took[count // 2], "p99": took[count * 99 // 100]}))


if __name__ == "__main__":
    if sys.argv[1] == "build":
        build(sys.argv[2], int(sys.argv[3]))
    else:
        ask(sys.argv[2], int(sys.argv[3]), sys.argv[4])
