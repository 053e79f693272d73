//! What integration tests stand on: servers, rule files, a running proxy.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::client::{Client, Login};
use crate::differential::Target;

pub(crate) const SCHEMA: &str = "shop";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavor {
    MySql,
    MariaDb,
}

/// A plain server and a proxy over others of the same flavor.
pub(crate) struct Differential {
    plain: Login,
    proxy: Login,
}

impl Differential {
    /// By hand: `MARGAY_TEST_PLAIN` and `MARGAY_TEST_PROXY` are `user:password@host:port` of running
    /// servers.
    pub(crate) fn start(flavor: Flavor) -> Option<Self> {
        let plain = by_hand("MARGAY_TEST_PLAIN")?;
        let proxy = by_hand("MARGAY_TEST_PROXY")?;
        let mariadb = Client::open(&plain).greeting.version.contains("MariaDB");
        if mariadb != (flavor == Flavor::MariaDb) {
            return None;
        }
        Some(Self { plain: plain.schema(SCHEMA), proxy: proxy.schema(SCHEMA) })
    }

    pub(crate) fn target(&self) -> Target {
        Target { plain: self.plain.clone(), proxy: self.proxy.clone() }
    }
}

/// Reads `user:password@host:port` from a variable.
fn by_hand(variable: &str) -> Option<Login> {
    let text = std::env::var(variable).ok()?;
    let (account, address) = text.rsplit_once('@').unwrap_or(("root:", &text));
    let (user, password) = account.split_once(':').unwrap_or((account, ""));
    Some(Login::new(address, user, password))
}
