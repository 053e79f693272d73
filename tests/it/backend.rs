//! Connections, pools, health and the choice of nodes, against real servers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use margay::backend::channel::Deadline;
use margay::backend::cluster::{Access, Backends};
use margay::backend::node::NodeState;
use margay::backend::pool::Lease;
use margay::backend::settings::{ClusterSpec, NodeSpec, Password, Settings, TlsMode};
use margay::backend::state::{HAVE_GLOBAL, SessionState};
use margay::cli::demo::flavor::Flavor;
use margay::cli::demo::replication::{catch_up, replicate};
use margay::cli::demo::server::Server;
use margay::error::ErrorKind;
use margay::protocol::reply::ReplyHead;
use tokio::time::{Instant, sleep};

use crate::servers::{flavors, launcher, shared, start};

fn spec(primary: &Server, replicas: &[&Server]) -> ClusterSpec {
    let node = |server: &Server| NodeSpec { address: server.address().to_string(), weight: 1 };
    ClusterSpec {
        name: "c0".into(),
        primary: node(primary),
        replicas: replicas.iter().map(|server| node(server)).collect(),
        user: primary.account().user.clone(),
        password: Password(primary.account().password.clone()),
        tls: TlsMode::Disabled,
        identity: None,
        compression: None,
    }
}

fn backends(spec: ClusterSpec, settings: Settings) -> Backends {
    Backends::new(settings, vec![spec], None).expect("the settings are right")
}

async fn primary(backends: &Backends) -> Lease {
    backends.lease(0, Access::Primary, false).await.expect("the primary is up")
}

async fn value(lease: &mut Lease, sql: &str) -> String {
    let result = lease.query_all(sql).await.expect("the query runs");
    let value = result.rows.first().and_then(|row| row.first()).cloned().flatten();
    String::from_utf8_lossy(&value.unwrap_or_default()).into_owned()
}

fn deadline(after: Duration) -> Option<Deadline> {
    Some(Deadline { at: Instant::now() + after, setting: "statement_timeout = 300ms" })
}

/// Waits for a condition, at most ten seconds.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < limit, "still not: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn logs_in_by_every_way() {
    for flavor in flavors() {
        // The plugin that it greets with is not that of the accounts.
        let switch: &[&str] = match flavor {
            Flavor::MySql => &["--authentication-policy=sha256_password"],
            Flavor::MariaDb => &[],
        };
        let server = start(&launcher(flavor), 1, switch).await;
        let mut ways = vec![("margay", "it's a\\secret", TlsMode::Disabled)];
        if flavor == Flavor::MySql {
            // New accounts: the server asks for the whole password once, then caches its digest.
            for (user, password) in [("by_rsa", "pw"), ("by_tls", "pw"), ("blank", "")] {
                let plugin = "caching_sha2_password";
                let make = format!("CREATE USER {user} IDENTIFIED WITH {plugin} BY '{password}'");
                server.execute(&[&make]).await.unwrap();
            }
            ways.push(("by_rsa", "pw", TlsMode::Disabled));
            ways.push(("by_rsa", "pw", TlsMode::Disabled));
            ways.push(("by_tls", "pw", TlsMode::Required));
            ways.push(("by_tls", "pw", TlsMode::Preferred));
            ways.push(("blank", "", TlsMode::Disabled));
        } else {
            ways.push(("margay", "it's a\\secret", TlsMode::Preferred));
        }
        for (user, password, tls) in ways {
            let is_encrypted = flavor == Flavor::MySql && tls != TlsMode::Disabled;
            let (user, password) = (user.into(), Password(password.into()));
            let spec = ClusterSpec { user, password, tls, ..spec(&server, &[]) };
            let backends = backends(spec, Settings::default());
            let mut lease = primary(&backends).await;
            assert_eq!(value(&mut lease, "SELECT 1").await, "1");
            let cipher = lease.query_all("SHOW STATUS LIKE 'Ssl_cipher'").await.unwrap();
            assert_eq!(cipher.first("Value").is_some_and(|text| !text.is_empty()), is_encrypted);
            assert_eq!(lease.is_mariadb(), flavor == Flavor::MariaDb);
            let thread = lease.thread_id();
            drop(lease);
            assert_eq!(primary(&backends).await.thread_id(), thread, "{flavor}: used again");
        }
        let wrong = ClusterSpec { password: Password("wrong".into()), ..spec(&server, &[]) };
        let error = backends(wrong, Settings::default()).lease(0, Access::Primary, false).await;
        let error = error.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::NoBackend);
        assert!(error.message().contains("refused the login: Access denied"), "{error}");
        if flavor == Flavor::MariaDb {
            let make = "CREATE USER curve IDENTIFIED VIA ed25519 USING PASSWORD('pw')";
            server.execute(&["INSTALL SONAME 'auth_ed25519'", make]).await.unwrap();
            let curve = |password: &str| ClusterSpec {
                user: "curve".into(),
                password: Password(password.into()),
                ..spec(&server, &[])
            };
            let right = backends(curve("pw"), Settings::default());
            assert_eq!(value(&mut primary(&right).await, "SELECT 1").await, "1");
            let wrong = backends(curve("wrong"), Settings::default());
            let error = wrong.lease(0, Access::Primary, false).await.unwrap_err();
            assert!(error.message().contains("refused the login: Access denied"), "{error}");
        }
    }
}

