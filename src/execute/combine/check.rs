//! What one server says of the whole statement: whether it is valid, and what its columns are.

use std::pin::pin;

use bytes::Bytes;

use crate::error::{Error, ErrorKind, Result};
use crate::execute::reply::Reply;
use crate::execute::run::Run;
use crate::plan::facts::Facts;
use crate::plan::planner::TEMPORARY_PREFIX;
use crate::plan::render::render;
use crate::plan::resolve;
use crate::plan::template::Target;
use crate::plan::types::Select;
use crate::protocol::capability::ColumnType;
use crate::protocol::charset::{BINARY, Collation};
use crate::protocol::column::Column;

/// ER_UNSUPPORTED_PS; and ER_NO_SUCH_TABLE, where no server has all tables: one that is missing indeed is
/// missed by the parts too.
const TELLS_NOTHING: [u16; 2] = [1295, 1146];

impl Run<'_> {
    /// A shard that has all tables of the whole statement, and its text there; none if there is no such
    /// shard.
    pub(in crate::execute) fn sample_of(
        &self,
        select: &Select,
        facts: &Facts,
    ) -> Option<(Target, Vec<u8>)> {
        let values = self.values(facts);
        let target = resolve::sample(&select.place, &values).ok()?;
        let text = render(&select.route, &target, &values).ok()?.text;
        Some((target, text))
    }
}

/// The columns of the whole statement as a shard describes them; none if it cannot.
///
/// # Errors
/// The statement is not valid: the error that one server would give.
pub(super) fn described(answer: Result<(Vec<Column>, Vec<Column>)>) -> Result<Option<Vec<Column>>> {
    match answer {
        Ok((_, columns)) => Ok(Some(columns)),
        Err(error) => match error.kind() {
            ErrorKind::Server(own) if !TELLS_NOTHING.contains(&own.code) => Err(error),
            _ => Ok(None),
        },
    }
}

/// What a shard says of the statement, while the answer is made; if it is not valid, that is the answer.
/// `waits`: connections that make the answer go on with a transaction, so that it is made to its end.
pub(super) async fn both<D>(
    described: impl Future<Output = Result<D>>,
    answer: impl Future<Output = Result<Reply>>,
    waits: bool,
) -> Result<(D, Result<Reply>)> {
    let (mut described, mut answer) = (pin!(described), pin!(answer));
    tokio::select! {
        biased;
        described = &mut described => {
            if described.is_err() && waits {
                drop(answer.as_mut().await);
            }
            Ok((described?, answer.await))
        }
        answer = &mut answer => Ok((described.await?, answer)),
    }
}

/// Gives the answer's columns the looks that one server would give them, as far as their values allow.
/// `open`: the statement was described without the values of its parameters, on which it depends how long
/// texts are. `bound`: and of which type all values are.
pub(super) fn dress(columns: &mut [Column], described: Option<&[Column]>, open: bool, bound: bool) {
    match described.filter(|described| described.len() == columns.len()) {
        Some(described) => {
            for (column, like) in columns.iter_mut().zip(described) {
                let own = std::mem::replace(column, like.clone());
                // Of numbers and times they say how they are shown, of a text nothing.
                if own.ty.is_numeric_type() || is_temporal(own.ty) {
                    column.decimals = own.decimals;
                }
                let long = open && is_long(own.ty) != is_long(like.ty);
                if !shows_alike(&own, like) && (bound || long || !is_sent_alike(&own, like)) {
                    let Column { charset, length, ty, flags, .. } = own;
                    *column = Column { charset, length, ty, flags, ..column.clone() };
                }
            }
        }
        None => columns.iter_mut().for_each(hide),
    }
}

