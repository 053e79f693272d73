# Java's MariaDB Connector/J.
install() {
    java_packages org.mariadb.jdbc:mariadb-java-client:3.5.6
}

run() {
    seed
    URL="jdbc:mariadb://$HOST:$PORT/shop?sslMode=trust" report java -cp "$WORK/lib/*" "$PROGRAMS/Jdbc.java"
}
