//! Servers that stay up with their data: `MARGAY_TPCH_KEEP=FILE`.
//!
//! The run that finds no file starts servers, loads them, writes the file and waits until it is removed.
//! Runs that find it use these servers, behind a proxy of their own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::client::Login;

/// Variables of a rule file.
pub(super) type Variables = Vec<(String, String)>;

/// The file; None: nothing is kept.
pub(super) fn file() -> Option<PathBuf> {
    std::env::var_os("MARGAY_TPCH_KEEP").map(PathBuf::from)
}

/// The servers that some other run keeps.
pub(super) fn read(file: &Path) -> Option<Variables> {
    let text = std::fs::read_to_string(file).ok()?;
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    Some(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Keeps servers up until the file is removed.
pub(super) fn wait(file: &Path, variables: &Variables) {
    let lines = variables.iter().map(|(name, value)| format!("{name}={value}\n"));
    std::fs::write(file, lines.collect::<String>()).expect("the file of the servers is written");
    eprintln!("tpch: the servers stay up until {} is removed", file.display());
    while file.exists() {
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// A login to the server with this number.
pub(super) fn login(variables: &Variables, server: usize) -> Login {
    let value = |name: &str| {
        let found = variables.iter().find(|(own, _)| own == name);
        found.map_or_else(|| panic!("no {name} in the file of the servers"), |(_, value)| value)
    };
    let address = format!("127.0.0.1:{}", value(&format!("C{server}_PORT")));
    Login::new(address, value("BACKEND_USER"), value("BACKEND_PASSWORD"))
}
