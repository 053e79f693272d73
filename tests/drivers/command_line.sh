#!/bin/bash
# The command-line client: logins with each plugin, statements, transactions, errors, a big result.
set -eu

client() {
    MYSQL_PWD=$MARGAY_PASSWORD mariadb --no-defaults --protocol=tcp -h "$MARGAY_HOST" -P "$MARGAY_PORT" \
        -u "$MARGAY_USER" --batch --skip-column-names "$@" "$MARGAY_SCHEMA"
}

check() {
    local expect=$1 got
    shift
    got=$(client -e "$*" 2>&1) || true
    if [[ $got != "$expect" ]]; then
        printf 'statement: %s\nexpected:  %s\ngot:       %s\n' "$*" "$expect" "$got" >&2
        exit 1
    fi
}

for plugin in mysql_native_password caching_sha2_password; do
    [[ $(client --default-auth=$plugin -e 'SELECT 1') == 1 ]]
done
if MARGAY_PASSWORD=wrong client -e 'SELECT 1' 2>/tmp/margay-denied.$$; then exit 1; fi
grep -q 'ERROR 1045 (28000)' /tmp/margay-denied.$$
rm /tmp/margay-denied.$$

check '' 'DELETE FROM users WHERE id BETWEEN 1000 AND 1999'
check '' "INSERT INTO users (id, name) VALUES (1001, 'Ann'), (1002, 'it''s'), (1003, '日本')"
check $'Ann' 'SELECT name FROM users WHERE id = 1001'
check $'1001\tAnn\n1002\tit\'s\n1003\t日本' 'SELECT id, name FROM users WHERE id BETWEEN 1000 AND 1999 ORDER BY id'
check '3' 'SELECT COUNT(*) FROM users WHERE id BETWEEN 1000 AND 1999'
# A transaction keeps to one user, and so to one cluster.
check '0' "BEGIN; DELETE FROM users WHERE id = 1003; SELECT COUNT(*) FROM users WHERE id = 1003; ROLLBACK"
check '3' 'SELECT COUNT(*) FROM users WHERE id BETWEEN 1000 AND 1999'
client -e 'SELEC 1' 2>&1 | grep -q 'ERROR 1064 (42000)'
client -e "INSERT INTO users (id, name) VALUES (1001, 'x')" 2>&1 | grep -q 'ERROR 1062 (23000)'
client -e 'SELECT * FROM no_such_table' 2>&1 | grep -q 'ERROR 1146 (42S02)'
# Completion asks for the columns of every table; `USE` and `STATUS` have their own commands.
printf 'USE %s;\nSTATUS;\nSELECT 5;\n' "$MARGAY_SCHEMA" | client --auto-rehash --table | grep -q '5'
rows=$(client --quick -e "WITH RECURSIVE n AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM n WHERE x < 1000)
    SELECT REPEAT('x', 1000) FROM n" | wc -c)
[[ $rows == 1001000 ]]
# A dump shows each table once, with its rows of all shards.
dump=$(MYSQL_PWD=$MARGAY_PASSWORD mariadb-dump --no-defaults --protocol=tcp -h "$MARGAY_HOST" \
    -P "$MARGAY_PORT" -u "$MARGAY_USER" --skip-lock-tables --no-tablespaces --skip-extended-insert \
    --routines --triggers --events "$MARGAY_SCHEMA")
[[ $(grep -c '^CREATE TABLE `users`' <<<"$dump") == 1 ]]
[[ $(grep -cE '^INSERT INTO `users` VALUES \(100[123],' <<<"$dump") == 3 ]]
[[ $(tail -n 1 <<<"$dump") == '-- Dump completed'* ]]
