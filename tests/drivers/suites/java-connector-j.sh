# Java's MySQL Connector/J.
install() {
    java_packages com.mysql:mysql-connector-j:9.4.0
}

run() {
    seed
    URL="jdbc:mysql://$HOST:$PORT/shop?sslMode=PREFERRED&allowPublicKeyRetrieval=true" report java -cp "$WORK/lib/*" "$PROGRAMS/Jdbc.java"
}
