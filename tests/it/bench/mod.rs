//! What Margay costs a statement, beside a server without a proxy and beside HAProxy, which copies bytes.
//! `tests/bench/run` runs it and tells its settings.

mod cell;
mod report;
mod rest;
mod run;
mod settings;
mod stage;
mod usage;

use margay::cli::demo::flavor::Flavor;

use crate::client::Client;
use crate::fixture::wanted;

use cell::{CELLS, Cell};
use report::{Row, heading};
use run::{Target, run};
use settings::{Mode, Settings};
use stage::Stage;

#[test]
#[ignore = "a benchmark: tests/bench/run runs it"]
fn cost_mysql() {
    measure(Flavor::MySql);
}

#[test]
#[ignore = "a benchmark: tests/bench/run runs it"]
fn cost_mariadb() {
    measure(Flavor::MariaDb);
}

fn measure(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let settings = Settings::from_env();
    let stage = Stage::start(flavor, &settings);
    eprintln!(
        "{flavor} {}, {} rows, {} rounds of {:?}",
        Client::open(&stage.servers.login(0)).greeting.version,
        stage.rows,
        settings.rounds,
        settings.time
    );
    let targets = targets(&stage);
    eprintln!("\n{}", heading());
    for cell in CELLS.iter().filter(|cell| settings.wants(cell.name)) {
        for mode in &settings.modes {
            for threads in &settings.threads {
                let row = row(cell, (*mode, *threads), &targets, &settings);
                eprint!("{}", row.lines());
            }
        }
    }
    eprintln!();
    rest::idle(&stage, &settings);
    rest::start(&stage);
}

fn targets(stage: &Stage) -> Vec<Target> {
    let server_pid = stage.server_pid();
    let port = stage.servers.servers[0].port();
    let direct = Target { name: "direct", port, pid: None, server_pid, spreads: false };
    let peers = stage.peers.iter().map(|peer| Target {
        name: peer.name,
        port: peer.port,
        pid: Some(peer.child.id()),
        server_pid,
        spreads: false,
    });
    let margay = Target { server_pid, ..rest::target(&stage.proxy) };
    std::iter::once(direct).chain(peers).chain([margay]).collect()
}

/// The targets take turns, so that what else the machine does meets all of them.
fn row(cell: &Cell, how: (Mode, u32), targets: &[Target], settings: &Settings) -> Row {
    let mut samples: Vec<(&'static str, Vec<run::Sample>)> =
        targets.iter().map(|target| (target.name, Vec::new())).collect();
    for _ in 0..settings.rounds {
        for (target, (_, samples)) in targets.iter().zip(&mut samples) {
            match run(cell, how, target, settings) {
                Ok(sample) => samples.push(sample),
                Err(error) => eprintln!("{error}"),
            }
        }
    }
    let (mode, threads) = how;
    Row { cell: format!("{} {} {threads}", cell.name, mode.name()), targets: samples }
}
