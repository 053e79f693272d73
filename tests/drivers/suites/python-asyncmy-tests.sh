# Python's asyncmy: its own tests.
install() {
    python_packages asyncmy==0.2.10 pytest pytest-asyncio cryptography && debian_source trixie python-asyncmy
    # The installed package is tested, not the sources beside the tests.
    rm -rf "$WORK/source/asyncmy"
}

run() {
    cd "$WORK/source"
    MYSQL_HOST=$HOST MYSQL_PORT=$PORT MYSQL_USER=$USER MYSQL_PASS=$PASSWORD "$WORK/python/bin/python" -m pytest \
        -q -rA --tb=short -p no:cacheprovider tests 2>&1 | pytest_results
}
