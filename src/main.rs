//! The `margay` program.

fn main() {}
