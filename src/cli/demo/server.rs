//! One server process: its data directory, its port, its start and its end.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mysql_async::prelude::Queryable;
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};

use crate::cli::demo::flavor::Flavor;
use crate::cli::demo::guard::{Guard, Signal};
use crate::cli::demo::program::Program;
use crate::cli::demo::template;
use crate::error::{Error, ErrorKind, Result};

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);
/// A port that was free may be taken by another process before the server binds it.
const PORT_ATTEMPTS: u32 = 5;
/// How much of a server's log an error shows.
const LOG_LINES: usize = 20;

/// Hears what is being done, in words for a person.
pub type Progress<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// The account with all privileges that each server gets.
#[derive(Debug, Clone)]
pub struct Account {
    pub user: String,
    pub password: String,
}

/// Starts servers of one program.
#[derive(Debug)]
pub struct Launcher {
    program: Program,
    account: Account,
    /// Where templates are made, as the server sees it; None is the user's cache, for later runs.
    templates: Option<PathBuf>,
    /// Where the template lies, as the server sees it; made by the first start.
    template: OnceCell<PathBuf>,
}

/// What a server shall be.
#[derive(Debug, Clone)]
pub struct ServerSpec {
    /// For messages, and for the directory under [`ServerSpec::directory`].
    pub name: String,
    /// Holds a directory for each server. Under the root of a program that has one. An existing database
    /// there is used as it is.
    pub directory: PathBuf,
    /// The replication identity, unique among servers that replicate.
    pub server_id: u32,
    /// Further options, like `--max-allowed-packet=64M`.
    pub options: Vec<String>,
    /// Whether the database outlives the [`Server`]. If not, [`ServerSpec::directory`] goes with the last.
    pub keep: bool,
}

/// A running server. Dropping it kills the process, and removes the database unless it is kept.
#[derive(Debug)]
pub struct Server {
    program: Program,
    account: Account,
    spec: ServerSpec,
    port: u16,
    /// Added to the statements that run at each start, before anyone can connect.
    at_start: String,
    process: Option<Process>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    guard: Guard,
}

impl Launcher {
    pub fn new(program: Program, account: Account) -> Self {
        Self { program, account, templates: None, template: OnceCell::new() }
    }

    /// Makes the template under `directory`, as the server sees it, instead of the user's cache. The
    /// caller removes it.
    #[must_use]
    pub fn with_templates_in(mut self, directory: PathBuf) -> Self {
        self.templates = Some(directory);
        self
    }

    pub fn program(&self) -> &Program {
        &self.program
    }

    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Starts a server on a free loopback port and waits until it answers, at most a minute. Several
    /// may start at once.
    pub async fn start(&self, spec: ServerSpec, progress: Progress<'_>) -> Result<Server> {
        let mut server = Server {
            program: self.program.clone(),
            account: self.account.clone(),
            spec,
            port: 0,
            at_start: String::new(),
            process: None,
        };
        let data = server.host_data();
        if !data.join("mysql").is_dir() {
            let template = self.template(progress).await?;
            let template = self.program.host_path(template);
            blocking(move || template::copy(&template, &data)).await?;
        }
        let name = &server.spec.name;
        progress(&format!("starting {name}"));
        let mut attempt = 1;
        loop {
            server.port = free_port()?;
            match server.run().await {
                Err(_) if server.log().contains("Address already in use") => {
                    if attempt == PORT_ATTEMPTS {
                        return Err(server.failed("found no free port"));
                    }
                    attempt += 1;
                }
                Err(error) => return Err(error),
                Ok(()) => return Ok(server),
            }
        }
    }

    async fn template(&self, progress: Progress<'_>) -> Result<&PathBuf> {
        self.template
            .get_or_try_init(|| async {
                let base = self.templates.as_deref();
                if !self.program.host_path(&template::path(&self.program, base)).is_dir() {
                    let (flavor, version) = (self.program.flavor(), self.program.version());
                    progress(&format!("initialising a {flavor} {version} database"));
                }
                let (program, base) = (self.program.clone(), self.templates.clone());
                blocking(move || template::make(&program, base.as_deref())).await
            })
            .await
    }
}

impl Server {
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    pub fn flavor(&self) -> Flavor {
        self.program.flavor()
    }

