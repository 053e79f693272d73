//! The demo on its feet: clusters, the proxy before them, and the sample data that went through it.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::Duration;

use jiff::Zoned;
use tokio::time::Instant;

use crate::error::Result;
use crate::server::Server;

use super::client::Client;
use super::cluster::{self, Cluster};
use super::data;
use super::rules;
use super::server::Launcher;

/// Where the template of the servers is made, below the directory of the demo.
pub(super) const TEMPLATE: &str = "template";
const PORT: u16 = 3307;
/// Nobody's work is lost with a demo.
const DRAIN: Duration = Duration::from_millis(500);

pub(super) struct Stage {
    pub proxy: Server,
    pub clusters: [Cluster; 2],
}

impl Stage {
    /// Starts all and tells the steps on standard error. Files lie in `directory`, as the servers see
    /// it; `port` is the proxy's, if not the usual one or a free one.
    pub(super) async fn start(
        launcher: &Launcher,
        directory: &Path,
        port: Option<u16>,
        users: u32,
    ) -> Result<Self> {
        let program = launcher.program();
        let (flavor, version) = (program.flavor(), program.version());
        let step = Step::begin(&format!("start 4 servers, {flavor} {version}"));
        let mut clusters = cluster::start(launcher, directory).await?;
        // Each server has its copy. What cannot be removed now goes with the directory in the end.
        let _ = std::fs::remove_dir_all(program.host_path(&directory.join(TEMPLATE)));
        step.end();

        let step = Step::begin("replicate: c0 and c1, each a primary and a replica");
        cluster::set_up(&mut clusters).await?;
        step.end();

        let step = Step::begin("start the proxy");
        let mut config = rules::config(&clusters, port.unwrap_or_else(usual_or_free))?;
        config.settings.drain_timeout = DRAIN;
        let proxy = Server::start(config).await?;
        step.end();

        let mut client = Client::connect(proxy.address()).await?;
        let step = Step::begin("create the tables through the proxy");
        let tables = client.run_script(rules::TABLES).await?;
        step.end_with(&format!("{tables} tables"));

        let step = Step::begin("fill them through the proxy");
        let mut rows = 0;
        for table in data::generate(users, Zoned::now().datetime()) {
            rows += client.insert(table).await?;
        }
        step.end_with(&format!("{rows} rows"));
        client.close().await;

        let step = Step::begin("wait for the replicas");
        cluster::settle(&clusters).await?;
        step.end();
        Ok(Self { proxy, clusters })
    }

    pub(super) async fn stop(self) {
        self.proxy.stop().await;
        // The servers end and their files go as they are dropped.
        drop(self.clusters);
    }
}

/// The usual port unless someone has it.
fn usual_or_free() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, PORT)).map_or(0, |_| PORT)
}

/// A line of the progress: what is done, then how long it took.
struct Step {
    began: Instant,
}

impl Step {
    fn begin(what: &str) -> Self {
        tell(&format!("  {what:<52}"));
        Self { began: Instant::now() }
    }

    fn end(self) {
        tell(&format!("{:5.1} s\n", self.began.elapsed().as_secs_f64()));
    }

    fn end_with(self, result: &str) {
        tell(&format!("{:5.1} s  {result}\n", self.began.elapsed().as_secs_f64()));
    }
}

/// Progress is for a person; a closed terminal is no reason to stop.
pub(super) fn tell(text: &str) {
    let mut err = std::io::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}
