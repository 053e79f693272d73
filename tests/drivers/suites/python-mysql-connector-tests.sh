# Python's MySQL Connector/Python, its implementation in Python: its own tests.
install() {
    python_packages mysql-connector-python setuptools cryptography || return
    python_version mysql-connector-python >"$WORK/version"
    python_source "mysql-connector-python==$(cat "$WORK/version")"
}

run() {
    cd "$WORK/source"
    "$WORK/python/bin/python" unittests.py --use-external-server --host="$HOST" --port="$PORT" --user="$USER" \
        --password="$PASSWORD" --skip-install --verbosity=2 2>&1 | unittest_results
}
