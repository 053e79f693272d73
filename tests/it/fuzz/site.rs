//! The servers, which the workers of a run share.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::client::{Client, Login};
use crate::differential::Target;
use crate::differential::case::Dialect;
use crate::fixture::Differential;

/// The plain server's schema of tables without keys and indexes.
pub(super) const BARE: &str = "shop_bare";
/// How long a server may take to end once it has crashed, and Margay to find it again.
const SETTLE: Duration = Duration::from_secs(3);
const CONNECT_TRIES: usize = 60;
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

pub(super) struct Site {
    inner: Mutex<Inner>,
    target: Target,
    pub(super) dialect: Dialect,
}

struct Inner {
    fixture: Differential,
    crashes: usize,
}

impl Site {
    pub(super) fn new(fixture: Differential) -> Self {
        let target = fixture.target();
        let mut plain = Client::open(&target.plain);
        plain.run(&format!("CREATE DATABASE IF NOT EXISTS {BARE}"));
        let dialect = Dialect::of_version(&plain.greeting.version);
        let site = Self { inner: Mutex::new(Inner { fixture, crashes: 0 }), target, dialect };
        site.inner(|inner| inner.settle(dialect));
        site
    }

    fn inner<T>(&self, use_it: impl FnOnce(&mut Inner) -> T) -> T {
        use_it(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many servers have crashed up to now. `looks`: those that nobody noticed yet, too; they are
    /// started again.
    pub(super) fn crashes(&self, looks: bool) -> usize {
        self.inner(|inner| {
            if looks && inner.fixture.revive() > 0 {
                inner.crashes += 1;
                std::thread::sleep(SETTLE);
                inner.settle(self.dialect);
            }
            inner.crashes
        })
    }

    /// As [`crashes`](Self::crashes), once a server that is about to end has ended.
    pub(super) fn crashes_after_all(&self) -> usize {
        std::thread::sleep(SETTLE);
        self.crashes(true)
    }

    pub(super) fn plain(&self) -> Client {
        connect(&self.target.plain)
    }

    pub(super) fn proxy(&self) -> Client {
        connect(&self.target.proxy)
    }

    pub(super) fn bare(&self) -> Client {
        connect(&self.target.plain.clone().schema(BARE))
    }
}

impl Inner {
    /// What servers forget when they start again. A MariaDB knows no grouping by keys, so it is as strict
    /// as a MySQL only where it is told to be.
    fn settle(&self, dialect: Dialect) {
        self.fixture.run_on_servers(match dialect {
            Dialect::MySql => "SET GLOBAL max_execution_time = 5000",
            Dialect::MariaDb => {
                "SET GLOBAL max_statement_time = 5, \
                 sql_mode = CONCAT(@@sql_mode, ',ONLY_FULL_GROUP_BY')"
            }
        });
    }
}

fn connect(login: &Login) -> Client {
    for _ in 1..CONNECT_TRIES {
        if let Ok(client) = Client::connect(login) {
            client.limit_waits(ANSWER_LIMIT).expect("a socket takes a timeout");
            return client;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    Client::open(login)
}
