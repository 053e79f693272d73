# PHP's mysqli: its own tests.
install() {
    packages php-cli php-mysql && debian_source trixie php8.4 && php -r 'echo PHP_VERSION;' >"$WORK/version"
}

run() {
    cd "$WORK/source"
    export MYSQL_TEST_HOST=$HOST MYSQL_TEST_PORT=$PORT MYSQL_TEST_USER=$USER MYSQL_TEST_PASSWD=$PASSWORD MYSQL_TEST_DB=test
    php run-tests.php -q -p "$(command -v php)" --no-color ext/mysqli/tests 2>&1 </dev/null | tee "$LOG" | php_results
}
