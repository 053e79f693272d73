# Python's mysql-connector-python.
install() {
    python_packages 'mysql-connector-python' && python_version mysql-connector-python >"$WORK/version"
}

run() {
    seed
    report "$WORK/python/bin/python" "$PROGRAMS/dbapi.py" mysql.connector
}
