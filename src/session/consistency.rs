//! What reads may miss: where the level comes from, and the variable `margay_read_consistency`.

use super::Session;
use super::like;
use super::tables::like_pattern;
use crate::backend::Access;
use crate::config::Reads;
use crate::error::{Error, ErrorKind, Result, ServerError};
use crate::execute::reply::Rows;
use crate::execute::{ClientState, Reply, Summary};
use crate::sql::statement::{Assignment, Consistency, Hints, Scope, SetTarget, Show};

/// The variable by which a session sets its level.
pub(super) const CONSISTENCY: &str = "margay_read_consistency";

impl Session {
    /// Where a plain read may go. Reads inside transactions go to primaries.
    pub(super) fn reads(&self, hints: &Hints) -> Access {
        if hints.primary || self.transaction.is_active() || !self.state.autocommits() {
            return Access::Primary;
        }
        let level = match hints.read {
            Some(Consistency::Eventual) => Reads::Eventual,
            Some(Consistency::Session) => Reads::Session,
            Some(Consistency::Strong) => Reads::Strong,
            None => self.consistency(),
        };
        match level {
            Reads::Eventual => Access::Read,
            Reads::Session => Access::ReadOwn(self.written.clone()),
            Reads::Strong => Access::Primary,
        }
    }

    /// The session's own level, else that of the user, of the schema, or the general one.
    fn consistency(&self) -> Reads {
        let config = &self.snapshot.config;
        let user = config.users.get(&self.identity.user).and_then(|user| user.reads);
        let schema = self.schema.as_ref().and_then(|name| config.schemas.get(name));
        let set = self.consistency.or(user).or(schema.and_then(|schema| schema.reads));
        set.unwrap_or(config.settings.reads)
    }

    /// As the rules write the level.
    pub(super) fn consistency_name(&self) -> &'static str {
        match self.consistency() {
            Reads::Eventual => "eventual",
            Reads::Session => "session",
            Reads::Strong => "strong",
        }
    }

    /// `SET margay_read_consistency = ...`. None: the statement does not set it.
    pub(super) fn set_consistency(
        &mut self,
        text: &[u8],
        assignments: &[Assignment],
    ) -> Result<Option<Reply>> {
        let is_it = |assignment: &Assignment| matches!(&assignment.target, SetTarget::System { name, .. } if is_name(name));
        let [assignment] = assignments else {
            return match assignments.iter().any(is_it) {
                true => Err(Error::unsupported(format!(
                    "SET {CONSISTENCY} beside other variables is not supported; set it in a statement of \
                     its own"
                ))),
                false => Ok(None),
            };
        };
        if !is_it(assignment) {
            return Ok(None);
        }
        if let SetTarget::System { scope: Some(Scope::Global | Scope::Persist), .. } =
            &assignment.target
        {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "{CONSISTENCY} is a session's own; set `reads` in the rules for all sessions"
                ),
            ));
        }
        let value = text.get(assignment.value.span.range()).unwrap_or_default();
        let value = String::from_utf8_lossy(value).trim().to_ascii_lowercase();
        self.consistency = match value.trim_matches(['\'', '"', '`']) {
            "eventual" => Some(Reads::Eventual),
            "session" => Some(Reads::Session),
            "strong" => Some(Reads::Strong),
            "default" => None,
            other => {
                return Err(Error::server(ServerError {
                    code: 1231,
                    state: *b"42000",
                    message: format!(
                        "Variable '{CONSISTENCY}' can't be set to the value of '{other}'; it is \
                         'eventual', 'session' or 'strong'"
                    )
                    .into_bytes(),
                }));
            }
        };
        Ok(Some(Reply::Done(Summary::default())))
    }

    /// SHOW VARIABLES: a server's own, and ours.
    pub(super) async fn show_variables(
        &mut self,
        text: &[u8],
        show: &Show,
        global: bool,
    ) -> Result<Reply> {
        let shown = !global
            && match (show.filter, like_pattern(text, show)) {
                (None, _) => true,
                (Some(_), Some(pattern)) => {
                    like::matches(CONSISTENCY.as_bytes(), pattern.as_bytes())
                }
                // A condition on the value is not about this one.
                (Some(_), None) => {
                    let names = vec![CONSISTENCY.to_owned()];
                    let found = self.filtered(text, show, names, "Variable_name", None).await;
                    found.is_ok_and(|names| !names.is_empty())
                }
            };
        if let Some(seconds) = self.wait_timeout.filter(|_| !global) {
            let mut state = self.state.base().clone();
            state.variables.insert("wait_timeout".to_owned(), seconds.to_string());
            self.reading = Some(ClientState::new(state, self.state.text_collation()));
        }
        let reply = self.run_at_home(text).await;
        self.reading = None;
        let mut rows = match reply? {
            Reply::Rows(rows) if shown => rows,
            reply => return Ok(reply),
        };
        let mut all = Vec::new();
        loop {
            match rows.next().await {
                Ok(Some(row)) => all.push(row),
                Ok(None) => break,
                Err(error) => {
                    self.release(&mut rows, Some(&error));
                    return Err(error);
                }
            }
        }
        let columns = std::mem::take(&mut rows.columns).into_vec();
        self.release(&mut rows, None);
        let own = super::local::text_row(&[
            super::local::cell(CONSISTENCY),
            super::local::cell(self.consistency_name()),
        ]);
        // Rows begin with the name, whose length comes first; servers sort by the name.
        let name = |row: &bytes::Bytes| row.get(1..).map(<[u8]>::to_owned).unwrap_or_default();
        let at = all.partition_point(|row| name(row) < name(&own));
        all.insert(at, own);
        Ok(Reply::Rows(Rows::local(columns, all)))
    }
}

fn is_name(name: &str) -> bool {
    name.eq_ignore_ascii_case(CONSISTENCY)
}
