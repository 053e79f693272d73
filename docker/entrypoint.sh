#!/bin/bash
# Starts MySQL in an image made by test.sh, with the variables of the official image that compose.yaml uses.
set -euo pipefail
data=/var/lib/mysql
mkdir -p "$data" /run/mysqld
options=(--no-defaults --user=root --datadir="$data" --mysqlx=OFF --socket=/run/mysqld/mysqld.sock)
if [[ ! -d $data/mysql ]]; then
    mysqld "${options[@]}" --initialize-insecure --secure-file-priv=
fi
cat >/tmp/start.sql <<SQL
SET sql_log_bin = 0;
CREATE USER IF NOT EXISTS 'root'@'${MYSQL_ROOT_HOST:-%}';
ALTER USER 'root'@'${MYSQL_ROOT_HOST:-%}' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
ALTER USER 'root'@'localhost' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
GRANT ALL ON *.* TO 'root'@'${MYSQL_ROOT_HOST:-%}' WITH GRANT OPTION;
SQL
shift
exec mysqld "${options[@]}" --secure-file-priv= --init-file=/tmp/start.sql \
    --innodb-buffer-pool-size=64M --performance-schema=OFF "$@"
