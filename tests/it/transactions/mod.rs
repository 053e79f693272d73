//! Transactions over several clusters: what statements see, and what is left when something dies.

mod bank;
mod bench;
mod crash;
mod relay;
mod snapshots;
mod statements;

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use margay::cli::demo::flavor::Flavor;
use tokio::time::Instant;

use crate::client::reply::Reply;
use crate::client::{Client, Login};
use crate::fixture::{PASSWORD, Proxy, Servers, USER};
use relay::{Gate, Relay};

/// How soon after all servers are reachable nothing may be in doubt any more.
const DOUBT_LIMIT: Duration = Duration::from_secs(10);

const RULES: &str = include_str!("rules.yaml");

/// Clusters of one server each, with a relay in front of each server.
struct Field {
    servers: Servers,
    relays: Vec<Relay>,
    gate: Gate,
}

impl Field {
    fn start(flavor: Flavor, count: u32) -> Self {
        Self::start_with(flavor, count, &[])
    }

    /// `options`: more of the servers'.
    fn start_with(flavor: Flavor, count: u32, options: &[&str]) -> Self {
        let options = [&["--innodb-lock-wait-timeout=3"], options].concat();
        let servers = Servers::start(flavor, count, &options);
        for index in 0..count as usize {
            servers.run(
                index,
                &[
                    "CREATE DATABASE bank",
                    "CREATE TABLE bank.accounts (id INT PRIMARY KEY, amount INT NOT NULL)",
                    "CREATE TABLE bank.transfers (id INT, part INT, PRIMARY KEY (part, id))",
                    "CREATE TABLE bank.rates (id INT PRIMARY KEY, rate INT, \
                     changed TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6))",
                ],
            );
        }
        let gate = Gate::default();
        let relays = servers.servers.iter().enumerate();
        let relays = relays.map(|(i, server)| Relay::start(i, server.address(), &gate)).collect();
        Self { servers, relays, gate }
    }

    /// A proxy in front of the servers themselves, or of the relays. `more`: further lines of the rules.
    fn proxy(&self, relayed: bool, more: &str) -> Proxy {
        Proxy::start(&self.rules(relayed, more), &self.servers.variables())
    }

    /// As [`Field::proxy`] in front of the servers, with other values of variables.
    fn proxy_with(&self, more: &str, others: &[(&str, &str)]) -> Proxy {
        let mut variables = self.servers.variables();
        let others = others.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        variables.extend(others);
        Proxy::start(&self.rules(false, more), &variables)
    }

    /// A proxy in front of these addresses, which lead to the servers.
    fn proxy_at(&self, addresses: &[SocketAddr]) -> Proxy {
        let ports: Vec<u16> = addresses.iter().map(SocketAddr::port).collect();
        Proxy::start(&self.rules_at(&ports, ""), &self.servers.variables())
    }

    fn rules(&self, relayed: bool, more: &str) -> String {
        let ports: Vec<u16> = match relayed {
            true => self.relays.iter().map(|relay| relay.address.port()).collect(),
            false => self.servers.servers.iter().map(|server| server.port()).collect(),
        };
        self.rules_at(&ports, more)
    }

    fn rules_at(&self, ports: &[u16], more: &str) -> String {
        let mut rules = RULES.replace("# more", more);
        let mut clusters = String::new();
        for (index, port) in ports.iter().enumerate() {
            clusters += &format!(
                "  c{index}: {{primary: \"127.0.0.1:{port}\", user: \"${{BACKEND_USER}}\", \
                 password: \"${{BACKEND_PASSWORD}}\", tls: disabled}}\n"
            );
        }
        let last = self.servers.servers.len() - 1;
        rules = rules.replace("  # clusters\n", &clusters);
        rules.replace("LAST", &last.to_string())
    }

    fn server(&self, index: usize) -> Client {
        Client::open(&self.servers.login(index))
    }

    /// Whether no branch is prepared on any server.
    fn is_clear(&self) -> bool {
        (0..self.servers.servers.len()).all(|index| {
            Client::connect(&self.servers.login(index))
                .is_ok_and(|mut client| client.rows("XA RECOVER").is_empty())
        })
    }

    /// Waits until recovery has ended all branches.
    fn wait_clear(&self) {
        let start = Instant::now();
        while !self.is_clear() {
            assert!(start.elapsed() < DOUBT_LIMIT, "branches stay in doubt");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The sum of a query over all servers.
    fn sum(&self, sql: &str) -> i64 {
        let values = (0..self.servers.servers.len()).map(|index| self.server(index).value(sql));
        values.map(|value| value.parse::<i64>().expect("a number")).sum()
    }
}

fn login(proxy: &Proxy) -> Login {
    Login::new(proxy.address.clone(), USER, PASSWORD).schema("bank")
}

fn client(proxy: &Proxy) -> Client {
    Client::open(&login(proxy))
}

/// SIGKILL.
fn kill(pid: u32) {
    signal(pid, "KILL");
}

fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "no signal to {pid}");
}

/// What a client was told of its commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Done,
    RolledBack,
    /// An error that says so, or no answer.
    Unknown,
}

/// Runs statements to the first that fails.
fn told(client: &mut Client, statements: &[String]) -> Told {
    for statement in statements {
        match client.query(statement).map(|mut replies| replies.pop()) {
            Ok(Some(Reply::Error(error))) if error.state == "08007" => return Told::Unknown,
            Ok(Some(Reply::Error(_))) => return Told::RolledBack,
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return Told::Unknown,
        }
    }
    Told::Done
}
