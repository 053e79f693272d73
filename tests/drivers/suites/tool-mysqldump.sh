# mysqldump (mariadb-dump): the schema is dumped, with locks on its tables and without, loaded into another one, and
# compared row by row.
install() {
    packages mariadb-client && mariadb-dump --version | grep -o '[0-9.]*-MariaDB' | head -n 1 >"$WORK/version"
}

dump() {
    mariadb-dump --host="$HOST" --port="$PORT" --user="$USER" --password="$PASSWORD" --protocol=tcp --default-character-set=utf8mb4 \
        "$@" --skip-dump-date --skip-comments
}

rows() {
    local table
    for table in countries people orders kinds; do
        echo "$1.$table"
        client "$1" -N --default-character-set=utf8mb4 -e "SELECT * FROM $table ORDER BY 1" | md5sum
    done
}

round_trip() {
    local options
    rows shop
    for options in --opt --skip-lock-tables --skip-add-locks --skip-quick --single-transaction --complete-insert --hex-blob --skip-extended-insert --tz-utc --insert-ignore --xml; do
        echo "options: $options"
        dump $options shop countries people orders kinds >"$WORK/dump.sql" || return
        if [[ $options == --xml ]]; then
            grep -c '<row>' "$WORK/dump.sql"
            continue
        fi
        client -e 'DROP TABLE IF EXISTS orders, people, kinds, countries' copy
        client copy --default-character-set=utf8mb4 <"$WORK/dump.sql" || return
        rows copy | sed 's/^copy/shop/' | diff - <(rows shop) && echo equal
    done
    dump --no-data shop
    dump --where='id < 20' --skip-extended-insert --order-by-primary shop people
    dump --databases shop --no-data | grep -c 'CREATE TABLE'
}

run() {
    seed
    report round_trip
}
