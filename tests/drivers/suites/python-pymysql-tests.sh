# Python's PyMySQL: its own tests.
install() {
    python_packages 'pymysql[rsa]==1.1.1' pytest && debian_source trixie python-pymysql
}

run() {
    cd "$WORK/source"
    cat >pymysql/tests/databases.json <<END
[{"host": "$HOST", "port": $PORT, "user": "$USER", "password": "$PASSWORD", "database": "test", "use_unicode": true, "local_infile": true},
 {"host": "$HOST", "port": $PORT, "user": "$USER", "password": "$PASSWORD", "database": "test2"}]
END
    "$WORK/python/bin/python" -m pytest -q -rA --tb=short -p no:cacheprovider pymysql/tests 2>&1 | pytest_results
}
