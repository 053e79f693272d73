//! Warnings of the last statement, for SHOW WARNINGS.

use super::names::Names;
use crate::backend::Connection;
use crate::error::Error;

/// Warnings kept for one statement, as MySQL's `max_error_count` has it by default.
const KEPT_MAX: usize = 64;

/// What a statement warned of.
#[derive(Debug, Clone, Default)]
pub struct Warnings {
    /// All that were raised; more than are kept, maybe.
    pub count: u64,
    pub list: Vec<Warning>,
}

/// A row of SHOW WARNINGS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// `Note`, `Warning` or `Error`.
    pub level: Vec<u8>,
    pub code: u16,
    pub message: Vec<u8>,
}

/// Warnings of a statement's text, not of rows: deprecated syntax, functions, character sets, hints.
fn is_of_text(code: u16) -> bool {
    matches!(
        code,
        1287 | 1681 | 3126 | 3127 | 3128 | 3515 | 3719 | 3720 | 3778 | 3804 | 3999 | 4031
    )
}

impl Warnings {
    pub fn add(&mut self, other: Self) {
        self.count += other.count;
        let known = self.list.len();
        for warning in other.list {
            // Every shard says of the statement's text what one server says once.
            if is_of_text(warning.code) && self.list.iter().take(known).any(|it| *it == warning) {
                self.count = self.count.saturating_sub(1);
            } else if self.list.len() < KEPT_MAX {
                self.list.push(warning);
            }
        }
    }

    /// An error shows as a warning too.
    pub fn add_error(&mut self, error: &Error) {
        let (code, _, message) = error.mysql();
        self.count += 1;
        if self.list.len() < KEPT_MAX {
            self.list.push(Warning { level: b"Error".to_vec(), code, message });
        }
    }

    /// Fetches the warnings that the last statement of a connection raised. They are gone once the
    /// connection serves another statement. A connection that breaks here only loses their texts.
    pub async fn collect(&mut self, connection: &mut Connection) {
        let raised = connection.end().warnings;
        if raised == 0 {
            return;
        }
        let Ok(result) = connection.query_all("SHOW WARNINGS").await else {
            self.count += u64::from(raised);
            return;
        };
        let mut found = Self { count: u64::from(raised), list: Vec::new() };
        for row in result.rows {
            let mut cells = row.into_iter().map(Option::unwrap_or_default);
            let (Some(level), Some(code), Some(message)) =
                (cells.next(), cells.next(), cells.next())
            else {
                continue;
            };
            let code = std::str::from_utf8(&code).ok().and_then(|code| code.parse().ok());
            found.list.push(Warning {
                level: level.to_vec(),
                code: code.unwrap_or_default(),
                message: message.to_vec(),
            });
        }
        self.add(found);
    }

    /// Gives the messages logical names.
    pub(super) fn restore(&mut self, names: &Names<'_>) {
        for warning in &mut self.list {
            if let Ok(message) = std::str::from_utf8(&warning.message) {
                warning.message = names.restore_text(message).into_bytes();
            }
        }
    }

    /// How many of those kept are errors.
    pub fn errors(&self) -> usize {
        self.list.iter().filter(|warning| warning.level == b"Error").count()
    }

    /// The count as packets carry it.
    pub fn wire_count(&self) -> u16 {
        u16::try_from(self.count).unwrap_or(u16::MAX)
    }
}
