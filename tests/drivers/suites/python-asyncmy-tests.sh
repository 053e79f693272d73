# Python's asyncmy: its own tests.
install() {
    python_packages asyncmy==0.2.10 'pytest<8' 'pytest-asyncio<0.22' cryptography && debian_source trixie python-asyncmy || return
    # The installed package is tested, not the sources beside the tests.
    rm -rf "$WORK/source/asyncmy"
    cp -n "$WORK/source/conftest.py" "$WORK/conftest.py"
}

run() {
    cd "$WORK/source"
    sed "s/port=3306/port=$PORT/; s/user=\"root\"/user=\"$USER\"/" ../conftest.py >conftest.py
    MYSQL_PASS=$PASSWORD "$WORK/python/bin/python" -m pytest -q -rA --tb=short -p no:cacheprovider tests 2>&1 | pytest_results
}
