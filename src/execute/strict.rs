//! What a strict sql_mode makes of values that a write reads by a query of its own: a query only warns of
//! them, where the whole statement fails.

use super::run::Run;
use crate::error::{Error, Result, ServerError};

/// Warnings of values that become errors, with their SQLSTATEs: values that are cut off or out of range,
/// divisions by zero, dates and times that are none.
const OF_VALUES: [(u16, [u8; 5]); 7] = [
    (1264, *b"22003"),
    (1265, *b"01000"),
    (1292, *b"22007"),
    (1365, *b"22012"),
    (1366, *b"HY000"),
    (1411, *b"HY000"),
    (1441, *b"22008"),
];

impl Run<'_> {
    /// # Errors
    /// The first warning that the query raised, where it would be the error of the whole statement.
    /// `deletes`: that is a DELETE.
    pub(super) async fn check_values(&self, deletes: bool) -> Result<()> {
        let state = |code: u16| OF_VALUES.iter().find(|(own, _)| *own == code);
        let mut warnings = self.warnings.list.iter().filter(|it| it.level == b"Warning");
        let found = warnings.find_map(|warning| Some((warning, state(warning.code)?.1)));
        let Some((warning, state)) = found else { return Ok(()) };
        let rows = self
            .snapshot
            .ask_as(self.state.base().clone(), b"SELECT @@session.sql_mode, VERSION()")
            .await?;
        let cells = rows.into_iter().next().unwrap_or_default();
        let mut texts = cells.into_iter().map(|cell| {
            cell.map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
        });
        let (mode, version) = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
        if is_strict(&mode) && !(deletes && version.contains("MariaDB")) {
            let (code, message) = (warning.code, warning.message.clone());
            return Err(Error::server(ServerError { code, state, message }));
        }
        Ok(())
    }
}

fn is_strict(mode: &str) -> bool {
    mode.split(',').any(|word| matches!(word, "STRICT_TRANS_TABLES" | "STRICT_ALL_TABLES"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strictness_of_modes() {
        let check = |mode: &str, expect: bool| assert_eq!(is_strict(mode), expect, "{mode}");
        check("", false);
        check("ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES", true);
        check("STRICT_ALL_TABLES", true);
        check("NO_ENGINE_SUBSTITUTION", false);
    }
}
