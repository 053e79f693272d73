# Node's TypeORM over mysql2.
install() {
    node_packages typeorm mysql2
}

run() {
    report node "$PROGRAMS/typeorm.js"
}