#[tokio::test]
async fn checks_certificates() {
    if !flavors().contains(&Flavor::MySql) {
        return;
    }
    let server = start(&launcher(Flavor::MySql), 1, &[]).await;
    let ca = server.data_directory().join("ca.pem");
    let verified = ClusterSpec { tls: TlsMode::VerifyCa { ca: ca.clone() }, ..spec(&server, &[]) };
    let backends_ = backends(verified, Settings::default());
    assert_eq!(value(&mut primary(&backends_).await, "SELECT 1").await, "1");
    // The certificate that the server made for itself names no host.
    let strict = ClusterSpec { tls: TlsMode::VerifyIdentity { ca }, ..spec(&server, &[]) };
    let backends_ = backends(strict, Settings::default());
    let error = backends_.lease(0, Access::Primary, false).await.unwrap_err();
    assert!(error.to_string().contains("TLS failed"), "{error}");
    let other = TlsMode::VerifyCa { ca: "/nowhere/ca.pem".into() };
    let missing = ClusterSpec { tls: other, ..spec(&server, &[]) };
    let error = Backends::new(Settings::default(), vec![missing], None).unwrap_err();
    assert_eq!(error.message(), "cluster `c0`: `tls_ca`: `/nowhere/ca.pem` cannot be read");
}

#[tokio::test]
async fn big_packets_go_both_ways() {
    for flavor in flavors() {
        let server = shared(flavor).await;
        let backends = backends(spec(server, &[]), Settings::default());
        let mut lease = primary(&backends).await;
        for size in [(16 << 20) - 20, 20 << 20, 40 << 20] {
            let text = "x".repeat(size);
            let sql = format!("SELECT '{text}' AS t UNION ALL SELECT 'y'");
            let result = lease.query_all(&sql).await.unwrap();
            assert!(result.first("t") == Some(text.as_str()), "{flavor}: {size}");
            assert!(lease.is_clean());

            lease.queue_query(sql.as_bytes()).unwrap();
            lease.flush().await.unwrap();
            assert_eq!(lease.read_head().await.unwrap(), ReplyHead::Columns(1));
            lease.read_columns().await.unwrap();
            let mut bytes = 0;
            let (mut rows, mut seq) = (0, 7);
            while let Some(frames) = lease.read_row_frames(&mut seq).await.unwrap() {
                assert!(frames.bytes.len() > 4);
                bytes += frames.bytes.len();
                rows += frames.rows;
            }
            assert!(bytes > size && bytes < size + 50, "{flavor}: {bytes}");
            assert_eq!((rows, usize::from(seq)), (2, 7 + size / 0xff_ffff + 2), "{flavor}: {size}");
            assert!(lease.is_clean());
        }
        let error = lease.queue_query(&vec![b' '; 64 << 20]).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::PacketTooLarge);
        assert!(error.message().contains("limits.max_allowed_packet"), "{error}");
    }
}

