# Python's mysqlclient.
install() {
    packages libmariadb-dev gcc pkg-config && python_packages 'mysqlclient' && python_version mysqlclient >"$WORK/version"
}

run() {
    seed
    report "$WORK/python/bin/python" "$PROGRAMS/dbapi.py" MySQLdb
}
