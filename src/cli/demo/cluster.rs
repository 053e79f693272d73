//! The clusters of the demo: each a primary and a replica that follows it.

use std::path::Path;
use std::time::Duration;

use crate::error::Result;

use super::replication::{catch_up, replicate};
use super::rules::DATABASES;
use super::server::{Launcher, Server, ServerSpec};

/// How long a replica may take to apply what the demo has written.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Cluster {
    pub primary: Server,
    pub replica: Server,
}

/// Starts clusters `c0` and `c1` at once in `directory`. Their files go with them.
pub(super) async fn start(launcher: &Launcher, directory: &Path) -> Result<[Cluster; 2]> {
    let (c0, c1) =
        tokio::try_join!(start_one(launcher, directory, 0), start_one(launcher, directory, 1))?;
    Ok([c0, c1])
}

async fn start_one(launcher: &Launcher, directory: &Path, index: u32) -> Result<Cluster> {
    let spec = |role: &str, server_id: u32| ServerSpec {
        name: format!("c{index}-{role}"),
        directory: directory.to_owned(),
        server_id,
        options: Vec::new(),
        keep: false,
    };
    let (primary, replica) = tokio::try_join!(
        launcher.start(spec("primary", 2 * index + 1), &|_| {}),
        launcher.start(spec("replica", 2 * index + 2), &|_| {}),
    )?;
    Ok(Cluster { primary, replica })
}

/// Makes the replicas follow, and the databases of the shards on the primaries.
pub(super) async fn set_up(clusters: &mut [Cluster; 2]) -> Result<()> {
    let [c0, c1] = clusters;
    tokio::try_join!(c0.set_up(), c1.set_up())?;
    Ok(())
}

/// Waits until the replicas have all that the primaries have.
pub(super) async fn settle(clusters: &[Cluster; 2]) -> Result<()> {
    let [c0, c1] = clusters;
    tokio::try_join!(
        catch_up(&c0.primary, &c0.replica, CATCH_UP_LIMIT),
        catch_up(&c1.primary, &c1.replica, CATCH_UP_LIMIT),
    )?;
    Ok(())
}

impl Cluster {
    async fn set_up(&mut self) -> Result<()> {
        replicate(&self.primary, &mut self.replica).await?;
        let statements = DATABASES.map(|name| format!("CREATE DATABASE {name} CHARSET utf8mb4"));
        self.primary.execute(&statements.each_ref().map(String::as_str)).await
    }
}
