# Go's go-sql-driver/mysql: its own tests, but for one that needs a host far away.
install() {
    local module
    module=$(cd "$WORK" && go mod download -json github.com/go-sql-driver/mysql@v1.10.1 | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
    echo v1.10.1 >"$WORK/version"
    if [[ -d $WORK/source ]]; then return; fi
    cp -r "$module" "$WORK/source" && chmod -R u+w "$WORK/source" && cd "$WORK/source" && go test -c -o ../tests .
}

run() {
    cd "$WORK/source"
    MYSQL_TEST_USER=$USER MYSQL_TEST_PASS=$PASSWORD MYSQL_TEST_ADDR=$HOST:$PORT MYSQL_TEST_DBNAME=test MYSQL_TEST_CONCURRENT=1 \
        ../tests -test.v -test.timeout 10m -test.skip TestConnectorReturnsTimeout 2>&1 | tee "$LOG" |
        sed -n 's/^ *--- PASS: \(.*\) (.*/ok \1/p; s/^ *--- FAIL: \(.*\) (.*/failed \1/p; s/^ *--- SKIP: \(.*\) (.*/skipped \1/p'
}
