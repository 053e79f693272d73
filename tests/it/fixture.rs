//! What integration tests stand on: servers, rule files, a running proxy.
//!
//! `MARGAY_TEST_STAND_IN=1` puts one plain server in the place of the proxy: the tests that pass then
//! ask nothing of the proxy that a server does not do.
//!
//! `MARGAY_TEST_PROXY` and `MARGAY_TEST_PLAIN`, each `user:password@host:port`, run the differential
//! suite against servers started by hand instead.
//!
//! `MARGAY_TEST_PROGRAM=FILE` runs that proxy, such as a release build, instead of the one of the tests.

use std::fs;
use std::io::{BufRead, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use jiff::{Span, Zoned};
use margay::cli::demo::flavor::Flavor;
use margay::cli::demo::server::Server;
use tokio::runtime::Runtime;

use crate::client::{Client, Login, Refused};
use crate::differential::Target;
use crate::servers;

pub(crate) const SCHEMA: &str = "shop";
pub(crate) const USER: &str = "app";
pub(crate) const PASSWORD: &str = "an app's \"secret\"";
const READY_LIMIT: Duration = Duration::from_secs(30);
/// The file, beside the rules, that takes the proxy's log.
const LOG: &str = "log";
/// So many of its last lines are shown if the test fails.
const LOG_LINES: usize = 40;

/// Whether tests of this flavor are wanted; says so if not.
pub(crate) fn wanted(flavor: Flavor) -> bool {
    let wanted = servers::flavors().contains(&flavor);
    if !wanted {
        eprintln!("left out by MARGAY_TEST_FLAVORS: {flavor}");
    }
    wanted
}

/// A few servers of one flavor. Fields in the order in which they must end.
pub(crate) struct Servers {
    pub(crate) servers: Vec<Server>,
    pub(crate) runtime: Runtime,
}

impl Servers {
    /// Server ids count from 1.
    pub(crate) fn start(flavor: Flavor, count: u32, options: &[&str]) -> Self {
        let runtime = Runtime::new().expect("a runtime starts");
        let launcher = servers::launcher(flavor);
        let servers = runtime.block_on(async {
            let starts = (1..=count).map(|id| servers::start(&launcher, id, options));
            futures_util::future::join_all(starts).await
        });
        Self { servers, runtime }
    }

    pub(crate) fn login(&self, index: usize) -> Login {
        let server = &self.servers[index];
        let account = server.account();
        Login::new(server.address().to_string(), &account.user, &account.password)
    }

    pub(crate) fn run(&self, index: usize, statements: &[&str]) {
        let mut client = Client::open(&self.login(index));
        statements.iter().for_each(|statement| drop(client.run(statement)));
    }

    /// A client of a server that may be starting again.
    fn greeted(&self, index: usize) -> Client {
        const TRIES: usize = 600;
        let login = self.login(index);
        for _ in 0..TRIES {
            if let Ok(client) = Client::connect(&login) {
                return client;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Client::open(&login)
    }

    /// The variables that every rule file may use.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let account = self.servers[0].account();
        let version = self.greeted(0).greeting.version;
        let from = Zoned::now().checked_sub(Span::new().days(20)).expect("a date of this age");
        let mut variables = vec![
            ("BACKEND_USER".to_owned(), account.user.clone()),
            ("BACKEND_PASSWORD".to_owned(), account.password.clone()),
            ("APP_PASSWORD".to_owned(), PASSWORD.to_owned()),
            ("SERVER_VERSION".to_owned(), version),
            ("TIME_FROM".to_owned(), from.strftime("%Y-%m-%d").to_string()),
        ];
        variables.extend(
            self.servers
                .iter()
                .enumerate()
                .map(|(index, server)| (format!("C{index}_PORT"), server.port().to_string())),
        );
        variables
    }
}

/// A running `margay serve`. Dropping it kills the process and removes its rules; a test that fails shows the
/// end of its log.
pub(crate) struct Proxy {
    /// None for a stand-in.
    process: Option<Process>,
    pub(crate) address: String,
}

struct Process {
    child: Child,
    directory: PathBuf,
}

impl Proxy {
    /// Runs the built program on this rule file and waits until it says that it is ready.
    pub(crate) fn start(rules: &str, variables: &[(String, String)]) -> Self {
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let name = format!("margay-rules-{}-{serial}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).expect("the directory of the rules is made");
        fs::write(directory.join("rules.yaml"), rules).expect("the rules are written");
        let log = fs::File::create(directory.join(LOG)).expect("the log is made");
        let program = std::env::var_os("MARGAY_TEST_PROGRAM")
            .unwrap_or_else(|| env!("CARGO_BIN_EXE_margay").into());
        let mut child = Command::new(program)
            .arg("serve")
            .arg(&directory)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program runs");
        let stdout = child.stdout.take().expect("the output is a pipe");
        let process = Some(Process { child, directory });
        let mut proxy = Self { process, address: String::new() };
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            // Reads on to the end, so that the proxy never waits for us.
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("ready: mysql ") {
                    let _ = sender.send(address.trim().to_owned());
                }
            }
        });
        match receiver.recv_timeout(READY_LIMIT) {
            Ok(address) => proxy.address = address,
            Err(mpsc::RecvTimeoutError::Disconnected) => panic!("margay ended before it was ready"),
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("not ready after {READY_LIMIT:?}"),
        }
        proxy
    }

    /// A plain server in its place.
    fn stand_in(servers: &Servers, index: usize) -> Self {
        let mut client = Client::open(&servers.login(index));
        let password = PASSWORD.replace('\'', "''");
        client.run("CREATE DATABASE shop");
        client.run(&format!("CREATE USER {USER} IDENTIFIED BY '{password}'"));
        client.run(&format!("GRANT ALL ON *.* TO {USER}"));
        Self { process: None, address: servers.servers[index].address().to_string() }
    }

    /// Whether a plain server stands in: what only a proxy has cannot be looked at.
    pub(crate) fn is_stand_in(&self) -> bool {
        self.process.is_none()
    }

    pub(crate) fn login(&self) -> Login {
        Login::new(self.address.clone(), USER, PASSWORD).schema(SCHEMA)
    }

    /// None for a stand-in.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.child.id())
    }

    /// A line of `/proc/PID/status` in KiB, such as `VmHWM`.
    pub(crate) fn memory_kib(&self, name: &str) -> u64 {
        let Some(process) = &self.process else { return 0 };
        let path = format!("/proc/{}/status", process.child.id());
        let status = fs::read_to_string(path).expect("the proxy runs");
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().nth(1));
        number.and_then(|number| number.parse().ok()).expect("the line has a number")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if it ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.directory.join(LOG)).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!(
                "the proxy's log ends:\n{}",
                lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
            );
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A proxy over two clusters of one server each, and perhaps a plain server that holds all the rows.
pub(crate) struct Shop {
    pub(crate) proxy: Proxy,
    pub(crate) servers: Servers,
}

