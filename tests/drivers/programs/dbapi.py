"""Python's DB-API, by the module that the argument names: types, parameters, transactions, big results, errors, a lost connection."""

import importlib
import os
import sys

NAME = sys.argv[1]
MODULE = importlib.import_module(NAME)
LOGIN = {"host": os.environ["HOST"], "port": int(os.environ["PORT"]), "user": os.environ["USER"], "password": os.environ["PASSWORD"], "database": "shop"}
# The arguments of each module for a connection.
OPTIONS = {"MySQLdb": {"charset": "utf8mb4"}, "pymysql": {"charset": "utf8mb4"}, "mysql.connector": {"use_pure": True}}


def say(name, *values):
    print(name, *(repr(value) for value in values))


def rows(cursor, name, sql, values=None):
    cursor.execute(sql, values)
    say(name, cursor.description)
    for row in cursor.fetchall():
        say(name, row)


def error(cursor, sql):
    try:
        cursor.execute(sql)
        say("no error", sql)
    except MODULE.Error as caught:
        say("error", type(caught).__name__, caught.args)


def cursors(connection):
    yield "plain", connection.cursor()
    if NAME == "mysql.connector":
        yield "prepared", connection.cursor(prepared=True)
        yield "buffered", connection.cursor(buffered=True)
    else:
        yield "streaming", connection.cursor(importlib.import_module(f"{NAME}.cursors").SSCursor)


def statements(connection):
    for name, cursor in cursors(connection):
        rows(cursor, f"{name} kinds", "SELECT * FROM kinds ORDER BY id")
        rows(cursor, f"{name} one", "SELECT * FROM kinds WHERE id = %s", (1,))
        rows(cursor, f"{name} groups", "SELECT country, COUNT(*), SUM(balance), AVG(balance) FROM people WHERE id > %s GROUP BY country ORDER BY country", (3,))
        values = [(n, f"it's {n} \\ 日本", None, "0.25", b"\x00\xff'") for n in range(50, 90)]
        cursor.executemany("INSERT INTO kinds (id, c_varchar, c_int, c_decimal, c_blob) VALUES (%s, %s, %s, %s, %s)", values)
        rows(cursor, f"{name} inserted", "SELECT id, c_varchar, c_int, c_decimal, c_blob FROM kinds WHERE id BETWEEN %s AND %s ORDER BY id", (50, 53))
        cursor.execute("DELETE FROM kinds WHERE id >= %s", (50,))
        say(f"{name} deleted", cursor.rowcount)
        cursor.execute("SELECT id, name FROM people ORDER BY id")
        say(f"{name} big", sum(row[0] * len(row[1]) for row in cursor.fetchall()))
        cursor.close()
        connection.commit()


def transactions(connection):
    cursor = connection.cursor()
    cursor.execute("UPDATE people SET balance = 0 WHERE id < 100")
    connection.rollback()
    rows(cursor, "rolled back", "SELECT SUM(balance) FROM people WHERE id < 100")
    cursor.execute("INSERT INTO people (name) VALUES ('a'), ('b')")
    say("last id", cursor.lastrowid > 0, cursor.rowcount)
    cursor.execute("DELETE FROM people WHERE id > 2000")
    connection.commit()
    for sql in ("SELEC 1", "SELECT * FROM nowhere", "INSERT INTO people (id, name) VALUES (1, 'x')", "INSERT INTO people (id, name) VALUES (9, NULL)"):
        error(cursor, sql)
    cursor.execute("SELECT REPEAT('z', 17000000)")
    say("long value", len(cursor.fetchall()[0][0]))
    cursor.close()


def lost(connection):
    cursor = connection.cursor()
    cursor.execute("SELECT CONNECTION_ID()")
    ((number,),) = cursor.fetchall()
    other = MODULE.connect(**LOGIN, **OPTIONS[NAME])
    other.cursor().execute(f"KILL {number}")
    try:
        cursor.execute("SELECT 1")
        say("killed", "no error")
    except MODULE.Error:
        say("killed", "an error")
    if hasattr(other, "ping"):
        other.ping()
    other.close()


connection = MODULE.connect(**LOGIN, **OPTIONS[NAME])
statements(connection)
transactions(connection)
lost(connection)
