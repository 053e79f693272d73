//! The servers that `margay demo` starts.

use std::path::Path;
use std::time::Duration;

use margay::cli::demo::flavor::Flavor;
use margay::cli::demo::program::Program;
use margay::cli::demo::replication::{catch_up, replicate};
use mysql_async::prelude::Queryable;

use crate::servers::{flavors, launcher, start};

#[tokio::test]
async fn replicates_and_restarts() {
    for flavor in flavors() {
        let launcher = launcher(flavor);
        let began = tokio::time::Instant::now();
        let (mut primary, mut replica) =
            tokio::join!(start(&launcher, 1, &[]), start(&launcher, 2, &[]));
        eprintln!("{flavor}: two servers after {:?}", began.elapsed());
        replicate(&primary, &mut replica).await.unwrap();
        eprintln!("{flavor}: replication after {:?}", began.elapsed());

        primary
            .execute(&["CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)"])
            .await
            .unwrap();
        primary.execute(&["INSERT INTO d.t VALUES (1)"]).await.unwrap();
        catch_up(&primary, &replica, Duration::from_secs(10)).await.unwrap();
        assert_eq!(count(&replica).await, 1);

        primary.kill();
        assert!(primary.connect().await.is_err());
        primary.start_again().await.unwrap();
        replica.stop().await.unwrap();
        primary.execute(&["INSERT INTO d.t VALUES (2)"]).await.unwrap();
        replica.start_again().await.unwrap();
        catch_up(&primary, &replica, Duration::from_secs(10)).await.unwrap();
        assert_eq!(count(&replica).await, 2);

        let mut connection = replica.connect().await.unwrap();
        let read_only: Option<bool> = connection.query_first("SELECT @@read_only").await.unwrap();
        assert_eq!(read_only, Some(true), "{flavor}");
        eprintln!("{flavor}: all after {:?}", began.elapsed());
    }
}

async fn count(server: &margay::cli::demo::server::Server) -> u32 {
    let mut connection = server.connect().await.expect("the replica answers");
    connection
        .query_first("SELECT COUNT(*) FROM d.t")
        .await
        .expect("the replica answers")
        .unwrap_or(0)
}

/// The whole demo: it runs statements, tells by its exit code whether all succeeded, and leaves nothing.
#[tokio::test]
async fn runs_statements_and_leaves_nothing() {
    for flavor in flavors() {
        let good = "SELECT COUNT(*) FROM users; SELECT id FROM orders ORDER BY id LIMIT 1";
        let (code, out) = run_demo(flavor, good).await;
        assert_eq!(code, Some(0), "{flavor}: {out}");
        assert!(out.contains("|       20 |"), "{flavor}: {out}");
        let (code, out) = run_demo(flavor, "SELECT nothing FROM users; SELECT 1").await;
        assert_eq!(code, Some(1), "{flavor}: {out}");
        assert!(out.contains("ERROR 1054 (42S22)") && out.contains("| 1 |"), "{flavor}: {out}");
    }
}

async fn run_demo(flavor: Flavor, sql: &str) -> (Option<i32>, String) {
    let program = Program::find(Some(flavor)).expect("the launcher found it");
    let child = tokio::process::Command::new(env!("CARGO_BIN_EXE_margay"))
        .args(["demo", "--users", "20", "--run", sql])
        .env("MARGAY_MYSQLD", program.path())
        .env("MARGAY_MYSQLD_ROOT", program.root().unwrap_or(Path::new("")))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    let name = format!("margay-demo-{}", child.id().expect("it runs"));
    let output = child.wait_with_output().await.expect("it ends");
    let directory = program.host_path(&std::env::temp_dir().join(name));
    assert!(!directory.exists(), "{} is left", directory.display());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), text + &String::from_utf8_lossy(&output.stderr))
}
