//! LOAD DATA LOCAL through the proxy leaves what it leaves on one plain server.

mod cases;
mod faults;

use std::time::Duration;

use margay::cli::demo::flavor::Flavor;

use crate::client::reply::{Done, Reply};
use crate::client::{Client, Login, capability};
use crate::fixture::{PASSWORD, Proxy, Servers, USER, wanted};
use cases::{CASES, Case, TABLES};

const RULES: &str = r#"
listen: 127.0.0.1:0
server_version: ${SERVER_VERSION}
local_infile: true
clusters:
  c0: {primary: "127.0.0.1:${C0_PORT}", user: "${BACKEND_USER}", password: "${BACKEND_PASSWORD}"}
  c1: {primary: "127.0.0.1:${C1_PORT}", user: "${BACKEND_USER}", password: "${BACKEND_PASSWORD}"}
users:
  app: {password: "${APP_PASSWORD}", schemas: {shop: [read, write]}}
  admin: {password: "${APP_PASSWORD}", schemas: {shop: [read, write]}, admin: true}
schemas:
  shop:
    default_shard: c0/shop
    tables:
      one: {single: c1/shop_0}
      copies: {broadcast: "c{0..1}/shop_{0..1}"}
      hashed: {shards: "c{0..1}/shop_{0..1}", key: id, algorithm: modulo}
      coded: {shards: "c{0..1}/shop_{0..1}", key: code, algorithm: hash}
      parted:
        shards: "c{0..1}/shop_{0..1}"
        key: id
        algorithm: hash
        tables: {names: "parted_{0..2}", key: grp, algorithm: {modulo: {null: parted_0}}}
      dated:
        shards: "c{0..1}/shop_{0..1}"
        key: id
        algorithm: hash
        tables:
          key: day
          algorithm: {time: {unit: month, from: "2024-01-01", to: "2024-07-01", suffix: "_%Y%m", create_ahead: 1d}}
      flakes: {shards: "c{0..1}/shop_{0..1}", key: id, algorithm: modulo, id: {column: id}}
      counts: {shards: "c{0..1}/shop_{0..1}", key: grp, algorithm: modulo, id: {column: id}}
      typed: {shards: "c{0..1}/shop_{0..1}", key: id, algorithm: hash}
      listed:
        shards: "c{0..1}/shop_{0..1}"
        key: id
        algorithm: {list: {values: {c0/shop_0: [1, 2], c1/shop_0: [3]}}}
"#;

/// The proxy over servers 0 and 1, and server 2 that holds all rows.
pub(super) struct World {
    pub(super) servers: Servers,
    pub(super) proxy: Proxy,
}

impl World {
    fn start(flavor: Flavor) -> Self {
        let servers = Servers::start(flavor, 3, &["--local-infile=1"]);
        for index in 0..3 {
            servers.run(index, &["CREATE DATABASE shop CHARACTER SET utf8mb4"]);
        }
        for index in 0..2 {
            for shard in 0..2 {
                let create = format!("CREATE DATABASE shop_{shard} CHARACTER SET utf8mb4");
                servers.run(index, &[&create]);
            }
        }
        let proxy = Proxy::start(RULES, &servers.variables());
        Self { servers, proxy }
    }

    pub(super) fn proxy_login(&self) -> Login {
        Login::new(self.proxy.address.clone(), USER, PASSWORD)
            .schema("shop")
            .with(capability::LOCAL_FILES | capability::MULTI_STATEMENTS)
    }

    fn clients(&self) -> [Client; 2] {
        let wanted = capability::LOCAL_FILES | capability::MULTI_STATEMENTS;
        let plain = self.servers.login(2).schema("shop").with(wanted);
        [Client::open(&plain), Client::open(&self.proxy_login())]
    }
}

/// Runs a statement with a file, which comes in pieces of so many bytes.
pub(super) fn load(client: &mut Client, sql: &str, file: &[u8], size: usize) -> Reply {
    let pieces = file.chunks(size).map(<[u8]>::to_vec);
    let (_, mut replies) = client.load(sql, pieces).expect("the connection holds");
    replies.pop().expect("a reply")
}

#[test]
fn load_mysql() {
    run(Flavor::MySql);
}

#[test]
fn load_mariadb() {
    run(Flavor::MariaDb);
}

fn run(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let world = World::start(flavor);
    let [mut plain, mut proxy] = world.clients();
    let mut failed = Vec::new();
    for (table, rest) in TABLES {
        let create = format!("CREATE TABLE {table} {rest}");
        plain.run(&create);
        proxy.run(&create);
        let all = faults::length_given().is_none();
        for case in CASES.iter().filter(|case| all && case.suits(table)) {
            if let Err(difference) = compare([&mut plain, &mut proxy], table, case) {
                failed.push(format!("{table}: {}: {difference}", case.name));
            }
        }
    }
    faults::check(&world, &mut failed);
    assert!(failed.is_empty(), "{} differences:\n{}", failed.len(), failed.join("\n"));
}

/// Runs a case on both, and looks at all that it leaves.
fn compare(clients: [&mut Client; 2], table: &str, case: &Case) -> Result<(), String> {
    let statement = case.statement.replace("{T}", table);
    let refused = case.refused.contains(&table);
    let mut found = Vec::new();
    for (index, client) in clients.into_iter().enumerate() {
        client.limit_waits(Duration::from_secs(60)).expect("a limit");
        client.run(&format!("DELETE FROM {table}"));
        client.run("SET @v = 'before', @w = 7");
        for before in case.before {
            client.run(&before.replace("{T}", table));
        }
        let size = [1 << 14, 7][index];
        let reply = load(client, &statement, case.file, size);
        if index == 1 && refused {
            return match reply {
                Reply::Error(error) if error.code == 1235 || error.code == 1526 => {
                    let count = client.value(&format!("SELECT COUNT(*) FROM {table}"));
                    (!case.before.is_empty() || count == "0").then_some(()).ok_or(count)
                }
                other => Err(format!("not refused but {other:?}")),
            };
        }
        let told = match reply {
            Reply::Done(Done { affected, last_insert_id, warnings, info, .. }) => {
                format!("{affected} rows, id {last_insert_id}, {warnings} warnings, {info}")
            }
            Reply::Error(error) => error.to_string().replace("shop.", ""),
            Reply::Rows(_) => return Err("rows".to_owned()),
        };
        let mut warnings = client.rows("SHOW WARNINGS");
        if case.name.contains("duplicates") {
            // They name no rows, by which those of several shards could be put in order.
            warnings.sort();
        }
        let variables = client.rows("SELECT @v, @w, LAST_INSERT_ID() > 0, ROW_COUNT()");
        let rows = client.rows(&format!("SELECT * FROM {table} ORDER BY id, code, note, grp, day"));
        if client.rows("SELECT 1").len() != 1 {
            return Err("the connection is out of step".to_owned());
        }
        client.run("ROLLBACK; SET autocommit = 1; UNLOCK TABLES");
        let rows_later = client.rows(&format!("SELECT COUNT(*) FROM {table}"));
        found.push((told, warnings, variables, rows, rows_later));
    }
    match found.as_slice() {
        [plain, proxy] if plain == proxy => Ok(()),
        [plain, proxy] => Err(format!("\n  plain {plain:?}\n  proxy {proxy:?}")),
        _ => Err("no answers".to_owned()),
    }
}
