#!/bin/bash
# Sets up the servers of compose.yaml. Running it again changes nothing.
set -euo pipefail

on() {
    local host=$1
    shift
    MYSQL_PWD=root mysql --host="$host" --user=root --batch --skip-column-names "$@"
}

for cluster in c0 c1; do
    for host in $cluster-primary $cluster-replica; do
        if [[ $(on "$host" -e "SELECT COUNT(*) FROM mysql.user WHERE user = 'margay'") != 0 ]]; then
            continue
        fi
        on "$host" -e "
            SET sql_log_bin = 0;
            CREATE USER margay IDENTIFIED BY 'margay';
            GRANT ALL PRIVILEGES ON *.* TO margay WITH GRANT OPTION;
            RESET BINARY LOGS AND GTIDS;"
    done
    replica_status=$(on $cluster-replica -e 'SHOW REPLICA STATUS')
    if [[ -z $replica_status ]]; then
        on $cluster-replica -e "
            CHANGE REPLICATION SOURCE TO SOURCE_HOST = '$cluster-primary', SOURCE_USER = 'margay',
                SOURCE_PASSWORD = 'margay', SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1;
            START REPLICA;
            SET PERSIST super_read_only = ON;"
    fi
    for database in shop shop_0 shop_1 shop_2 shop_3; do
        on $cluster-primary -e "CREATE DATABASE IF NOT EXISTS $database"
    done
done
echo 'ready'
