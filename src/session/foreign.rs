//! Names outside of ASCII, of clients whose character set is not UTF-8. Margay reads names in UTF-8, so
//! such a statement runs as if the client had sent it in UTF-8; its literals and its answer stay in the
//! character sets of `character_set_connection` and `character_set_results`.

use super::Session;
use crate::error::{Error, Result};
use crate::execute::run::Call;
use crate::execute::{ClientState, Reply};
use crate::sql::charset::Charset;
use crate::sql::scanner::Scan;
use crate::sql::token::{Token, TokenKind};
use crate::sql::{self, Mode, StatementKind, scanner};

/// Bytes of a statement that is put into UTF-8.
const TEXT_MAX: usize = 1 << 20;

const CLIENT: &str = "character_set_client";

/// What the client has, while a statement runs in UTF-8.
pub(super) struct Foreign {
    /// The value of `character_set_client`.
    charset: String,
    mode: Mode,
}

impl Session {
    /// Runs a text whose names could not be read in the client's character set; `refused` says so.
    ///
    /// # Errors
    /// `refused` if it would not be the same statement; those of the statement.
    pub(super) async fn query_in_utf8(&mut self, text: &[u8], refused: Error) -> Result<Reply> {
        let mode = Mode { charset: Charset::Utf8, ..self.mode };
        let Some(charset) = self.state.base().variables.get(CLIENT).cloned() else {
            return Err(refused);
        };
        let Some(text) = self.in_utf8(text, charset.trim_matches('\'')).await? else {
            return Err(refused);
        };
        let scan = scanner::scan(&text, &mode)?;
        if names_charset(&text, &scan) {
            return Err(refused);
        }
        let statement = sql::parse_scanned(&text, scan, &mode)?;
        if !keeps_no_text(&statement.kind) {
            return Err(refused);
        }
        self.put_client_charset("utf8mb4".to_owned());
        self.foreign = Some(Foreign { charset, mode: std::mem::replace(&mut self.mode, mode) });
        let reply = Box::pin(self.statement(&text, &statement, Call::Text)).await;
        self.leave_utf8();
        reply
    }

    /// Brings the client's own character set back.
    pub(super) fn leave_utf8(&mut self) {
        if let Some(Foreign { charset, mode }) = self.foreign.take() {
            self.put_client_charset(charset);
            self.mode = mode;
        }
    }

    fn put_client_charset(&mut self, charset: String) {
        let mut base = self.state.base().clone();
        base.variables.insert(CLIENT.to_owned(), charset);
        let state = ClientState::new(base, self.state.text_collation());
        self.state = state.shared(self.snapshot.backends.states());
    }

    /// The text in UTF-8, as a server converts it. None: it does not come back as it was.
    async fn in_utf8(&self, text: &[u8], charset: &str) -> Result<Option<Vec<u8>>> {
        let is_name = charset.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if text.len() > TEXT_MAX || !is_name {
            return Ok(None);
        }
        let hex: String = text.iter().map(|byte| format!("{byte:02x}")).collect();
        let query = format!(
            "SELECT CONVERT(_{charset} X'{hex}' USING utf8mb4), \
             HEX(CONVERT(CONVERT(_{charset} X'{hex}' USING utf8mb4) USING {charset}))"
        );
        let rows = self.snapshot.ask(self.home_cluster(), query.as_bytes()).await?;
        let mut cells = rows.into_iter().next().unwrap_or_default().into_iter();
        let (Some(Some(converted)), Some(Some(back))) = (cells.next(), cells.next()) else {
            return Ok(None);
        };
        Ok(back.eq_ignore_ascii_case(hex.as_bytes()).then(|| converted.to_vec()))
    }
}

/// A literal says which character set its bytes are in.
fn names_charset(text: &[u8], scan: &Scan) -> bool {
    let slice = |token: &Token| text.get(token.span.range()).unwrap_or_default();
    scan.tokens.windows(2).any(|pair| match pair {
        [word, string] => {
            word.kind == TokenKind::Word
                && string.kind == TokenKind::String
                && slice(word).starts_with(b"_")
                && !slice(string).is_ascii()
        }
        _ => false,
    })
}

/// Nothing keeps its text for later, when it would be read in the client's character set.
fn keeps_no_text(kind: &StatementKind) -> bool {
    match kind {
        StatementKind::Query(_)
        | StatementKind::Insert(_)
        | StatementKind::Update(_)
        | StatementKind::Delete(_)
        | StatementKind::Ddl(_)
        | StatementKind::Show(_)
        | StatementKind::Describe { .. }
        | StatementKind::Explain(_)
        | StatementKind::Use(_)
        | StatementKind::LockTables(_) => true,
        StatementKind::Load(_)
        | StatementKind::Set(_)
        | StatementKind::SetNames { .. }
        | StatementKind::SetTransaction { .. }
        | StatementKind::Transaction(_)
        | StatementKind::Kill { .. }
        | StatementKind::Prepare { .. }
        | StatementKind::Execute(_)
        | StatementKind::Deallocate(_)
        | StatementKind::Handler(_)
        | StatementKind::Call(_)
        | StatementKind::Do { .. }
        | StatementKind::Other(_)
        | StatementKind::Empty => false,
    }
}
