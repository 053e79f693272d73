//! The servers of the driver matrix, `tests/drivers/run`: a plain one, and Margay over two clusters.
//!
//! Runs the command in `MARGAY_TEST_MATRIX` once for each flavor, and passes when it does.

use std::process::Command;

use margay::cli::demo::flavor::Flavor;

use crate::fixture::{Proxy, Servers, wanted};

const USER: &str = "driver";
const PASSWORD: &str = "driver-secret";
const RULES: &str = include_str!("../drivers/rules.yaml");

#[test]
#[ignore = "run by tests/drivers/run, which installs what it needs"]
fn matrix_mysql() {
    run(Flavor::MySql);
}

#[test]
#[ignore = "run by tests/drivers/run, which installs what it needs"]
fn matrix_mariadb() {
    run(Flavor::MariaDb);
}

fn run(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let command = std::env::var("MARGAY_TEST_MATRIX").expect("MARGAY_TEST_MATRIX has a command");
    // The third server is the plain one. What a suite of a driver asks of a server's settings is set on all.
    let options = [
        "--max-allowed-packet=64M",
        "--character-set-server=utf8mb4",
        "--local-infile=1",
        // MySQL tells there which user variables a procedure has set.
        "--performance-schema=ON",
    ];
    let servers = Servers::start(flavor, 3, &options);
    make_databases(&servers);
    let mut variables = servers.variables();
    variables.push(("DRIVER_PASSWORD".to_owned(), PASSWORD.to_owned()));
    let proxy = Proxy::start(RULES, &variables);
    let (host, port) = proxy.address.rsplit_once(':').expect("an address has a port");
    let status = Command::new("bash")
        .args(["-c", &command])
        .env("MARGAY_HOST", host)
        .env("MARGAY_PORT", port)
        .env("MARGAY_PLAIN_PORT", servers.servers[2].port().to_string())
        .env("MARGAY_USER", USER)
        .env("MARGAY_PASSWORD", PASSWORD)
        .env("MARGAY_FLAVOR", flavor.to_string())
        .status()
        .expect("bash runs");
    assert!(status.success(), "{status}");
}

fn create(database: impl std::fmt::Display) -> String {
    // Some suites insist on this collation.
    format!("CREATE DATABASE {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
}

/// The databases of the shards, and on the plain server the schemas and the user.
fn make_databases(servers: &Servers) {
    for index in 0..2 {
        for name in ["shop", "copy", "test", "test2"] {
            servers.run(index, &[&create(name)]);
        }
        for shard in 0..4 {
            servers.run(index, &[&create(format_args!("shop_{shard}"))]);
            servers.run(index, &[&create(format_args!("copy_{shard}"))]);
        }
    }
    for name in ["shop", "copy", "test", "test2"] {
        servers.run(2, &[&create(name)]);
    }
    let user = format!("CREATE USER {USER} IDENTIFIED BY '{PASSWORD}'");
    servers.run(2, &[&user, &format!("GRANT ALL ON *.* TO {USER} WITH GRANT OPTION")]);
}