impl Shop {
    /// Servers 0 and 1 are the clusters `c0` and `c1`; any further ones are the caller's.
    pub(crate) fn start(flavor: Flavor, count: u32) -> Self {
        Self::start_with(flavor, count, &[])
    }

    /// With further options of the servers.
    pub(crate) fn start_with(flavor: Flavor, count: u32, options: &[&str]) -> Self {
        let stand_in = std::env::var_os("MARGAY_TEST_STAND_IN").is_some();
        let options = [&["--max-allowed-packet=128M", "--local-infile=1"], options].concat();
        let servers = Servers::start(flavor, count + u32::from(stand_in), &options);
        for index in 0..2 {
            servers.run(index, &["CREATE DATABASE shop"]);
            for shard in 0..4 {
                servers.run(index, &[&format!("CREATE DATABASE shop_{shard}")]);
            }
        }
        let proxy = if stand_in {
            Proxy::stand_in(&servers, count as usize)
        } else {
            Proxy::start(&rules("rules.yaml"), &servers.variables())
        };
        Self { proxy, servers }
    }

    pub(crate) fn client(&self) -> Client {
        Client::open(&self.proxy.login())
    }
}

/// A rule file of `tests/differential`.
pub(crate) fn rules(name: &str) -> String {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential");
    fs::read_to_string(directory.join(name)).expect("the rule file is there")
}

