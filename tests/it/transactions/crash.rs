//! Something dies at each message of a commit: the transaction is whole or absent, and the client was told
//! nothing else.

use std::time::Duration;

use margay::cli::demo::flavor::Flavor;
use tokio::time::Instant;

use super::relay::Fate;
use super::{Field, Told, client, kill, signal, told};
use crate::client::Client;
use crate::client::reply::Reply;
use crate::fixture::{Proxy, wanted};

/// More messages than a commit over three clusters takes.
const MESSAGES_MAX: u32 = 20;

#[test]
fn proxy_dies_at_each_message_mysql() {
    proxy_dies(Flavor::MySql);
}

#[test]
fn proxy_dies_at_each_message_mariadb() {
    proxy_dies(Flavor::MariaDb);
}

#[test]
fn server_dies_at_each_message_mysql() {
    server_dies(Flavor::MySql);
}

#[test]
fn server_dies_at_each_message_mariadb() {
    server_dies(Flavor::MariaDb);
}

/// One row on each of three clusters.
fn writes(id: u32) -> Vec<String> {
    let row = |part: u32| format!("INSERT INTO transfers (id, part) VALUES ({id}, {part})");
    vec!["BEGIN".into(), row(0), row(1), row(2), "COMMIT".into()]
}

/// How many rows of a transaction there are.
fn rows(field: &Field, id: u32) -> i64 {
    field.sum(&format!("SELECT COUNT(*) FROM bank.transfers WHERE id = {id}"))
}

fn check(field: &Field, outcomes: &[(u32, Told, String)]) {
    for (id, told, what) in outcomes {
        let rows = rows(field, *id);
        assert!(rows == 0 || rows == 3, "half applied: {rows} rows at {what}, told {told:?}");
        match told {
            Told::Done => assert_eq!(rows, 3, "{what}"),
            Told::RolledBack => assert_eq!(rows, 0, "{what}"),
            Told::Unknown => {}
        }
    }
}

/// The commit is killed by its n-th message for every n; a second proxy, which runs all the time,
/// finishes it.
fn proxy_dies(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let field = Field::start(flavor, 3);
    let _other = field.proxy(false, "");
    let mut outcomes = Vec::new();
    let mut at = 0;
    loop {
        at += 1;
        assert!(at < MESSAGES_MAX, "a commit of so many messages");
        let proxy = field.proxy(true, "");
        let pid = proxy.pid().expect("a proxy of our own");
        let mut client = client(&proxy);
        field.gate.arm(at, Fate::Arrives, move |_| kill(pid));
        let told = told(&mut client, &writes(at));
        let (tripped, seen) = field.gate.disarm();
        outcomes.push((at, told, format!("message {at} of {seen:?}")));
        if !tripped {
            assert_eq!(told, Told::Done, "{seen:?}");
            break;
        }
        assert_ne!(told, Told::RolledBack, "{seen:?}");
    }
    assert!(at > 8, "only {at} messages: {outcomes:?}");
    field.wait_clear();
    check(&field, &outcomes);
    let committed = outcomes.iter().filter(|(id, ..)| rows(&field, *id) == 3).count();
    assert!(committed > 1 && committed < outcomes.len(), "{committed} of {outcomes:?}");
}

#[test]
fn proxy_dies_while_a_row_moves_mysql() {
    proxy_dies_while_a_row_moves(Flavor::MySql);
}

#[test]
fn proxy_dies_while_a_row_moves_mariadb() {
    proxy_dies_while_a_row_moves(Flavor::MariaDb);
}

/// An UPDATE moves a row from one cluster to another: afterwards it is on one of the two, for every n.
fn proxy_dies_while_a_row_moves(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let field = Field::start(flavor, 3);
    let other = field.proxy(false, "");
    let rows: Vec<String> = (1..MESSAGES_MAX).map(|id| format!("({id}, 1)")).collect();
    client(&other).run(&format!("INSERT INTO transfers (id, part) VALUES {}", rows.join(", ")));
    let mut outcomes = Vec::new();
    for at in 1..MESSAGES_MAX {
        let proxy = field.proxy(true, "");
        let pid = proxy.pid().expect("a proxy of our own");
        let mut client = client(&proxy);
        field.gate.arm(at, Fate::Arrives, move |_| kill(pid));
        let update = format!("UPDATE transfers SET part = part + 1 WHERE part = 1 AND id = {at}");
        let told = told(&mut client, &[update]);
        let (tripped, seen) = field.gate.disarm();
        outcomes.push((at, told, format!("message {at} of {seen:?}")));
        if !tripped {
            assert_eq!(told, Told::Done, "{seen:?}");
            break;
        }
    }
    assert!(outcomes.len() > 4, "{outcomes:?}");
    field.wait_clear();
    let mut moved = 0;
    for (id, told, what) in &outcomes {
        let on = |server: usize| -> i64 {
            let sql = format!("SELECT COUNT(*) FROM bank.transfers WHERE id = {id}");
            field.server(server).value(&sql).parse().expect("a number")
        };
        let found = (on(0), on(1), on(2));
        assert!(matches!(found, (0, 1, 0) | (0, 0, 1)), "{found:?} at {what}, told {told:?}");
        match told {
            Told::Done => assert_eq!(found, (0, 0, 1), "{what}"),
            Told::RolledBack => assert_eq!(found, (0, 1, 0), "{what}"),
            Told::Unknown => {}
        }
        moved += found.2;
    }
    assert!(moved > 1 && moved < outcomes.len() as i64, "{moved} of {outcomes:?}");
}

