# Node's mysql2.
install() {
    node_packages mysql2
}

run() {
    seed
    report node "$PROGRAMS/mysql2.js"
}