    /// Kept over [`Server::stop`] and [`Server::start_again`].
    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The process number while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.child.id())
    }

    /// Where its files are, its TLS certificates (MySQL makes them) among them.
    pub fn data_directory(&self) -> PathBuf {
        self.host_data()
    }

    /// A new connection of the account with all privileges.
    pub async fn connect(&self) -> Result<mysql_async::Conn> {
        let options = mysql_async::OptsBuilder::default()
            .ip_or_hostname(Ipv4Addr::LOCALHOST.to_string())
            .tcp_port(self.port)
            .prefer_socket(false)
            .user(Some(&self.account.user))
            .pass(Some(&self.account.password));
        mysql_async::Conn::new(options)
            .await
            .map_err(|error| self.failed("cannot connect").with_source(error))
    }

    /// Runs statements one after another; their rows are dropped.
    pub async fn execute(&self, statements: &[&str]) -> Result<()> {
        let mut connection = self.connect().await?;
        for statement in statements {
            connection
                .query_drop(*statement)
                .await
                .map_err(|error| self.failed(&format!("`{statement}`")).with_source(error))?;
        }
        // The server ends the connection anyway.
        let _ = connection.disconnect().await;
        Ok(())
    }

    /// Shuts down in order: SIGTERM, and SIGKILL after 10 seconds.
    pub async fn stop(&mut self) -> Result<()> {
        let Some(process) = &mut self.process else { return Ok(()) };
        process.guard.send(Signal::Terminate)?;
        let limit = Instant::now() + STOP_LIMIT;
        while Instant::now() < limit && process.is_running() {
            sleep(POLL).await;
        }
        self.kill();
        Ok(())
    }

    /// Ends it at once, as a crash of the machine would but for the file system's cache.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.end();
        }
    }

    /// Stops the process in its tracks: connections stay open, nothing answers.
    pub fn freeze(&mut self) -> Result<()> {
        self.signal(Signal::Stop)
    }

    /// Ends a [`Server::freeze`].
    pub fn thaw(&mut self) -> Result<()> {
        self.signal(Signal::Continue)
    }

    /// Starts a stopped or killed server on its port and database.
    pub async fn start_again(&mut self) -> Result<()> {
        self.kill();
        self.run().await
    }

    /// A statement to run at each further start, before anyone can connect.
    pub(crate) fn run_at_start(&mut self, statement: &str) {
        self.at_start = format!("{statement};\n");
    }

    pub(crate) fn failed(&self, what: &str) -> Error {
        Error::new(ErrorKind::NoBackend, format!("{}: {what}", self.spec.name))
    }

    fn signal(&mut self, signal: Signal) -> Result<()> {
        match &mut self.process {
            Some(process) => process.guard.send(signal),
            None => Err(self.failed("is not running")),
        }
    }

    /// As the server sees it.
    fn home(&self) -> PathBuf {
        self.spec.directory.join(&self.spec.name)
    }

    fn host_home(&self) -> PathBuf {
        self.program.host_path(&self.home())
    }

    fn host_data(&self) -> PathBuf {
        self.host_home().join("data")
    }

    fn log(&self) -> String {
        let bytes = fs::read(self.host_home().join("server.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    async fn run(&mut self) -> Result<()> {
        self.write_start_file()?;
        let log = File::create(self.host_home().join("server.log"))
            .and_then(|log| Ok((log.try_clone()?, log)))
            .map_err(|error| self.failed("cannot create its log").with_source(error))?;
        let mut command = held(&self.command());
        command.stdin(Stdio::piped()).stdout(log.0).stderr(log.1);
        let mut child = command
            .process_group(0)
            .spawn()
            .map_err(|error| self.failed("cannot run the server").with_source(error))?;
        let go = child.stdin.take();
        let remove = (!self.spec.keep).then(|| self.host_home());
        self.process = Some(Process::watched(child, remove.as_deref())?);
        go.map_or(Ok(()), |mut go| go.write_all(b"go\n"))
            .map_err(|error| self.failed("ended before its start").with_source(error))?;
        let answered = self.wait_for_answer().await;
        if answered.is_err() {
            self.kill();
        }
        answered
    }

    async fn wait_for_answer(&mut self) -> Result<()> {
        let limit = Instant::now() + START_LIMIT;
        loop {
            sleep(POLL).await;
            if !self.process.as_mut().is_some_and(Process::is_running) {
                return Err(self.failed(&format!("ended at its start:\n{}", self.log_tail())));
            }
            // Nobody listens on the port until late in the start; a try costs little.
            let Err(error) = self.connect().await else { return Ok(()) };
            if Instant::now() > limit {
                let seconds = START_LIMIT.as_secs();
                let tail = self.log_tail();
                let what = format!("does not answer after {seconds} s ({error}):\n{tail}");
                return Err(self.failed(&what));
            }
        }
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    /// Writes the statements that make the account. They stay out of the binary log, so that they never
    /// meet those of another server in replication.
    fn write_start_file(&self) -> Result<()> {
        use std::os::unix::fs::OpenOptionsExt;
        let user = format!("{}@'%'", quote(&self.account.user));
        let password = quote(&self.account.password);
        let (identified, lock_root) = match self.flavor() {
            Flavor::MySql => (
                format!("IDENTIFIED WITH caching_sha2_password BY {password}"),
                "ALTER USER IF EXISTS 'root'@'localhost' ACCOUNT LOCK;\n",
            ),
            // Its root answers to the system's root alone.
            Flavor::MariaDb => (format!("IDENTIFIED BY {password}"), ""),
        };
        let text = format!(
            "SET sql_log_bin = 0;\nCREATE USER IF NOT EXISTS {user};\nALTER USER {user} {identified};\n\
             GRANT ALL PRIVILEGES ON *.* TO {user} WITH GRANT OPTION;\n{lock_root}{}",
            self.at_start
        );
        let home = self.host_home();
        fs::create_dir_all(home.join("tmp"))
            .and_then(|()| {
                fs::OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .mode(0o600)
                    .open(home.join("start.sql"))
            })
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| self.failed("cannot write its start file").with_source(error))
    }

    fn command(&self) -> Command {
        let home = self.home();
        let mut command = self.program.command();
        command
            .arg("--no-defaults")
            .arg(format!("--datadir={}", home.join("data").display()))
            .arg(format!("--init-file={}", home.join("start.sql").display()))
            // A MariaDB that starts clears the temporary tables of all servers that share its directory.
            .arg(format!("--tmpdir={}", home.join("tmp").display()))
            // Relative to the data directory: a full path may be longer than a socket's name can be.
            .args(["--socket=mysql.sock", "--pid-file=mysql.pid", "--secure-file-priv="])
            .args(["--skip-networking=0", "--bind-address=127.0.0.1", "--skip-name-resolve"])
            .arg(format!("--port={}", self.port))
            .arg(format!("--server-id={}", self.spec.server_id))
            .args(["--log-bin=binlog", "--binlog-format=ROW", "--relay-log=relay"])
            .args(["--log-slave-updates=ON", "--local-infile=ON", "--skip-slave-start=OFF"])
            .args(["--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=2"])
            .args(["--sync-binlog=0", "--performance-schema=OFF", "--max-connections=500"]);
        match self.flavor() {
            Flavor::MySql => command
                .args(["--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--mysqlx=OFF"])
                .arg("--loose-innodb-redo-log-capacity=64M"),
            Flavor::MariaDb => {
                command.args(["--gtid-strict-mode=ON", "--innodb-log-file-size=64M"])
            }
        };
        if template::is_root(&self.host_data()) {
            command.arg("--user=root");
        }
        command.args(&self.spec.options);
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if !self.spec.keep {
            // What is left of it is in a directory for temporary files.
            let _ = fs::remove_dir_all(self.host_home());
            // Fails while it holds anything, a server or a file of the caller.
            let _ = fs::remove_dir(self.program.host_path(&self.spec.directory));
        }
    }
}

impl Process {
    fn watched(mut child: Child, remove: Option<&Path>) -> Result<Self> {
        match Guard::watch(child.id(), remove) {
            Ok(guard) => Ok(Self { child, guard }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    fn end(&mut self) {
        // Both fail only if it ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.guard.dismiss();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// The command behind a shell that waits for a line before it becomes the server, and ends if none
/// comes: the server never runs without its guard.
fn held(server: &Command) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "read -r go && exec \"$@\" < /dev/null", "sh"]);
    command.arg(server.get_program()).args(server.get_args());
    command
}

fn free_port() -> Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| {
            Error::new(ErrorKind::NoBackend, "cannot find a free port on 127.0.0.1")
                .with_source(error)
        })
}

/// A string literal on one line, which is what a start file can hold.
fn quote(text: &str) -> String {
    let mut quoted = String::from("'");
    for c in text.chars() {
        match c {
            '\'' => quoted.push_str("''"),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::internal("a file copy panicked").with_source(error))?
}

#[cfg(test)]
mod tests {
    use super::quote;

    fn check(text: &str, quoted: &str) {
        assert_eq!(quote(text), quoted);
    }

    #[test]
    fn quotes_for_one_line() {
        check("plain", "'plain'");
        check("it's", "'it''s'");
        check("a\\b\nc", r"'a\\b\nc'");
    }
}
