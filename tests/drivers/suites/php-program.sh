# PHP's PDO and mysqli over sharded tables.
install() {
    packages php-cli php-mysql && php -r 'echo PHP_VERSION;' >"$WORK/version"
}

run() {
    seed
    report php "$PROGRAMS/pdo.php"
}
