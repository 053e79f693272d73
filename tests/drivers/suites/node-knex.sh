# Node's Knex over mysql2.
install() {
    node_packages knex mysql2
}

run() {
    report node "$PROGRAMS/knex.js"
}
