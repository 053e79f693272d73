# Rust's diesel.
install() {
    packages libmariadb-dev gcc && rust_program diesel
}

run() {
    seed
    report "$WORK/target/debug/matrix-diesel"
}