#[tokio::test]
async fn rows_errors_and_pipelines() {
    for flavor in flavors() {
        let server = shared(flavor).await;
        let backends = backends(spec(server, &[]), Settings::default());
        let mut lease = primary(&backends).await;
        for sql in ["SELECT 1", "SELECT nothing", "CREATE DATABASE rows_d", "SELECT 2"] {
            lease.queue_query(sql.as_bytes()).unwrap();
        }
        lease.flush().await.unwrap();
        assert!(!lease.is_clean());
        assert_eq!(lease.read_head().await.unwrap(), ReplyHead::Columns(1));
        lease.read_columns().await.unwrap();
        assert_eq!(lease.read_row().await.unwrap(), Some(Bytes::from_static(b"\x011")));
        assert_eq!(lease.read_row().await.unwrap(), None);
        let ReplyHead::Err(error) = lease.read_head().await.unwrap() else { panic!("no error") };
        assert_eq!(error.code, 1054);
        let ReplyHead::Ok(ok) = lease.read_head().await.unwrap() else { panic!("not OK") };
        assert_eq!(ok.affected_rows, 1);
        lease.drain().await.unwrap();
        assert!(lease.is_clean());

        lease.query_all("CREATE TABLE rows_d.t (id INT PRIMARY KEY, n INT)").await.unwrap();
        lease.query_all("INSERT INTO rows_d.t VALUES (1, 1), (2, 2)").await.unwrap();
        let update = "UPDATE rows_d.t SET n = 1";
        assert_eq!(lease.query_all(update).await.unwrap().end.affected_rows, 1);
        let mut found = backends.lease(0, Access::Primary, true).await.unwrap();
        assert_eq!(found.query_all(update).await.unwrap().end.affected_rows, 2);
        lease.query_all("BEGIN").await.unwrap();
        assert!(lease.in_transaction() && !lease.is_clean());
        lease.query_all("CREATE PROCEDURE rows_d.p() BEGIN SELECT 1; SELECT 2; END").await.unwrap();
        lease.query_all("CALL rows_d.p()").await.unwrap();
        assert!(lease.is_clean());
        let error = lease.query_all("SELECT 1; DROP DATABASE rows_d").await.unwrap_err();
        assert_eq!(error.mysql().0, 1064, "one statement a query");
    }
}

#[tokio::test]
async fn timeouts_and_kills() {
    for flavor in flavors() {
        let server = shared(flavor).await;
        let backends = backends(spec(server, &[]), Settings::default());
        let mut lease = primary(&backends).await;
        lease.set_deadline(deadline(Duration::from_millis(300)));
        let error = lease.query_all("SELECT SLEEP(20)").await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Timeout);
        assert!(error.message().ends_with("statement_timeout = 300ms"), "{error}");
        assert!(lease.is_broken() && !lease.is_clean());
        drop(lease);

        let mut lease = primary(&backends).await;
        let (node, thread) = (Arc::clone(lease.node()), lease.thread_id());
        let sleeper = tokio::spawn(async move {
            let began = Instant::now();
            let outcome = lease.query_all("SELECT SLEEP(20), 1 FROM DUAL").await;
            (outcome.map(|_| ()), began.elapsed(), lease.is_clean())
        });
        sleep(Duration::from_millis(300)).await;
        node.kill_query(thread).await.unwrap();
        let (_, elapsed, is_clean) = sleeper.await.unwrap();
        assert!(elapsed < Duration::from_secs(10) && is_clean, "{flavor}");
        node.kill_query(4_000_000).await.expect("a statement that is over needs no kill");
    }
}

#[tokio::test]
async fn pools_have_limits_and_drop_the_dead() {
    for flavor in flavors() {
        let mut server = start(&launcher(flavor), 1, &[]).await;
        let settings =
            Settings { pool_size: 2, pool_wait: Duration::from_millis(100), ..Settings::default() };
        let backends = backends(spec(&server, &[]), settings);
        let (one, mut two) = (primary(&backends).await, primary(&backends).await);
        let error = backends.lease(0, Access::Primary, false).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::PoolTimeout);
        assert!(error.message().contains("backend.pool_size = 2"), "{error}");
        assert!(error.message().contains("backend.pool_wait = 100ms"), "{error}");
        let thread = one.thread_id();
        drop(one);
        assert_eq!(primary(&backends).await.thread_id(), thread, "a clean one is used again");

        two.queue_query(b"SELECT 1").unwrap();
        two.flush().await.unwrap();
        let unread = two.thread_id();
        drop(two);
        assert_ne!(primary(&backends).await.thread_id(), unread, "an unread one is closed");
        assert_eq!(backends.clusters()[0].primary().outstanding(), 0);

        let lease = primary(&backends).await;
        let killed = lease.thread_id();
        drop(lease);
        server.execute(&[&format!("KILL {killed}")]).await.unwrap();
        sleep(Duration::from_millis(100)).await;
        let mut fresh = primary(&backends).await;
        assert_ne!(fresh.thread_id(), killed, "a closed one is replaced");
        assert_eq!(value(&mut fresh, "SELECT 1").await, "1");
        drop(fresh);

        let aborted = "SHOW GLOBAL STATUS LIKE 'Aborted_clients'";
        let before = primary(&backends).await.query_all(aborted).await.unwrap();
        let backends_ = Backends::new(Settings::default(), vec![spec(&server, &[])], None).unwrap();
        assert_eq!(value(&mut primary(&backends_).await, "SELECT 1").await, "1");
        drop(backends_);
        sleep(Duration::from_millis(100)).await;
        let after = primary(&backends).await.query_all(aborted).await.unwrap();
        assert_eq!(
            after.first("Value"),
            before.first("Value"),
            "{flavor}: connections say goodbye"
        );

        server.kill();
        sleep(Duration::from_millis(100)).await;
        let error = backends.lease(0, Access::Primary, false).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::NoBackend, "{error}");
        let error = backends.lease(0, Access::Primary, false).await.unwrap_err();
        assert!(error.message().contains("is down: cannot connect to c0"), "{error}");
    }
}

