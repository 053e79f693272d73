"""PyMySQL: logins, statements, transactions, errors, big results, streaming cursors."""

import os

import pymysql
from pymysql.constants import CLIENT

LOGIN = {
    "host": os.environ["MARGAY_HOST"],
    "port": int(os.environ["MARGAY_PORT"]),
    "user": os.environ["MARGAY_USER"],
    "database": os.environ["MARGAY_SCHEMA"],
    "charset": "utf8mb4",
}
PASSWORD = os.environ["MARGAY_PASSWORD"]


def connect(**options):
    return pymysql.connect(**LOGIN, password=PASSWORD, **options)


def error_code(cursor, sql, values=None):
    try:
        cursor.execute(sql, values)
    except pymysql.MySQLError as error:
        return error.args[0]
    raise AssertionError(f"no error: {sql}")


def main():
    try:
        pymysql.connect(**LOGIN, password="wrong")
        raise AssertionError("a wrong password gets in")
    except pymysql.OperationalError as error:
        assert error.args[0] == 1045, error

    connection = connect(autocommit=True)
    cursor = connection.cursor()
    cursor.execute("DELETE FROM users WHERE id BETWEEN 2000 AND 2999")
    rows = [(2000 + n, f"name '{n}' \\ 日本 😀") for n in range(500)]
    assert cursor.executemany("INSERT INTO users (id, name) VALUES (%s, %s)", rows) == 500
    cursor.execute("SELECT id, name FROM users WHERE id BETWEEN 2000 AND 2999 ORDER BY id")
    assert list(cursor.fetchall()) == rows
    assert [column[0] for column in cursor.description] == ["id", "name"]
    cursor.execute("SELECT name FROM users WHERE id = %s", (2007,))
    assert cursor.fetchone() == (rows[7][1],)
    assert cursor.execute("SELECT id FROM users WHERE id IN %s", ([2001, 2002, 99999],)) == 2

    assert cursor.execute("UPDATE users SET name = 'x' WHERE id BETWEEN 2400 AND 2499") == 100
    # A transaction keeps to one user, and so to one cluster.
    connection.autocommit(False)
    assert cursor.execute("UPDATE users SET name = 'x' WHERE id = 2000") == 1
    cursor.execute("SELECT name FROM users WHERE id = 2000")
    assert cursor.fetchone() == ("x",)
    connection.rollback()
    cursor.execute("SELECT name FROM users WHERE id = 2000")
    assert cursor.fetchone() == (rows[0][1],)
    assert cursor.execute("DELETE FROM users WHERE id = 2001") == 1
    connection.commit()
    cursor.execute("SELECT COUNT(*) FROM users WHERE id = 2001")
    assert cursor.fetchone() == (0,)
    connection.rollback()
    connection.autocommit(True)

    assert error_code(cursor, "INSERT INTO users (id, name) VALUES (2000, 'x')") == 1062
    assert error_code(cursor, "SELECT nothing FROM users") == 1054
    assert error_code(cursor, "SELEC 1") == 1064

    streaming = connection.cursor(pymysql.cursors.SSDictCursor)
    streaming.execute("SELECT id, REPEAT('y', 10000) AS body FROM users WHERE id >= 2000 ORDER BY id")
    count = 0
    for row in streaming:
        assert len(row["body"]) == 10000
        count += 1
    assert count >= 499, count
    streaming.close()

    cursor.execute("SELECT LENGTH(%s)", ("z" * 17_000_000,))
    assert cursor.fetchone() == (17_000_000,)
    cursor.execute("SELECT REPEAT('z', 17000000)")
    assert len(cursor.fetchone()[0]) == 17_000_000

    several = connect(client_flag=CLIENT.MULTI_STATEMENTS, autocommit=True)
    cursor = several.cursor()
    cursor.execute("SELECT 1;")
    assert cursor.fetchall() == ((1,),)
    several.ping()
    several.select_db(LOGIN["database"])
    several.close()
    connection.close()


main()
