//! Big results pass through in bounded memory, however slowly the client reads.

use std::time::Duration;

use margay::cli::demo::flavor::Flavor;

use crate::client::Client;
use crate::client::reply::{Item, text_row};
use crate::fixture::{Shop, wanted};

const ROWS: u64 = 2_000_000;
const SHARDS: u64 = 8;
const RESIDENT_KIB_MAX: u64 = 64 * 1024;
const TABLE: &str = "(id BIGINT PRIMARY KEY, grp INT NOT NULL, pad VARCHAR(100) NOT NULL)";

#[test]
fn streaming_mysql() {
    run(Flavor::MySql);
}

#[test]
fn streaming_mariadb() {
    run(Flavor::MariaDb);
}

fn run(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let shop = Shop::start(flavor, 2);
    let mut client = shop.client();
    client.run(&format!("CREATE TABLE big {TABLE}"));
    client.run(&format!("CREATE TABLE big_one {TABLE}"));
    fill(&shop);
    let scatter = "SELECT id, grp, pad FROM big ORDER BY id";
    check(&shop, scatter, Pace::Fast);
    check(&shop, "SELECT id, grp, pad FROM big_one ORDER BY id", Pace::Fast);
    check(&shop, scatter, Pace::Slow);
    check(&shop, "SELECT id, grp, pad FROM big_one ORDER BY id", Pace::Slow);
    // A client that goes away in the middle leaves a proxy that serves others.
    let mut leaver = shop.client();
    leaver.command(crate::client::command::QUERY, scatter.as_bytes()).unwrap();
    leaver.read_head().unwrap();
    drop(leaver);
    assert_eq!(shop.client().value("SELECT COUNT(*) FROM big"), ROWS.to_string());
    assert_memory(&shop, "COUNT(*)");
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    Fast,
    /// Sleeps now and then, so that every buffer on the way fills.
    Slow,
}

/// Rows go straight to the servers: row `id` lies on shard `id mod 8`.
fn fill(shop: &Shop) {
    if shop.proxy.is_stand_in() {
        fill_table(&mut shop.client(), "big", ROWS, 1, 0);
        fill_table(&mut shop.client(), "big_one", ROWS, 1, 0);
        return;
    }
    for shard in 0..SHARDS {
        let (server, database) = (shard / 4, format!("shop_{}", shard % 4));
        let mut client = Client::open(&shop.servers.login(server as usize));
        fill_table(&mut client, &format!("{database}.big"), ROWS / SHARDS, SHARDS, shard);
    }
    let mut client = Client::open(&shop.servers.login(0));
    fill_table(&mut client, "shop.big_one", ROWS, 1, 0);
}

/// Doubles the table until it holds `count` rows `shard`, `step + shard`, `2 * step + shard`, ...
fn fill_table(client: &mut Client, table: &str, count: u64, step: u64, shard: u64) {
    client.run(&format!("INSERT INTO {table} VALUES ({shard}, 0, REPEAT('p', 40))"));
    let mut filled = 1;
    while filled < count {
        let more = filled.min(count - filled);
        let (offset, bound) = (filled * step, more * step + shard);
        client.run(&format!(
            "INSERT INTO {table} SELECT id + {offset}, (id + {offset}) % 1000, pad FROM {table} \
             WHERE id < {bound}"
        ));
        filled += more;
    }
}

fn check(shop: &Shop, sql: &str, pace: Pace) {
    let mut client = shop.client();
    client.command(crate::client::command::QUERY, sql.as_bytes()).unwrap();
    assert_eq!(client.read_head().unwrap().len(), 3);
    let mut next = 0;
    loop {
        match client.read_item().unwrap() {
            (Item::Row, packet) => {
                // Values are looked at now and then: the point is the bytes.
                if next % 1009 == 0 {
                    let row = text_row(&packet);
                    assert_eq!(row[0].as_deref(), Some(next.to_string().as_str()), "{sql}");
                }
                next += 1;
            }
            (Item::End(_), _) => break,
            (Item::Error(error), _) => panic!("{sql}: {error}"),
        }
        if pace == Pace::Slow && next % 100_000 == 0 {
            std::thread::sleep(Duration::from_millis(150));
        }
    }
    assert_eq!(next, ROWS, "{sql}");
    assert_memory(shop, sql);
}

fn assert_memory(shop: &Shop, sql: &str) {
    let resident = shop.proxy.memory_kib("VmHWM");
    assert!(resident < RESIDENT_KIB_MAX, "the proxy took {resident} KiB at {sql}");
}
