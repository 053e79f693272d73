# PHP's pdo_mysql: its own tests.
install() {
    packages php-cli php-mysql && debian_source trixie php8.4 && php -r 'echo PHP_VERSION;' >"$WORK/version"
}

run() {
    cd "$WORK/source"
    export PDO_MYSQL_TEST_DSN="mysql:host=$HOST;port=$PORT;dbname=test" PDO_MYSQL_TEST_HOST=$HOST PDO_MYSQL_TEST_PORT=$PORT
    export PDO_MYSQL_TEST_USER=$USER PDO_MYSQL_TEST_PASS=$PASSWORD PDO_MYSQL_TEST_DB=test
    php run-tests.php -q -p "$(command -v php)" --no-color ext/pdo_mysql/tests 2>&1 </dev/null | tee "$LOG" | php_results
}