/// The answer has values of other types than the statement: its parts lost what they were made of. How wide a
/// number is does not matter.
pub(super) fn drifts(columns: &[Column], described: Option<&[Column]>, bound: bool) -> bool {
    let Some(described) = described.filter(|described| described.len() == columns.len()) else {
        return false;
    };
    let differs = |(own, like): (&Column, &Column)| {
        let wide = kind(own).is_some() && kind(own) == kind(like);
        !wide && !shows_alike(own, like) && !is_sent_alike(own, like)
    };
    !bound && columns.iter().zip(described).any(differs)
}

/// Numbers of one kind are only wider or narrower.
fn kind(column: &Column) -> Option<u8> {
    use ColumnType as T;
    match column.ty {
        T::MYSQL_TYPE_TINY
        | T::MYSQL_TYPE_SHORT
        | T::MYSQL_TYPE_INT24
        | T::MYSQL_TYPE_LONG
        | T::MYSQL_TYPE_LONGLONG
        | T::MYSQL_TYPE_YEAR => Some(if column.unsigned() { 1 } else { 0 }),
        T::MYSQL_TYPE_FLOAT | T::MYSQL_TYPE_DOUBLE => Some(2),
        T::MYSQL_TYPE_DECIMAL | T::MYSQL_TYPE_NEWDECIMAL => Some(3),
        T::MYSQL_TYPE_DATETIME
        | T::MYSQL_TYPE_DATETIME2
        | T::MYSQL_TYPE_TIMESTAMP
        | T::MYSQL_TYPE_TIMESTAMP2 => Some(4),
        _ => None,
    }
}

/// Values that were sent as one can be taken for the other.
fn shows_alike(own: &Column, like: &Column) -> bool {
    // NULL, which is all that such a column has, looks the same in every type.
    let nulls = || {
        like.ty == ColumnType::MYSQL_TYPE_NULL
            && (own.ty == like.ty
                || (own.length == 0
                    && own.ty == ColumnType::MYSQL_TYPE_STRING
                    && own.charset == BINARY))
    };
    nulls() || (own.charset == like.charset && own.ty == like.ty)
}

/// The same bytes stand for texts of both kinds.
fn is_sent_alike(own: &Column, like: &Column) -> bool {
    let strings = is_string(own.ty) && is_string(like.ty);
    // A number of a subquery beside a text makes bytes; one of a temporary table makes text.
    let is_plain = || Collation::by_id(own.charset).is_some_and(|own| own.charset == "utf8mb4");
    let bytes = || like.charset == BINARY && is_plain();
    // JSON beside a NULL of a temporary table becomes bytes, which are the same.
    let json = like.ty == ColumnType::MYSQL_TYPE_JSON
        && (own.ty == like.ty || (own.charset == BINARY && own.ty == ColumnType::MYSQL_TYPE_BLOB));
    json || (strings && (own.charset == like.charset || bytes()))
}

/// Texts and bytes, which are sent in one form.
fn is_string(ty: ColumnType) -> bool {
    use ColumnType as T;
    let short =
        matches!(ty, T::MYSQL_TYPE_STRING | T::MYSQL_TYPE_VAR_STRING | T::MYSQL_TYPE_VARCHAR);
    short || is_long(ty)
}

fn is_long(ty: ColumnType) -> bool {
    use ColumnType as T;
    matches!(
        ty,
        T::MYSQL_TYPE_TINY_BLOB
            | T::MYSQL_TYPE_BLOB
            | T::MYSQL_TYPE_MEDIUM_BLOB
            | T::MYSQL_TYPE_LONG_BLOB
    )
}

fn is_temporal(ty: ColumnType) -> bool {
    use ColumnType as T;
    matches!(
        ty,
        T::MYSQL_TYPE_DATE | T::MYSQL_TYPE_DATETIME | T::MYSQL_TYPE_TIMESTAMP | T::MYSQL_TYPE_TIME
    )
}

