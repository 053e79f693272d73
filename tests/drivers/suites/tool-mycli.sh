# mycli: statements and completion of names.
install() {
    python_packages mycli && python_version mycli >"$WORK/version"
}

mycli_report() {
    local sql
    for sql in 'SELECT * FROM kinds ORDER BY id' 'SHOW TABLES' 'DESCRIBE people' 'SELECT country, COUNT(*) FROM people GROUP BY country ORDER BY country' \
        'SELECT name FROM people WHERE id IN (1, 2, 1999) ORDER BY id; SELECT DATABASE()' 'SELECT * FROM nowhere'; do
        "$WORK/python/bin/mycli" --host "$HOST" --port "$PORT" --user "$USER" --password "$PASSWORD" --csv --execute "$sql" shop 2>&1
    done
}

run() {
    seed
    HOME=$WORK report mycli_report
}
