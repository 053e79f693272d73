//! The database on each cluster where Margay keeps what is its own: `transactions.database`.

use crate::backend::cluster::Cluster;
use crate::error::{Error, ErrorKind};
use crate::sql::quote;

#[derive(Debug, Clone)]
pub struct Bookkeeping {
    database: String,
}

impl Bookkeeping {
    pub fn new(database: &str) -> Self {
        Self { database: database.to_owned() }
    }

    pub fn database(&self) -> &str {
        &self.database
    }

    /// A table of it, quoted.
    pub fn table(&self, name: &str) -> String {
        format!("{}.{}", quoted(&self.database), quoted(name))
    }

    /// Makes the database. Tables follow.
    pub fn create(&self) -> String {
        format!("CREATE DATABASE IF NOT EXISTS {}", quoted(&self.database))
    }

    /// Something of it is not there: it was not made yet.
    pub fn is_missing(error: &Error) -> bool {
        has_code(error, &[1049, 1146])
    }

    /// The right to it is.
    pub fn is_denied(error: &Error) -> bool {
        has_code(error, &[1044, 1142])
    }

    /// The error of what needs it and cannot have it. `need`: as in `generated ids need`; `rights`: those
    /// that it takes.
    pub fn unusable(
        &self,
        cluster: Option<&Cluster>,
        (need, rights): (&str, &str),
        why: &str,
    ) -> Error {
        let (name, user) = cluster.map_or(("?", "?"), |cluster| (cluster.name(), cluster.user()));
        let database = &self.database;
        Error::new(
            ErrorKind::Config,
            format!(
                "{need} the database `{database}` on cluster `{name}`, which cannot be used: {why}; grant the \
                 user `{user}` {rights} on it, or name another one by `transactions.database`"
            ),
        )
    }
}

fn quoted(name: &str) -> String {
    String::from_utf8_lossy(&quote::identifier(name.as_bytes())).into_owned()
}

fn has_code(error: &Error, codes: &[u16]) -> bool {
    matches!(error.kind(), ErrorKind::Server(server) if codes.contains(&server.code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_its_names() {
        let odd = Bookkeeping::new("a`b");
        assert_eq!(odd.create(), "CREATE DATABASE IF NOT EXISTS `a``b`");
        assert_eq!(odd.table("views"), "`a``b`.`views`");
        let error = odd.unusable(None, ("ids need", "CREATE"), "it is gone").to_string();
        assert!(error.starts_with("ids need the database `a`b` on cluster `?`"), "{error}");
    }
}
