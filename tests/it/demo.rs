//! The servers that `margay demo` starts.

use std::time::Duration;

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