/// Errors about names, types and lengths, which rows in temporary tables may raise where one server has
/// none: ER_BAD_NULL, ER_NON_UNIQ, ER_BAD_FIELD, ER_WRONG_FIELD_WITH_GROUP and others of resolving a
/// statement, and those of rows that do not fit into a table.
const OF_REWRITING: [u16; 23] = [
    1048, 1052, 1054, 1055, 1056, 1060, 1066, 1074, 1111, 1118, 1137, 1140, 1247, 1253, 1264, 1265,
    1267, 1270, 1271, 1366, 1406, 1463, 3065,
];

/// Errors of computing a value: a part may compute values of rows that the whole never comes to.
/// ER_SUBQUERY_NO_1_ROW, ER_DATA_OUT_OF_RANGE, and those of wrong arguments and of JSON.
const OF_VALUES: [u16; 10] = [1210, 1242, 1365, 1411, 1690, 3140, 3141, 3143, 3146, 4038];

/// The error may be of the program rather than of the statement.
pub(super) fn is_of_rewriting(error: &Error) -> bool {
    let is_of = |code: &u16| OF_REWRITING.contains(code) || OF_VALUES.contains(code);
    matches!(error.kind(), ErrorKind::Server(own) if is_of(&own.code))
}

/// The statement itself may raise it, though it is valid.
pub(super) fn is_of_values(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Server(own) if OF_VALUES.contains(&own.code))
}

/// The error says of the statement that it is not valid, however it was planned.
pub(super) fn is_final(error: &Error) -> bool {
    /// ER_CANT_REOPEN_TABLE
    const REOPENED: u16 = 1137;
    let told = |code: u16| code != super::super::describe::NOT_PREPARABLE && code != REOPENED;
    matches!(error.kind(), ErrorKind::Server(own) if told(own.code))
}

/// What the client gets of an error that one server would not have raised.
pub(super) fn rewritten(error: &Error) -> Error {
    Error::unsupported(format!(
        "this statement over several shards is not supported, since its parts do not keep its meaning \
         ({error}); simplify the statement"
    ))
}

/// Temporary tables are nobody's business.
pub(super) fn hide(column: &mut Column) {
    if column.org_table.starts_with(TEMPORARY_PREFIX.as_bytes()) {
        column.schema = Bytes::new();
        column.org_table = Bytes::new();
        column.org_name = Bytes::new();
    }
    if column.table.starts_with(TEMPORARY_PREFIX.as_bytes()) {
        column.table = Bytes::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether an answer with a column of the one type drifts from a statement with one of the other.
    fn check(own: (ColumnType, u16), like: (ColumnType, u16), expect: bool) {
        let column = |(ty, charset): (ColumnType, u16)| Column::computed("c", ty, charset);
        let (own, like) = (column(own), column(like));
        let drift =
            |bound| drifts(std::slice::from_ref(&own), Some(std::slice::from_ref(&like)), bound);
        assert_eq!(drift(false), expect);
        assert!(!drift(true) && !drifts(std::slice::from_ref(&own), None, false));
    }

    #[test]
    fn kinds_of_values_matter() {
        use ColumnType as T;
        const UTF8MB4: u16 = 255;
        const LATIN1: u16 = 8;
        check((T::MYSQL_TYPE_LONG, BINARY), (T::MYSQL_TYPE_LONGLONG, BINARY), false);
        check((T::MYSQL_TYPE_NEWDECIMAL, BINARY), (T::MYSQL_TYPE_LONGLONG, BINARY), true);
        check((T::MYSQL_TYPE_DOUBLE, BINARY), (T::MYSQL_TYPE_NEWDECIMAL, BINARY), true);
        check((T::MYSQL_TYPE_VAR_STRING, UTF8MB4), (T::MYSQL_TYPE_BLOB, UTF8MB4), false);
        check((T::MYSQL_TYPE_VAR_STRING, UTF8MB4), (T::MYSQL_TYPE_VAR_STRING, LATIN1), true);
        check((T::MYSQL_TYPE_DATE, BINARY), (T::MYSQL_TYPE_DATETIME, BINARY), true);
    }
}
