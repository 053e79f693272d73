//! The session state of a client, ready for connections.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::backend::{SessionState, States};
use crate::protocol::charset::BINARY;
use crate::protocol::column::Column;

/// The variable that says what LAST_INSERT_ID() answers. It is set on a connection for one statement.
pub(super) const LAST_INSERT_ID: &str = "last_insert_id";

/// What a client has set, and one shared copy of it a database, so that a connection that has it
/// already is recognised by its address.
pub struct ClientState {
    base: SessionState,
    /// The collation id that the client's own server would show for columns of characters. None: as
    /// the backend shows them.
    text_collation: Option<u16>,
    by_database: Mutex<BTreeMap<String, Arc<SessionState>>>,
    /// Where copies are shared with other clients.
    states: Option<Arc<States>>,
}

impl ClientState {
    /// `base` has no schema: each target has its own.
    pub fn new(base: SessionState, text_collation: Option<u16>) -> Self {
        Self { base, text_collation, by_database: Mutex::default(), states: None }
    }

    /// The same, whose copies are shared with other clients: for what stays set for a while.
    pub fn shared(self, states: &Arc<States>) -> Self {
        Self { states: Some(Arc::clone(states)), ..self }
    }

    pub fn text_collation(&self) -> Option<u16> {
        self.text_collation
    }

    /// Shows columns of characters in the client's collation: connections are shared by clients that
    /// logged in with others.
    pub fn dress(&self, columns: &mut [Column]) {
        let Some(id) = self.text_collation else { return };
        for column in columns.iter_mut().filter(|column| column.charset != BINARY) {
            column.charset = id;
        }
    }

    /// The collation in which the client sees a column that has `charset`, if it is another.
    pub(super) fn dressed(&self, charset: u16) -> Option<u16> {
        self.text_collation.filter(|id| charset != BINARY && charset != *id)
    }

    /// The same, with the clock standing still at a value of the session variable `timestamp`.
    pub(super) fn at(&self, time: &str) -> Self {
        let mut base = self.base.clone();
        base.variables.insert("timestamp".to_owned(), time.to_owned());
        Self::new(base, self.text_collation)
    }

    /// The same, with what LAST_INSERT_ID() answers on the connection.
    pub(super) fn with_insert_id(&self, id: u64) -> Self {
        let mut base = self.base.clone();
        base.variables.insert(LAST_INSERT_ID.to_owned(), id.to_string());
        Self::new(base, self.text_collation)
    }

    /// The same without autocommit: for a transaction that no statement begins.
    pub(super) fn without_autocommit(&self) -> Self {
        let mut base = self.base.clone();
        base.variables.insert("autocommit".to_owned(), "0".to_owned());
        Self::new(base, self.text_collation)
    }

    pub fn base(&self) -> &SessionState {
        &self.base
    }

    pub(super) fn in_database(&self, database: &str) -> Arc<SessionState> {
        // Entries are whole once they are in, so a panic elsewhere broke nothing.
        let mut states = self.by_database.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = states.get(database) {
            return state.clone();
        }
        let state = SessionState { schema: Some(database.to_owned()), ..self.base.clone() };
        let state = match &self.states {
            Some(states) => states.share(state),
            None => Arc::new(state),
        };
        states.insert(database.to_owned(), state.clone());
        state
    }

    /// The charset of the client's text.
    pub fn charset(&self) -> &str {
        let charset = self.base.variables.get("character_set_client");
        charset.map_or("utf8mb4", |value| value.trim_matches('\''))
    }

    /// Statements commit by themselves.
    pub fn autocommits(&self) -> bool {
        self.base.variables.get("autocommit").is_none_or(|value| value == "1")
    }
}
