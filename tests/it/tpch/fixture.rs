//! The data of TPC-H twice: on one plain server, and over the four shards of a proxy.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use jiff::civil::DateTime;
use margay::cli::demo::flavor::Flavor;
use tokio::time::Instant;

use crate::client::{Client, Login};
use crate::differential::Target;
use crate::differential::case::{Case, CaseFile, Dialect};
use crate::fixture::{PASSWORD, Proxy, Servers, USER};

use super::data;
use super::keep::{self, Variables};

const SCHEMA: &str = "tpch";
/// The clusters of the rules are servers 0 and 1.
const CLUSTERS: [usize; 2] = [0, 1];
const PLAIN: usize = 2;
/// Databases on each cluster.
const SHARDS: usize = 2;
/// Options of all servers: the data stays in memory, of which a server takes what it needs.
const OPTIONS: [&str; 3] =
    ["--innodb-buffer-pool-size=1G", "--local-infile=1", "--max-allowed-packet=64M"];
/// Connections that load at once.
const LOADERS: usize = 4;

pub(super) struct Tpch {
    proxy: Proxy,
    /// None: another run keeps them.
    servers: Option<Servers>,
    variables: Variables,
    pub(super) scale: f64,
}

/// A file of `tests/tpch`: mostly one statement.
pub(super) struct Query {
    /// `q01` to `q22`, and `q15_view`.
    pub(super) name: String,
    pub(super) cases: Vec<Case>,
}

impl Tpch {
    /// Starts all and loads it.
    pub(super) fn start(flavor: Flavor, scale: f64) -> Self {
        let kept = keep::file().and_then(|file| keep::read(&file));
        if let Some(variables) = kept {
            let proxy = Proxy::start(&read("rules.yaml"), &variables);
            return Self { proxy, servers: None, variables, scale };
        }
        let servers = Servers::start(flavor, 3, &OPTIONS);
        for server in CLUSTERS {
            for shard in 0..SHARDS {
                servers.run(server, &[&format!("CREATE DATABASE tpch_{shard}")]);
            }
        }
        servers.run(PLAIN, &["CREATE DATABASE tpch"]);
        let variables = servers.variables();
        let proxy = Proxy::start(&read("rules.yaml"), &variables);
        let tpch = Self { proxy, servers: Some(servers), variables, scale };
        let Target { plain, proxy } = tpch.target();
        let (plain, proxy) = (load(&plain, scale), load(&proxy, scale));
        eprintln!(
            "tpch {flavor}: scale factor {scale}, loaded in {:.1} s, through Margay in {:.1} s",
            plain.as_secs_f64(),
            proxy.as_secs_f64()
        );
        tpch.analyze();
        tpch.check_counts();
        tpch
    }

    /// Waits while `MARGAY_TPCH_KEEP` says so, if the servers are of this run.
    pub(super) fn keep(&self) {
        if let (Some(_), Some(file)) = (&self.servers, keep::file()) {
            keep::wait(&file, &self.variables);
        }
    }

    pub(super) fn target(&self) -> Target {
        let proxy = Login::new(self.proxy.address.clone(), USER, PASSWORD);
        let plain = keep::login(&self.variables, PLAIN);
        Target { plain: plain.schema(SCHEMA), proxy: proxy.schema(SCHEMA) }
    }

    /// A connection to each server behind the proxy.
    pub(super) fn shard_servers(&self) -> Vec<Client> {
        let login = |server: &usize| keep::login(&self.variables, *server);
        CLUSTERS.iter().map(|server| Client::open(&login(server))).collect()
    }

    pub(super) fn dialect(&self) -> Dialect {
        let client = Client::open(&keep::login(&self.variables, PLAIN));
        Dialect::of_version(&client.greeting.version)
    }

    /// Fresh statistics, so that plans do not depend on when the server last took them.
    fn analyze(&self) {
        let tables: Vec<&str> = data::table_names().collect();
        let analyze = |server: usize, database: &str| {
            let names: Vec<String> =
                tables.iter().map(|table| format!("{database}.{table}")).collect();
            let mut client = Client::open(&keep::login(&self.variables, server));
            client.run(&format!("ANALYZE TABLE {}", names.join(", ")));
        };
        for server in CLUSTERS {
            (0..SHARDS).for_each(|shard| analyze(server, &format!("tpch_{shard}")));
        }
        analyze(PLAIN, SCHEMA);
    }

    fn check_counts(&self) {
        let target = self.target();
        let (mut plain, mut proxy) = (Client::open(&target.plain), Client::open(&target.proxy));
        for table in data::table_names() {
            let sql = format!("SELECT COUNT(*) FROM {table}");
            assert_eq!(proxy.value(&sql), plain.value(&sql), "{sql}");
        }
    }
}

/// Makes the tables and fills them.
fn load(login: &Login, scale: f64) -> Duration {
    let began = Instant::now();
    let mut client = Client::open(login);
    let schema = CaseFile::new("schema.sql", &read("schema.sql"));
    for case in schema.cases(Dialect::MySql, "", DateTime::default()) {
        client.run(&case.sql);
    }
    let pieces = Mutex::new(data::pieces().into_iter());
    let next = || pieces.lock().ok().and_then(|mut pieces| pieces.next());
    std::thread::scope(|scope| {
        for _ in 0..LOADERS {
            scope.spawn(|| {
                let mut client = Client::open(login);
                while let Some(piece) = next() {
                    piece.inserts(scale, |sql| drop(client.run(sql)));
                }
            });
        }
    });
    began.elapsed()
}

/// The queries in order; those that `MARGAY_TPCH_QUERIES=q05,q11` names, if it is set.
pub(super) fn queries(scale: f64, dialect: Dialect) -> Vec<Query> {
    let wanted = std::env::var("MARGAY_TPCH_QUERIES").unwrap_or_default();
    let is_wanted =
        |name: &str| wanted.is_empty() || wanted.split(',').any(|wanted| wanted.trim() == name);
    let entries = std::fs::read_dir(directory()).expect("tests/tpch is there");
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".sql").map(str::to_owned))
        .filter(|name| name.starts_with('q') && is_wanted(name))
        .collect();
    names.sort();
    let fraction = format!("{:.10}", 0.0001 / scale);
    let query = |name: String| {
        let text = read(&format!("{name}.sql")).replace("{fraction}", &fraction);
        let cases = CaseFile::new(&name, &text).cases(dialect, "", DateTime::default());
        Query { name, cases }
    };
    names.into_iter().map(query).collect()
}

/// `MARGAY_TPCH_SF`, or what is usual.
pub(super) fn scale(usual: f64) -> f64 {
    let Ok(text) = std::env::var("MARGAY_TPCH_SF") else { return usual };
    let scale = text.parse().ok().filter(|scale: &f64| scale.is_finite() && *scale > 0.0);
    scale.unwrap_or_else(|| panic!("MARGAY_TPCH_SF: `{text}` is no scale factor, such as 0.01"))
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tpch")
}

fn read(name: &str) -> String {
    let path = directory().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
