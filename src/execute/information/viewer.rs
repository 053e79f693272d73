//! Who looks, and what Margay tells of itself.

use super::fetch::Contained;
use super::fold::Row;
use super::views::ShownView;

/// A client as information_schema knows it.
#[derive(Debug, Clone, Default)]
pub struct Viewer {
    /// `'app'@'%'`
    pub account: String,
    pub schemas: Vec<Granted>,
    pub sessions: Vec<Session>,
    /// The views that Margay keeps in these schemas.
    pub views: Vec<ShownView>,
}

/// A schema that the rules grant.
#[derive(Debug, Clone)]
pub struct Granted {
    pub name: String,
    pub read: bool,
    pub write: bool,
}

/// A session that the client may see.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: u32,
    pub user: String,
    pub host: String,
    pub schema: Option<String>,
    pub seconds: u64,
    /// The statement that runs.
    pub statement: Option<Vec<u8>>,
}

impl Session {
    /// As SHOW PROCESSLIST has it.
    pub fn command(&self) -> &'static str {
        if self.statement.is_some() { "Query" } else { "Sleep" }
    }

    pub fn state(&self) -> &'static str {
        if self.statement.is_some() { "executing" } else { "" }
    }
}

const READ: [&str; 2] = ["SELECT", "SHOW VIEW"];
const WRITE: [&str; 7] = ["INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "INDEX", "ALTER"];

impl Granted {
    /// The privileges of a server that say about the same.
    pub fn rights(&self) -> Vec<&'static str> {
        let read = READ.iter().filter(|_| self.read);
        read.chain(WRITE.iter().filter(|_| self.write)).copied().collect()
    }
}

impl Viewer {
    pub(super) fn processes(&self) -> Contained {
        let rows = self.sessions.iter().map(|session| {
            vec![
                cell(session.id.to_string()),
                cell(session.user.clone()),
                cell(session.host.clone()),
                session.schema.clone().map(Into::into),
                cell(session.command()),
                cell(session.seconds.to_string()),
                cell(session.state()),
                session.statement.clone().map(Into::into),
            ]
        });
        contained("ID USER HOST DB COMMAND TIME STATE INFO", rows.collect())
    }

    pub(super) fn user_rights(&self) -> Contained {
        let row = vec![cell(self.account.clone()), cell("def"), cell("USAGE"), cell("NO")];
        contained("GRANTEE TABLE_CATALOG PRIVILEGE_TYPE IS_GRANTABLE", vec![row])
    }

    pub(super) fn schema_rights(&self) -> Contained {
        let mut rows = Vec::new();
        for schema in &self.schemas {
            for right in schema.rights() {
                rows.push(vec![
                    cell(self.account.clone()),
                    cell("def"),
                    cell(schema.name.clone()),
                    cell(right),
                    cell("NO"),
                ]);
            }
        }
        contained("GRANTEE TABLE_CATALOG TABLE_SCHEMA PRIVILEGE_TYPE IS_GRANTABLE", rows)
    }
}

fn contained(columns: &str, rows: Vec<Row>) -> Contained {
    Contained { columns: columns.split(' ').map(str::to_owned).collect(), rows }
}

fn cell(text: impl Into<String>) -> Option<bytes::Bytes> {
    Some(text.into().into())
}
