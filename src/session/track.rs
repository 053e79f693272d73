//! Changes of the session that OK packets tell of, to clients that asked for it by
//! `CLIENT_SESSION_TRACK`: the schema, and the variables that servers tell of by default.

use bytes::Bytes;

use super::Session;
use crate::protocol::capability::CapabilityFlags;
use crate::protocol::track::SessionChange;

/// The default of `session_track_system_variables`.
const TRACKED: [&str; 5] = [
    "time_zone",
    "autocommit",
    "character_set_client",
    "character_set_results",
    "character_set_connection",
];

/// What no OK packet has told of yet.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) schema: bool,
    variables: Vec<SessionChange>,
}

impl Session {
    /// Notes that variables were set, maybe to what they were before.
    pub(super) fn note_set<'n>(&mut self, names: impl Iterator<Item = &'n str>) {
        if !self.capabilities().contains(CapabilityFlags::CLIENT_SESSION_TRACK) {
            return;
        }
        let values = &self.state.base().variables;
        for name in names.filter(|name| TRACKED.contains(name)) {
            let Some(literal) = values.get(name) else { continue };
            let change = SessionChange::Variable {
                name: Bytes::copy_from_slice(name.as_bytes()),
                value: Bytes::copy_from_slice(shown(name, literal).as_bytes()),
            };
            self.changes.variables.retain(|known| !is_of(known, name));
            self.changes.variables.push(change);
        }
    }

    /// What has changed since the last OK packet, for the next one.
    pub fn take_changes(&mut self) -> Vec<SessionChange> {
        let Changes { schema, variables } = std::mem::take(&mut self.changes);
        let mut changes = variables;
        if let Some(name) = self.schema.as_ref().filter(|_| schema) {
            changes.push(SessionChange::Schema(Bytes::copy_from_slice(name.as_bytes())));
        }
        changes
    }
}

fn is_of(change: &SessionChange, name: &str) -> bool {
    matches!(change, SessionChange::Variable { name: known, .. } if known == name.as_bytes())
}

/// A value as servers tell it, of a literal.
fn shown<'l>(name: &str, literal: &'l str) -> &'l str {
    match (name, literal) {
        ("autocommit", "1") => "ON",
        ("autocommit", "0") => "OFF",
        (_, "NULL") => "",
        (_, literal) => literal.trim_matches('\''),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, literal: &str, expect: &str) {
        assert_eq!(shown(name, literal), expect);
    }

    #[test]
    fn values() {
        check("autocommit", "0", "OFF");
        check("autocommit", "1", "ON");
        check("time_zone", "'+02:00'", "+02:00");
        check("character_set_results", "NULL", "");
        check("character_set_client", "'latin1'", "latin1");
    }
}
