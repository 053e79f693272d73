# Node's Sequelize over mysql2.
install() {
    node_packages sequelize mysql2
}

run() {
    report node "$PROGRAMS/sequelize.js"
}
