# Python's SQLAlchemy over PyMySQL: its suite for dialects and its tests of the MySQL dialect.
install() {
    python_packages 'pymysql[rsa]' 'sqlalchemy' pytest || return
    python_version sqlalchemy >"$WORK/version"
    python_source "sqlalchemy==$(cat "$WORK/version")"
}

run() {
    cd "$WORK/source"
    "$WORK/python/bin/python" -m pytest -q -rA --tb=short -p no:cacheprovider -p no:logging --maxfail=100000 \
        --dburi "mysql+pymysql://$USER:$PASSWORD@$HOST:$PORT/test?charset=utf8mb4" \
        test/dialect/test_suite.py test/dialect/mysql 2>&1 | pytest_results
}
