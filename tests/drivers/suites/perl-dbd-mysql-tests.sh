# Perl's DBD::mysql: its own tests.
install() {
    packages libdbd-mysql-perl libtest-deep-perl libdevel-checklib-perl && debian_source bookworm libdbd-mysql-perl || return
    # The installed driver is tested.
    mkdir -p "$WORK/source/blib/lib" "$WORK/source/blib/arch"
}

run() {
    cd "$WORK/source"
    cat >t/mysql.mtest <<END
\$::test_dsn = 'DBI:mysql:database=test;host=$HOST;port=$PORT'; \$::test_user = '$USER'; \$::test_password = '$PASSWORD'; \$::test_db = 'test'; 1;
END
    export DBI_DSN="DBI:mysql:database=test;host=$HOST;port=$PORT" DBI_USER=$USER DBI_PASS=$PASSWORD
    : >"$LOG"
    perl_results t/*.t
}
