# Rust's sqlx.
install() {
    rust_program sqlx
}

run() {
    seed
    report "$WORK/target/debug/matrix-sqlx"
}
