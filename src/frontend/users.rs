//! Who may log in, and to which schemas.

use std::collections::{BTreeSet, HashMap};

use super::tls::PeerNames;
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::auth::PasswordDigest;

/// Every user sees it, as in MySQL.
const INFORMATION_SCHEMA: &str = "information_schema";

/// An account of the rule files.
#[derive(Debug, Clone)]
pub struct User {
    pub name: String,
    pub password: PasswordDigest,
    pub schemas: Grants,
    pub tls: TlsNeed,
    /// Its connections at once.
    pub max_connections: Option<u32>,
}

/// How a user's connections must be encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TlsNeed {
    #[default]
    Any,
    Tls,
    /// With a certificate of the client, which has these names where they are given.
    Certificate {
        subject: Option<String>,
        issuer: Option<String>,
    },
}

impl TlsNeed {
    fn is_met(&self, is_tls: bool, peer: Option<&PeerNames>) -> bool {
        match (self, peer) {
            (Self::Any, _) => true,
            (Self::Tls, _) => is_tls,
            (Self::Certificate { .. }, None) => false,
            (Self::Certificate { subject, issuer }, Some(peer)) => {
                let fits = |wanted: &Option<String>, found| {
                    wanted.as_ref().is_none_or(|wanted| wanted == found)
                };
                fits(subject, &peer.subject) && fits(issuer, &peer.issuer)
            }
        }
    }
}

/// The schemas that a user may make its default. What it may do there is checked a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grants {
    All,
    Only(BTreeSet<String>),
}

/// The accounts, and the schemas that exist. Replaced whole on a reload.
#[derive(Debug, Clone)]
pub struct UserStore {
    users: HashMap<String, User>,
    schemas: BTreeSet<String>,
    /// Checked in place of an unknown user's password, so that both take the same time.
    nobody: PasswordDigest,
}

impl UserStore {
    pub fn new(
        users: impl IntoIterator<Item = User>,
        schemas: impl IntoIterator<Item = String>,
    ) -> Self {
        let users: HashMap<_, _> =
            users.into_iter().map(|user| (user.name.clone(), user)).collect();
        Self {
            users,
            schemas: schemas.into_iter().collect(),
            nobody: PasswordDigest::of(&rand::random::<[u8; 20]>()),
        }
    }

    /// Users by plain passwords, each granted every schema: for the admin port and for tests.
    pub fn from_passwords<'a>(
        passwords: impl IntoIterator<Item = (&'a str, &'a str)>,
        schemas: impl IntoIterator<Item = String>,
    ) -> Self {
        let user = |(name, password): (&str, &str)| User {
            name: name.to_owned(),
            password: PasswordDigest::of(password.as_bytes()),
            schemas: Grants::All,
            tls: TlsNeed::Any,
            max_connections: None,
        };
        Self::new(passwords.into_iter().map(user), schemas)
    }

    pub fn get(&self, name: &str) -> Option<&User> {
        self.users.get(name)
    }

    /// The digest to check a login by: that of nobody for an unknown user.
    pub(super) fn digest(&self, name: &str) -> &PasswordDigest {
        self.users.get(name).map_or(&self.nobody, |user| &user.password)
    }

    /// The connection is as the user's account asks.
    pub(super) fn is_secure(&self, name: &str, is_tls: bool, peer: Option<&PeerNames>) -> bool {
        self.users.get(name).is_some_and(|user| user.tls.is_met(is_tls, peer))
    }

    /// Whether a user may make a schema its default. `host` goes into the error.
    pub fn check_schema(&self, user: &str, host: &str, schema: &str) -> Result<()> {
        if schema.eq_ignore_ascii_case(INFORMATION_SCHEMA) {
            return Ok(());
        }
        if !self.schemas.contains(schema) {
            let message = format!("Unknown database '{schema}'");
            return Err(Error::new(ErrorKind::UnknownDatabase, message));
        }
        let granted = self.get(user).is_some_and(|user| match &user.schemas {
            Grants::All => true,
            Grants::Only(names) => names.contains(schema),
        });
        if granted {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::DatabaseAccessDenied,
            format!("Access denied for user '{user}'@'{host}' to database '{schema}'"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> UserStore {
        let user = |name: &str, schemas| User {
            name: name.to_owned(),
            password: PasswordDigest::of(b"secret"),
            schemas,
            tls: TlsNeed::Any,
            max_connections: None,
        };
        let only = Grants::Only(BTreeSet::from(["shop".to_owned()]));
        let users = [user("app", only), user("root", Grants::All)];
        UserStore::new(users, ["shop".to_owned(), "crm".to_owned()])
    }

    fn check(user: &str, schema: &str, expect: Option<(u16, &str)>) {
        let found = store().check_schema(user, "10.0.0.1", schema).err();
        let found = found.map(|error| (error.kind().row().code, error.message().to_owned()));
        assert_eq!(found, expect.map(|(code, message)| (code, message.to_owned())));
    }

    #[test]
    fn schemas() {
        check("app", "shop", None);
        check("root", "crm", None);
        check("app", "INFORMATION_SCHEMA", None);
        check("app", "nosuch", Some((1049, "Unknown database 'nosuch'")));
        let denied = "Access denied for user 'app'@'10.0.0.1' to database 'crm'";
        check("app", "crm", Some((1044, denied)));
    }

    #[test]
    fn encryption() {
        let names = |subject: &str| PeerNames { subject: subject.into(), issuer: "/CN=ca".into() };
        let app = names("/CN=app");
        let check = |need: &TlsNeed, expect: [bool; 3]| {
            let met = [(false, None), (true, None), (true, Some(&app))];
            assert_eq!(met.map(|(is_tls, peer)| need.is_met(is_tls, peer)), expect, "{need:?}");
        };
        let certificate = |subject: Option<&str>, issuer: Option<&str>| TlsNeed::Certificate {
            subject: subject.map(str::to_owned),
            issuer: issuer.map(str::to_owned),
        };
        check(&TlsNeed::Any, [true, true, true]);
        check(&TlsNeed::Tls, [false, true, true]);
        check(&certificate(None, None), [false, false, true]);
        check(&certificate(Some("/CN=app"), Some("/CN=ca")), [false, false, true]);
        check(&certificate(Some("/CN=ap"), None), [false, false, false]);
        check(&certificate(None, Some("/CN=other")), [false, false, false]);
    }
}
