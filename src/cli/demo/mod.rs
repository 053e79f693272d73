//! `margay demo`: real MySQL servers as child processes, the proxy before them, and sample data.
//!
//! [`program`] finds a server program, [`template`] initialises a data directory once, [`server`] runs
//! a copy of it under a [`guard`] that ends it with us, and [`replication`] makes one follow another:
//! the tests stand on these too. [`cluster`] pairs servers, [`stage`] sets all up by the [`rules`] and
//! the [`data`], [`client`] speaks to the proxy, [`screen`] tells what to try.

mod client;
mod cluster;
mod data;
pub mod flavor;
mod guard;
pub mod program;
pub mod replication;
mod rules;
mod screen;
pub mod server;
mod stage;
mod table;
mod template;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use jiff::Zoned;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::output::print;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{Mode, script};

use client::{Client, Outcome};
use program::Program;
use server::{Account, Launcher};
use stage::{Stage, TEMPLATE, tell};

/// The exit code of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;
/// How long a server may take to end its initialisation if we are stopped meanwhile.
const INITIALISATION_LIMIT: Duration = Duration::from_secs(10);

/// Start a whole sharded system on this machine, with sample data, to play with.
///
/// Two clusters, each a primary and a replica, are started as child processes on free loopback ports,
/// from the MySQL or MariaDB server that is installed here. Ctrl-C ends them and removes every file.
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// Run these statements through the proxy, print what they give, and exit
    #[arg(long, value_name = "SQL;SQL")]
    run: Option<String>,
    /// Port of the proxy; without it 3307, or a free one if that is taken
    #[arg(long)]
    port: Option<u16>,
    /// The server program, `mysqld` or `mariadbd`; without it the one that is found
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// How many users the sample data has; other tables grow along
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    users: u32,
}

impl Demo {
    pub fn run(&self) -> ExitCode {
        match self.run_all() {
            Ok(code) => code,
            Err(error) => {
                tell(&format!("\nmargay demo: {error}\n"));
                ExitCode::FAILURE
            }
        }
    }

    fn run_all(&self) -> Result<ExitCode> {
        if let Some(sql) = &self.run {
            // A mistake in it is told before anything starts.
            script::statements(sql, &Mode::default())?;
        }
        let program = match &self.server {
            Some(path) => Program::named(path)?,
            None => Program::find(None)?,
        };
        let directory = std::env::temp_dir().join(format!("margay-demo-{}", std::process::id()));
        let ours = program.host_path(&directory);
        let account = Account { user: "margay".to_owned(), password: "margay".to_owned() };
        let launcher = Launcher::new(program, account).with_templates_in(directory.join(TEMPLATE));
        let runtime = super::runtime()?;
        let code = runtime.block_on(self.play(&launcher, &directory));
        // If we are stopped early, a server may still initialise its template.
        runtime.shutdown_timeout(INITIALISATION_LIMIT);
        // It is gone unless we were stopped early.
        let _ = std::fs::remove_dir_all(ours);
        code
    }

    async fn play(&self, launcher: &Launcher, directory: &Path) -> Result<ExitCode> {
        let mut signals = Signals::new()?;
        let stage = tokio::select! {
            stage = Stage::start(launcher, directory, self.port, self.users) => stage?,
            () = signals.wait() => {
                tell("\nstopping\n");
                return Ok(ExitCode::from(INTERRUPTED));
            }
        };
        let port = stage.proxy.address().port();
        let code = match &self.run {
            Some(sql) => tokio::select! {
                code = run_statements(&stage, sql) => code,
                () = signals.wait() => Ok(ExitCode::from(INTERRUPTED)),
            },
            None => {
                let printed = print(&screen::ready(port, &stage.clusters, Zoned::now().datetime()));
                signals.wait().await;
                tell("\nstopping; Ctrl-C again to leave at once\n");
                Ok(printed)
            }
        };
        tokio::select! {
            () = stage.stop() => code,
            // The guards of the servers end them and remove their files.
            () = signals.wait() => std::process::exit(i32::from(INTERRUPTED)),
        }
    }
}

/// Prints what each statement gives. A failure is printed too, and the next statement runs.
async fn run_statements(stage: &Stage, sql: &str) -> Result<ExitCode> {
    let mut client = Client::connect(stage.proxy.address()).await?;
    let mut code = ExitCode::SUCCESS;
    for statement in script::statements(sql, &Mode::default())? {
        let mut text = format!("\n{statement};\n");
        match client.run(statement).await {
            Ok(outcomes) => outcomes.iter().for_each(|outcome| show(&mut text, outcome)),
            Err(error) => {
                code = ExitCode::FAILURE;
                text.push_str(&match error {
                    mysql_async::Error::Server(error) => {
                        format!("ERROR {} ({}): {}\n", error.code, error.state, error.message)
                    }
                    other => format!("ERROR: {other}\n"),
                });
            }
        }
        print(&text);
    }
    client.close().await;
    Ok(code)
}

fn show(text: &mut String, outcome: &Outcome) {
    let plural = |count: u64| if count == 1 { "" } else { "s" };
    // Writing to a string cannot fail.
    let _ = match outcome {
        Outcome::Rows(table) if table.rows.is_empty() => writeln!(text, "Empty set"),
        Outcome::Rows(table) => {
            let count = table.rows.len() as u64;
            writeln!(text, "{table}{count} row{} in set", plural(count))
        }
        Outcome::Done { affected, info } => {
            let _ = writeln!(text, "Query OK, {affected} row{} affected", plural(*affected));
            if info.is_empty() { Ok(()) } else { writeln!(text, "{info}") }
        }
    };
}

/// The signals that end the demo.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        let open = |kind| {
            signal(kind).map_err(|error| {
                Error::new(ErrorKind::Internal, "cannot wait for signals").with_source(error)
            })
        };
        Ok(Self {
            interrupt: open(SignalKind::interrupt())?,
            terminate: open(SignalKind::terminate())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
