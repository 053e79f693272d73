//! The server with its data, the rules of the proxy, and the peers beside it.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::Instant;

use margay::cli::demo::flavor::Flavor;

use crate::client::Client;
use crate::fixture::{Proxy, Servers};

use super::cell::{WHOLE, spread_table};
use super::settings::Settings;

pub(super) const SCHEMA: &str = "bench";
pub(super) const USER: &str = "bench";
pub(super) const PASSWORD: &str = "bench";
const SPREADS: [u32; 2] = [2, 8];
const OPTIONS: [&str; 5] = [
    "--max-connections=12000",
    "--innodb-buffer-pool-size=2G",
    "--innodb-flush-log-at-trx-commit=2",
    "--max-prepared-stmt-count=1000000",
    "--back-log=4000",
];
const READY_LIMIT: Duration = Duration::from_secs(10);

/// All that runs. Fields in the order in which they must end.
pub(super) struct Stage {
    pub(super) proxy: Proxy,
    pub(super) peers: Vec<Peer>,
    pub(super) servers: Servers,
    variables: Vec<(String, String)>,
    pub(super) rows: u64,
}

/// Another proxy.
pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) port: u16,
    pub(super) child: Child,
    directory: PathBuf,
}

impl Drop for Peer {
    fn drop(&mut self) {
        // They fail only if it ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Stage {
    pub(super) fn start(flavor: Flavor, settings: &Settings) -> Self {
        let servers = Servers::start(flavor, 1, &OPTIONS);
        let began = Instant::now();
        fill(&mut Client::open(&servers.login(0)), settings.rows);
        eprintln!("{} rows in {:.0} s", settings.rows, began.elapsed().as_secs_f64());
        let variables = servers.variables();
        let proxy = Proxy::start(&rules(settings.rows), &variables);
        let server = servers.servers[0].port();
        let mut peers = vec![haproxy(server)];
        peers.extend(settings.proxysql.as_deref().map(|program| proxysql(program, server)));
        Self { proxy, peers, servers, variables, rows: settings.rows }
    }

    /// Another Margay, with these rules or the usual ones.
    pub(super) fn margay(&self, rules_text: Option<&str>) -> Proxy {
        let usual = rules(self.rows);
        Proxy::start(rules_text.unwrap_or(&usual), &self.variables)
    }

    pub(super) fn server_pid(&self) -> u32 {
        self.servers.servers[0].pid().expect("the server runs")
    }

    /// Connections to the server, but for the one that asks.
    pub(super) fn connections(&self) -> u64 {
        let mut client = Client::open(&self.servers.login(0));
        let rows = client.rows("SHOW GLOBAL STATUS LIKE 'Threads_connected'");
        let count = rows.first().and_then(|row| row.last().cloned().flatten());
        count.and_then(|count| count.parse::<u64>().ok()).expect("a count") - 1
    }
}

/// Row `id` of 1, 2, ... `rows` lies on shard `(id - 1) / (rows / shards)`.
fn fill(client: &mut Client, rows: u64) {
    let columns = "(id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL DEFAULT 0, \
                   c CHAR(120) NOT NULL DEFAULT '', pad CHAR(60) NOT NULL DEFAULT '', KEY (k))";
    client.run(&format!("CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'"));
    client.run(&format!("CREATE USER {USER}@localhost IDENTIFIED BY '{PASSWORD}'"));
    for host in ["'%'", "localhost"] {
        client.run(&format!("GRANT ALL ON *.* TO {USER}@{host}"));
    }
    client.run(&format!("CREATE DATABASE {SCHEMA}"));
    let whole = format!("{SCHEMA}.{WHOLE}");
    client.run(&format!("CREATE TABLE {whole} {columns}"));
    client.run(&format!("INSERT INTO {whole} VALUES (1, 1, 'first', 'first')"));
    let mut filled = 1;
    while filled < rows {
        let more = filled.min(rows - filled).min(100_000);
        client.run(&format!(
            "INSERT INTO {whole} SELECT id + {filled}, 1 + CRC32(id + {filled}) % {rows}, \
             LEFT(CONCAT(MD5(id + {filled}), MD5(id - {filled}), MD5(id), MD5(-id)), 119), \
             CONCAT(MD5({filled} - id), '-', LEFT(MD5(id), 20)) FROM {whole} WHERE id <= {more}"
        ));
        filled += more;
    }
    for shard in 0..SPREADS[SPREADS.len() - 1] {
        client.run(&format!("CREATE DATABASE {SCHEMA}_{shard}"));
    }
    for shards in SPREADS {
        let size = rows / u64::from(shards);
        for shard in 0..shards {
            let table = format!("{SCHEMA}_{shard}.{}", spread_table(shards));
            let first = u64::from(shard) * size + 1;
            client.run(&format!("CREATE TABLE {table} {columns}"));
            client.run(&format!(
                "INSERT INTO {table} SELECT * FROM {whole} WHERE id >= {first} AND id < {}",
                first + size
            ));
            client.run(&format!("ANALYZE TABLE {table}"));
        }
    }
    client.run(&format!("ANALYZE TABLE {whole}"));
}

fn rules(rows: u64) -> String {
    let mut text = format!(
        "listen: 127.0.0.1:0\n\
         server_version: ${{SERVER_VERSION}}\n\
         limits: {{max_connections: 20000}}\n\
         backend: {{pool_size: 100, pool_wait: 30s}}\n\
         clusters:\n  \
         c0: {{primary: \"127.0.0.1:${{C0_PORT}}\", user: {USER}, password: {PASSWORD}}}\n\
         users:\n  \
         {USER}: {{password: {PASSWORD}, schemas: {{{SCHEMA}: [read, write]}}}}\n\
         schemas:\n  {SCHEMA}:\n    default_shard: c0/{SCHEMA}\n    tables:\n      \
         {WHOLE}: {{single: c0/{SCHEMA}}}\n"
    );
    for shards in SPREADS {
        let size = rows / u64::from(shards);
        text += &format!(
            "      {}:\n        shards: [\"c0/{SCHEMA}_{{0..{}}}\"]\n        key: id\n        \
             algorithm:\n          range:\n            ranges:\n",
            spread_table(shards),
            shards - 1
        );
        for shard in 0..shards {
            let below = match shard + 1 {
                next if next == shards => String::new(),
                next => format!("below: {}, ", u64::from(next) * size + 1),
            };
            text += &format!("              - {{{below}to: c0/{SCHEMA}_{shard}}}\n");
        }
    }
    text
}

/// A directory for a program's files.
fn directory(name: &str) -> PathBuf {
    let directory =
        std::env::temp_dir().join(format!("margay-bench-{name}-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory is made");
    directory
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}

/// In TCP mode, on one thread.
fn haproxy(server: u16) -> Peer {
    let (port, directory) = (free_port(), directory("haproxy"));
    let file = directory.join("haproxy.cfg");
    let text = format!(
        "global\n  nbthread 1\n\
         defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n\
         listen db\n  bind 127.0.0.1:{port}\n  server s 127.0.0.1:{server}\n"
    );
    fs::write(&file, text).expect("its rules are written");
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(&file);
    started("haproxy", port, directory, &mut command)
}

/// One thread, no query cache, one server.
fn proxysql(program: &Path, server: u16) -> Peer {
    let (port, directory) = (free_port(), directory("proxysql"));
    let file = directory.join("proxysql.cfg");
    let text = format!(
        "datadir=\"{}\"\n\
         admin_variables={{ admin_credentials=\"admin:admin\" mysql_ifaces=\"127.0.0.1:{}\" }}\n\
         mysql_variables={{ threads=1 max_connections=20000 interfaces=\"127.0.0.1:{port}\" \
         monitor_enabled=false }}\n\
         mysql_servers=( {{ address=\"127.0.0.1\" port={server} hostgroup=0 max_connections=4000 }} )\n\
         mysql_users=( {{ username=\"{USER}\" password=\"{PASSWORD}\" default_hostgroup=0 \
         default_schema=\"{SCHEMA}\" }} )\n",
        directory.display(),
        free_port()
    );
    fs::write(&file, text).expect("its rules are written");
    let mut command = Command::new(program);
    command.args(["--initial", "-f", "-c"]).arg(&file).arg("-D").arg(&directory);
    started("proxysql", port, directory, &mut command)
}

fn started(name: &'static str, port: u16, directory: PathBuf, command: &mut Command) -> Peer {
    let log = fs::File::create(directory.join("log")).expect("its log is made");
    let errors = log.try_clone().expect("its log is shared");
    let child = command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
    let child = child.unwrap_or_else(|error| panic!("{name} does not run: {error}"));
    let peer = Peer { name, port, child, directory };
    let began = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        let log = peer.directory.join("log");
        assert!(
            began.elapsed() < READY_LIMIT,
            "{name} does not listen: {}",
            fs::read_to_string(log).unwrap_or_default()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    peer
}
