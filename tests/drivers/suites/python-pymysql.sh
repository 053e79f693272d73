# Python's pymysql.
install() {
    python_packages 'pymysql[rsa]' && python_version pymysql >"$WORK/version"
}

run() {
    seed
    report "$WORK/python/bin/python" "$PROGRAMS/dbapi.py" pymysql
}
