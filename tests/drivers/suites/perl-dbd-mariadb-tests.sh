# Perl's DBD::MariaDB: its own tests.
install() {
    packages libdbd-mariadb-perl libtest-deep-perl && debian_source bookworm libdbd-mariadb-perl || return
    mkdir -p "$WORK/source/blib/lib" "$WORK/source/blib/arch"
}

run() {
    cd "$WORK/source"
    export DBD_MARIADB_TESTHOST=$HOST DBD_MARIADB_TESTPORT=$PORT DBD_MARIADB_TESTUSER=$USER DBD_MARIADB_TESTPASSWORD=$PASSWORD
    export DBD_MARIADB_TESTDB=test DBI_DSN="DBI:MariaDB:database=test;host=$HOST;port=$PORT" DBI_USER=$USER DBI_PASS=$PASSWORD
    : >"$LOG"
    perl_results t/*.t
}