#[tokio::test]
async fn session_state_follows_the_session() {
    for flavor in flavors() {
        let server = shared(flavor).await;
        server.execute(&["CREATE DATABASE shop", "CREATE DATABASE other"]).await.unwrap();
        let backends = backends(spec(server, &[]), Settings::default());
        let mut lease = primary(&backends).await;
        let fresh = value(&mut lease, ALL).await;

        let mut state = SessionState { schema: Some("shop".into()), ..SessionState::default() };
        state.variables.insert("sql_mode".into(), "'ANSI_QUOTES'".into());
        state.variables.insert("foreign_key_checks".into(), "0".into());
        state.variables.insert("character_set_results".into(), "latin1".into());
        state.user_variables.insert("a".into(), "'né'".into());
        let set = Arc::new(state);
        lease.queue_state(&set).unwrap();
        let all = "shop,ANSI_QUOTES,utf8mb4,latin1,6EC3A9,";
        assert!(value(&mut lease, ALL).await.starts_with(all), "{flavor}");
        assert!(lease.is_clean());

        let mut state = (*set).clone();
        state.variables.clear();
        lease.ensure_state(&Arc::new(state)).await.unwrap();
        let kept = fresh.replacen("none,", "shop,", 1).replacen("none,", "6EC3A9,", 1);
        assert_eq!(value(&mut lease, ALL).await, kept, "{flavor}: variables are as they were");

        let plain = Arc::new(SessionState { schema: Some("other".into()), ..Default::default() });
        lease.ensure_state(&plain).await.unwrap();
        let back = value(&mut lease, ALL).await;
        assert_eq!(back, fresh.replacen("none,", "other,", 1), "{flavor}: all is as it was");

        lease.ensure_state(&Arc::default()).await.unwrap();
        assert_eq!(value(&mut lease, "SELECT DATABASE()").await, "information_schema");

        let wrong = Arc::new(SessionState { schema: Some("gone".into()), ..Default::default() });
        let error = lease.ensure_state(&wrong).await.unwrap_err();
        assert_eq!(error.mysql().0, 1049, "{error}");
        assert!(lease.is_broken());
    }
}

/// All that the test of session state sets, in one value.
const ALL: &str = "SELECT CONCAT_WS(',', IFNULL(DATABASE(), 'none'), @@sql_mode, \
    @@character_set_client, @@character_set_results, IFNULL(HEX(@a), 'none'), \
    @@character_set_connection, @@collation_connection, @@foreign_key_checks)";

#[tokio::test]
async fn global_values_are_what_a_fresh_connection_has() {
    for flavor in flavors() {
        let server = shared(flavor).await;
        let backends = backends(spec(server, &[]), Settings::default());
        let mut lease = primary(&backends).await;
        let mut known = 0;
        for name in HAVE_GLOBAL {
            let show = format!("SHOW SESSION VARIABLES LIKE '{}'", name.replace('_', "\\_"));
            let fresh = lease.query_all(&show).await.unwrap();
            if fresh.rows.is_empty() {
                continue;
            }
            known += 1;
            let set = format!("SET {name} = @@global.{name}");
            lease.query_all(&set).await.unwrap_or_else(|error| panic!("{flavor}: {set}: {error}"));
            let after = lease.query_all(&show).await.unwrap();
            assert_eq!(after.first("Value"), fresh.first("Value"), "{flavor}: {name}");
        }
        assert!(known > 30, "{flavor}: {known}");
    }
}