#[test]
fn proxy_freezes_at_each_message_mysql() {
    proxy_freezes(Flavor::MySql);
}

#[test]
fn proxy_freezes_at_each_message_mariadb() {
    proxy_freezes(Flavor::MariaDb);
}

/// The proxy stops answering, with all its connections open, as if its machine was lost; and it goes on
/// after the other one has finished its commits.
fn proxy_freezes(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let field = Field::start(flavor, 3);
    let more = "transactions: {commit_timeout: 1s}";
    let other = field.proxy(false, more);
    // Once to learn how many messages there are; then all at the same time.
    let (last, _) = position(&field, &field.proxy(true, more), 900, "XA COMMIT");
    let mut frozen = Vec::new();
    for at in 1..=last + 1 {
        let proxy = field.proxy(true, more);
        let pid = proxy.pid().expect("a proxy of our own");
        let mut client = wait_ready(&proxy);
        field.gate.arm(at, Fate::Arrives, move |_| signal(pid, "STOP"));
        let telling = std::thread::spawn(move || told(&mut client, &writes(at)));
        std::thread::sleep(Duration::from_millis(500));
        let (tripped, seen) = field.gate.disarm();
        assert!(tripped, "{seen:?}");
        frozen.push((at, telling, proxy, format!("message {at} of {seen:?}")));
    }
    field.wait_clear();
    let outcomes: Vec<(u32, Told, String)> = frozen
        .into_iter()
        .map(|(at, telling, proxy, what)| {
            signal(proxy.pid().expect("a proxy of our own"), "CONT");
            (at, telling.join().expect("the client ends"), what)
        })
        .collect();
    field.wait_clear();
    check(&field, &outcomes);
    // Locks are free again.
    for (id, ..) in outcomes {
        let mut client = client(&other);
        client.run(&format!("DELETE FROM transfers WHERE id = {id}"));
    }
}

/// The server that gets the n-th message dies, before or after it got it.
fn server_dies(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let mut field = Field::start(flavor, 3);
    let proxy = field.proxy(true, "transactions: {commit_timeout: 3s}");
    let mut outcomes = Vec::new();
    for at in 1..MESSAGES_MAX {
        let fate = if at % 2 == 1 { Fate::Unanswered } else { Fate::Lost };
        let pids: Vec<u32> =
            field.servers.servers.iter().filter_map(|server| server.pid()).collect();
        let (sender, killed) = std::sync::mpsc::channel();
        // The statements before may find a server not yet known to be up.
        let mut client = wait_ready(&proxy);
        field.gate.arm(at, fate, move |relay| {
            kill(pids[relay]);
            let _ = sender.send(relay);
        });
        let told = told(&mut client, &writes(at));
        let (tripped, seen) = field.gate.disarm();
        outcomes.push((at, told, format!("message {at} of {seen:?}, {fate:?}")));
        if !tripped {
            assert_eq!(told, Told::Done, "{seen:?}");
            break;
        }
        let relay = killed.recv().expect("the plug says which server it killed");
        let server = &mut field.servers.servers[relay];
        field.servers.runtime.block_on(server.start_again()).expect("the server starts again");
    }
    field.wait_clear();
    check(&field, &outcomes);
    assert!(outcomes.len() > 8, "{outcomes:?}");
}

