//! What the demo tells: how to connect, which port serves what, and what to try.

use std::fmt::Write as _;

use jiff::ToSpan as _;
use jiff::civil::DateTime;

use super::cluster::Cluster;
use super::rules::{DATABASES, PASSWORD, SCHEMA, USER};

/// Statements to try, and what each shows.
const TRY: [(&str, &str); 8] = [
    (
        "SELECT id, name, @@port AS answered_by FROM users WHERE id = 42;",
        "one shard, found from the key; a replica answers (see the port)",
    ),
    (
        "/*margay: primary */ SELECT id, name, @@port AS answered_by FROM users WHERE id = 42;",
        "the same from the primary (start the client with --comments, or it drops the hint)",
    ),
    (
        "SELECT status, COUNT(*), SUM(total) FROM orders GROUP BY status ORDER BY status;",
        "all eight shards, their groups merged in order",
    ),
    (
        "EXPLAIN FORMAT=MARGAY SELECT status, COUNT(*) FROM orders GROUP BY status ORDER BY status;",
        "the plan: which statement runs where, and how the answers merge",
    ),
    (
        "SELECT o.id, i.product_id, i.quantity FROM orders o JOIN order_items i \
         ON i.order_id = o.id AND i.user_id = o.user_id WHERE o.user_id = 42;",
        "a join of colocated tables on one shard",
    ),
    (
        "SELECT r.name, COUNT(*) FROM users u JOIN regions r ON r.id = u.region_id \
         GROUP BY r.name ORDER BY r.name;",
        "a broadcast table, joined on each shard",
    ),
    (
        "SELECT method, COUNT(*), SUM(amount) FROM payments \
         WHERE paid_at >= '{HOUR}' GROUP BY method ORDER BY method;",
        "hourly tables: only those since then are read (EXPLAIN FORMAT=MARGAY tells which)",
    ),
    (
        "INSERT INTO payments VALUES (900001, 42, NOW(), 12.50, 'card');",
        "finds its shard and its hour by itself",
    ),
];

/// The last screen of the set-up; `now` is the local time. `{HOUR}` stands for the start of the last hour.
pub(super) fn ready(port: u16, clusters: &[Cluster; 2], now: DateTime) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{text}");
    };
    line("");
    line("Connect:");
    line(&format!("  mysql -h 127.0.0.1 -P {port} -u {USER} -p{PASSWORD} --comments {SCHEMA}"));
    line("");
    line("Ports on 127.0.0.1:");
    line(&format!("  {port:<6} the proxy (users app, report and admin; password = name)"));
    for (index, Cluster { primary, replica }) in clusters.iter().enumerate() {
        line(&format!("  {:<6} c{index} primary", primary.port()));
        line(&format!("  {:<6} c{index} replica", replica.port()));
    }
    if let Some(Cluster { primary, .. }) = clusters.first() {
        let account = primary.account();
        let (user, password) = (&account.user, &account.password);
        let (first, last) = (DATABASES[0], DATABASES[DATABASES.len() - 1]);
        line(&format!(
            "  Behind the proxy: user {user}, password {password}, databases {first}, {} to {last}",
            DATABASES[1]
        ));
    }
    line("");
    line("Try:");
    let hour = now.saturating_sub(1.hour()).strftime("%Y-%m-%d %H:00:00").to_string();
    for (statement, meaning) in TRY {
        line(&format!("  {}", statement.replace("{HOUR}", &hour)));
        line(&format!("    -- {meaning}"));
    }
    line("");
    line("Ctrl-C ends it all and removes every file.");
    out
}
