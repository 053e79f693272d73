# C's libmariadb.
install() {
    packages libmariadb-dev gcc && cc -O1 -Wall -o "$WORK/program" "$PROGRAMS/libmariadb.c" $(mariadb_config --include --libs) &&
        mariadb_config --version >"$WORK/version"
}

run() {
    seed
    report "$WORK/program"
}