/// A client whose statements reach all clusters.
fn wait_ready(proxy: &Proxy) -> Client {
    let limit = Instant::now() + Duration::from_secs(30);
    loop {
        let mut client = client(proxy);
        let replies = client.query("SELECT COUNT(*) FROM transfers").expect("the proxy lives");
        if !matches!(replies.last(), Some(Reply::Error(_))) {
            return client;
        }
        assert!(Instant::now() < limit, "clusters stay down: {replies:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn slow_and_dead_servers_mysql() {
    slow_and_dead(Flavor::MySql);
}

#[test]
fn slow_and_dead_servers_mariadb() {
    slow_and_dead(Flavor::MariaDb);
}

fn slow_and_dead(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let mut field = Field::start(flavor, 3);
    let proxy = field.proxy(true, "transactions: {commit_timeout: 3s}");
    a_slow_branch_does_not_hold_up_the_client(&field, &proxy);
    a_frozen_server_before_the_decision_rolls_back(&field, &proxy);
    a_lost_answer_is_looked_up(&field, &proxy);
    an_unknown_outcome_can_be_asked_for(&mut field, &proxy);
}

/// The message of the commit that starts so, counted from 1.
fn position(field: &Field, proxy: &Proxy, id: u32, start: &str) -> (u32, usize) {
    let mut client = wait_ready(proxy);
    field.gate.arm(u32::MAX, Fate::Arrives, |_| {});
    assert_eq!(told(&mut client, &writes(id)), Told::Done);
    let (_, seen) = field.gate.disarm();
    let at = seen.iter().position(|message| message[3..].starts_with(start));
    let at = at.unwrap_or_else(|| panic!("no {start} in {seen:?}"));
    (u32::try_from(at + 1).unwrap(), seen[at][..1].parse().unwrap())
}

fn a_slow_branch_does_not_hold_up_the_client(field: &Field, proxy: &Proxy) {
    let (at, _) = position(field, proxy, 100, "XA COMMIT");
    let pids: Vec<u32> = field.servers.servers.iter().filter_map(|server| server.pid()).collect();
    let frozen = pids.clone();
    let mut client = wait_ready(proxy);
    let (sender, relay) = std::sync::mpsc::channel();
    field.gate.arm(at, Fate::Arrives, move |relay| {
        signal(frozen[relay], "STOP");
        let _ = sender.send(relay);
    });
    let start = Instant::now();
    assert_eq!(told(&mut client, &writes(101)), Told::Done);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    signal(pids[relay.recv().unwrap()], "CONT");
    field.gate.disarm();
    field.wait_clear();
    assert_eq!(rows(field, 101), 3);
}

fn a_frozen_server_before_the_decision_rolls_back(field: &Field, proxy: &Proxy) {
    let pids: Vec<u32> = field.servers.servers.iter().filter_map(|server| server.pid()).collect();
    let frozen = pids.clone();
    let mut client = wait_ready(proxy);
    let (sender, relay) = std::sync::mpsc::channel();
    // Whatever else passes, recovery's statements too: this message comes before the decision.
    field.gate.arm_for("XA PREPARE", 1, Fate::Arrives, move |relay| {
        signal(frozen[relay], "STOP");
        let _ = sender.send(relay);
    });
    let start = Instant::now();
    assert_eq!(told(&mut client, &writes(111)), Told::RolledBack);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    signal(pids[relay.recv().unwrap()], "CONT");
    field.gate.disarm();
    field.wait_clear();
    assert_eq!(rows(field, 111), 0);
}

/// The answer to the deciding commit is lost, and the server lives.
fn a_lost_answer_is_looked_up(field: &Field, proxy: &Proxy) {
    let (at, _) = position(field, proxy, 120, "COMMIT");
    let mut client = wait_ready(proxy);
    field.gate.arm(at, Fate::Unanswered, |_| {});
    assert_eq!(told(&mut client, &writes(121)), Told::Done);
    field.gate.disarm();
    field.wait_clear();
    assert_eq!(rows(field, 121), 3);
}

fn an_unknown_outcome_can_be_asked_for(field: &mut Field, proxy: &Proxy) {
    let (at, server) = position(field, proxy, 130, "COMMIT");
    let pid = field.servers.servers[server].pid().expect("it runs");
    let mut client = wait_ready(proxy);
    field.gate.arm(at, Fate::Lost, move |_| kill(pid));
    let mut statements = writes(131);
    statements.pop();
    assert_eq!(told(&mut client, &statements), Told::Done);
    let error = client.error("COMMIT");
    assert_eq!((error.code, error.state.as_str()), (1180, "08007"), "{error}");
    field.gate.disarm();
    let (_, question) = error.message.split_once("SHOW").expect("it says how to ask");
    let (question, _) = question.split_once(" before").expect("it says when");
    let server = &mut field.servers.servers[server];
    field.servers.runtime.block_on(server.start_again()).expect("the server starts again");
    let mut client = wait_ready(proxy);
    field.wait_clear();
    let answer = client.rows(&format!("SHOW{question}")).remove(0);
    assert_eq!((answer[1].as_deref(), rows(field, 131)), (Some("rolled back"), 0), "{answer:?}");
}