#[tokio::test]
async fn prepared_statements_are_kept() {
    for flavor in flavors() {
        let server = shared(flavor).await;
        let settings = Settings { prepared_statements: 2, ..Settings::default() };
        let backends = backends(spec(server, &[]), settings);
        let mut lease = primary(&backends).await;
        let [one, two, three] = ["SELECT ? + 1", "SELECT 2, 'b'", "DO 3"].map(str::as_bytes);
        let first = lease.prepare(one).await.unwrap();
        assert_eq!((first.parameters.len(), first.columns.len()), (1, 1));
        let second = lease.prepare(two).await.unwrap();
        assert_eq!((second.parameters.len(), second.columns.len()), (0, 2));
        assert_eq!(lease.prepare(one).await.unwrap(), first);
        assert!(lease.prepare(three).await.unwrap().columns.is_empty());
        assert_ne!(lease.prepare(two).await.unwrap().id, second.id, "it was closed for the third");
        let count = lease.query_all("SHOW STATUS LIKE 'Com_stmt_close'").await.unwrap();
        assert_eq!(count.first("Value"), Some("2"));

        let prepared = lease.prepare(two).await.unwrap();
        let head = [&[0x17][..], &prepared.id.to_le_bytes(), &[0, 1, 0, 0, 0]].concat();
        lease.queue_command(&[&head]).unwrap();
        lease.flush().await.unwrap();
        assert_eq!(lease.read_head().await.unwrap(), ReplyHead::Columns(2));
        assert_eq!(lease.read_columns().await.unwrap()[1].name, "b");
        assert!(lease.read_row().await.unwrap().is_some());
        assert!(lease.read_row().await.unwrap().is_none());

        let error = lease.prepare(b"SELECT FROM").await.unwrap_err();
        assert_eq!(error.mysql().0, 1064);
        assert!(lease.is_clean());
    }
}

#[tokio::test]
async fn reads_leave_a_dead_replica() {
    for flavor in flavors() {
        let launcher = launcher(flavor);
        let (source, mut one, mut two) = tokio::join!(
            start(&launcher, 1, &[]),
            start(&launcher, 2, &[]),
            start(&launcher, 3, &[])
        );
        replicate(&source, &mut one).await.unwrap();
        replicate(&source, &mut two).await.unwrap();
        let settings = Settings {
            health_interval: Duration::from_millis(100),
            health_timeout: Duration::from_millis(500),
            ..Settings::default()
        };
        let backends = backends(spec(&source, &[&one, &two]), settings);
        let health = backends.start();
        source.execute(&["CREATE DATABASE d"]).await.unwrap();
        catch_up(&source, &one, Duration::from_secs(10)).await.unwrap();
        let cluster = &backends.clusters()[0];
        let replicas = cluster.replicas();
        until("GTIDs are seen", || !replicas[0].applied_gtids().is_empty()).await;
        let mut served = [0, 0];
        for _ in 0..100 {
            let lease = backends.lease(0, Access::Read, false).await.unwrap();
            let index = replicas.iter().position(|node| Arc::ptr_eq(node, lease.node()));
            served[index.expect("a replica serves")] += 1;
        }
        assert!(served[0] > 20 && served[1] > 20, "{served:?}");

        one.kill();
        for _ in 0..20 {
            let mut lease = backends.lease(0, Access::Read, false).await.unwrap();
            if Arc::ptr_eq(lease.node(), &replicas[1]) {
                assert_eq!(value(&mut lease, "SELECT 1").await, "1");
            }
        }
        until("the killed replica is down", || matches!(replicas[0].state(), NodeState::Down(_)))
            .await;
        two.freeze().unwrap();
        until("the frozen replica is down", || !replicas[1].is_up()).await;
        assert!(Arc::ptr_eq(cluster.reader(), cluster.primary()));
        two.thaw().unwrap();
        one.start_again().await.unwrap();
        until("both are back", || replicas.iter().all(|node| node.is_up())).await;
        two.execute(&["STOP SLAVE"]).await.or(two.execute(&["STOP REPLICA"]).await).unwrap();
        until("the stopped replica takes no reads", || !replicas[1].is_up()).await;
        assert!(cluster.primary().is_up() && !cluster.primary().is_read_only());
        drop(health);
    }
}