/// The two servers of the differential suite.
pub(crate) enum Differential {
    ByHand(Box<Target>),
    Started(Box<Shop>),
}

impl Differential {
    /// `options` are further ones of servers that are started here.
    pub(crate) fn start(flavor: Flavor, options: &[&str]) -> Option<Self> {
        if let (Some(plain), Some(proxy)) =
            (by_hand("MARGAY_TEST_PLAIN"), by_hand("MARGAY_TEST_PROXY"))
        {
            let mariadb = Client::open(&plain).greeting.version.contains("MariaDB");
            let fits = mariadb == (flavor == Flavor::MariaDb);
            return fits.then(|| {
                let (plain, proxy) = (plain.schema(SCHEMA), proxy.schema(SCHEMA));
                Self::ByHand(Box::new(Target { plain, proxy }))
            });
        }
        if !wanted(flavor) {
            return None;
        }
        let shop = Shop::start_with(flavor, 3, options);
        shop.servers.run(2, &["CREATE DATABASE shop"]);
        Some(Self::Started(Box::new(shop)))
    }

    /// Runs a statement on all servers that were started here.
    pub(crate) fn run_on_servers(&self, statement: &str) {
        if let Self::Started(shop) = self {
            (0..shop.servers.servers.len()).for_each(|at| shop.servers.run(at, &[statement]));
        }
    }

    /// Starts the servers again that have ended, and says how many had.
    pub(crate) fn revive(&mut self) -> usize {
        let Self::Started(shop) = self else { return 0 };
        let Servers { servers, runtime } = &mut shop.servers;
        runtime.block_on(async {
            let mut count = 0;
            for server in servers {
                if server.connect().await.is_err() {
                    server.start_again().await.expect("the server starts again");
                    count += 1;
                }
            }
            count
        })
    }

    pub(crate) fn target(&self) -> Target {
        match self {
            Self::ByHand(target) => Target::clone(target),
            Self::Started(shop) => {
                Target { plain: shop.servers.login(2).schema(SCHEMA), proxy: shop.proxy.login() }
            }
        }
    }
}

/// Reads `user:password@host:port` from a variable.
fn by_hand(variable: &str) -> Option<Login> {
    let text = std::env::var(variable).ok()?;
    let (account, address) = text.rsplit_once('@').unwrap_or(("root:", &text));
    let (user, password) = account.split_once(':').unwrap_or((account, ""));
    Some(Login::new(address, user, password))
}

/// A part of a test, with its name.
pub(crate) type Check<T> = (&'static str, fn(&T));

/// Runs all checks, whichever of them fail, and fails with the names of those.
pub(crate) fn run_checks<T>(subject: &T, checks: &[Check<T>]) {
    let failed: Vec<&str> = checks
        .iter()
        .filter(|(_, check)| catch_unwind(AssertUnwindSafe(|| check(subject))).is_err())
        .map(|(name, _)| *name)
        .collect();
    assert!(failed.is_empty(), "{} of {} checks failed: {failed:?}", failed.len(), checks.len());
}

/// The code and SQLSTATE with which a login is refused.
pub(crate) fn refusal(login: &Login) -> (u16, String) {
    match Client::connect(login) {
        Err(Refused::Server(error)) => (error.code, error.state),
        Err(Refused::Io(error)) => panic!("no error but a broken connection: {error}"),
        Ok(_) => panic!("the login succeeds"),
    }
}
