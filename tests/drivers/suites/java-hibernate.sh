# Java's Hibernate over MySQL Connector/J.
install() {
    java_packages org.hibernate.orm:hibernate-core:6.6.29.Final com.mysql:mysql-connector-j:9.4.0 &&
        javac -cp "$WORK/lib/*" -d "$WORK/classes" "$PROGRAMS/Hibernate.java"
}

run() {
    URL="jdbc:mysql://$HOST:$PORT/shop?allowPublicKeyRetrieval=true" report java -cp "$WORK/lib/*:$WORK/classes" Hibernate
}
