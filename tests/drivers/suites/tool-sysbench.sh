# sysbench: its OLTP workloads with and without prepared statements; the numbers of rows are what counts.
install() {
    packages sysbench && sysbench --version | sed 's/.* //' >"$WORK/version"
}

bench() {
    sysbench "$1" --mysql-host="$HOST" --mysql-port="$PORT" --mysql-user="$USER" --mysql-password="$PASSWORD" --mysql-db=test --tables=2 --table-size=2000 \
        --threads=1 --rand-seed=7 --events=60 --time=0 --db-ps-mode="$2" --mysql-ssl=off "$3"
}

sysbench_report() {
    local workload mode
    for workload in oltp_read_write oltp_read_only oltp_point_select oltp_update_index oltp_delete oltp_insert select_random_ranges; do
        for mode in auto disable; do
            bench "$workload" "$mode" cleanup >/dev/null
            bench "$workload" "$mode" prepare >/dev/null || return
            echo "$workload $mode"
            bench "$workload" "$mode" run | grep -E '^ *(read|write|other|total|transactions|ignored errors|reconnects): ' | sed 's/(.*//'
        done
    done
    client test -N -e 'SELECT COUNT(*), SUM(id) FROM sbtest1'
}

run() {
    report sysbench_report
}
