//! `margay serve`: the proxy.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use super::rules::load;
use crate::error::{Error, ErrorKind, Result};
use crate::server::Server;

/// Serve MySQL clients by the rules.
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// A rule file, or a directory of them.
    #[arg(default_value = "rules")]
    rules: PathBuf,
    /// Listen here instead of where the rules say; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

impl Serve {
    pub fn run(&self) -> ExitCode {
        let Some(mut config) = load(&self.rules) else { return ExitCode::FAILURE };
        if let Some(listen) = &self.listen {
            match crate::config::Address::parse(listen) {
                Some(address) => config.settings.listen = address,
                None => {
                    tracing::error!("`--listen {listen}` is no address; write host:port");
                    return ExitCode::FAILURE;
                }
            }
        }
        match super::runtime().and_then(|runtime| runtime.block_on(serve(config))) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!("{error}");
                ExitCode::FAILURE
            }
        }
    }
}

async fn serve(config: crate::config::Config) -> Result<()> {
    let no_signals = |error: std::io::Error| {
        Error::new(ErrorKind::Internal, "cannot wait for signals").with_source(error)
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    let server = Server::start(config).await?;
    // For scripts that wait for it; a closed output is no reason to stop.
    let _ = writeln!(std::io::stdout(), "ready: mysql {}", server.address());
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping; clients may finish their transactions");
    server.stop().await;
    Ok(())
}
