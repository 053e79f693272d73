//! What one server says of the whole statement: whether it is valid, and what its columns are.

use std::pin::pin;

use bytes::Bytes;

use crate::error::{ErrorKind, Result};
use crate::execute::reply::Reply;
use crate::execute::run::Run;
use crate::plan::facts::Facts;
use crate::plan::planner::TEMPORARY_PREFIX;
use crate::plan::render::render;
use crate::plan::resolve;
use crate::plan::template::Target;
use crate::plan::types::Select;
use crate::protocol::column::Column;

/// ER_UNSUPPORTED_PS; and ER_NO_SUCH_TABLE, where no server has all tables: one that is missing indeed is
/// missed by the parts too.
const TELLS_NOTHING: [u16; 2] = [1295, 1146];

impl Run<'_> {
    /// A shard that has all tables of the whole statement, and its text there; none if there is no such
    /// shard.
    pub(super) fn sample_of(&self, select: &Select, facts: &Facts) -> Option<(Target, Vec<u8>)> {
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
pub(super) async fn both<D>(
    described: impl Future<Output = Result<D>>,
    answer: impl Future<Output = Result<Reply>>,
) -> Result<(D, Result<Reply>)> {
    let (mut described, mut answer) = (pin!(described), pin!(answer));
    tokio::select! {
        biased;
        described = &mut described => Ok((described?, answer.await)),
        answer = &mut answer => Ok((described.await?, answer)),
    }
}

/// Gives the answer's columns the looks that one server would give them, as far as their values allow.
pub(super) fn dress(columns: &mut [Column], described: Option<&[Column]>) {
    match described.filter(|described| described.len() == columns.len()) {
        Some(described) => {
            for (column, like) in columns.iter_mut().zip(described) {
                let own = std::mem::replace(column, like.clone());
                // Of a number they say how it is shown, of a text nothing.
                if own.ty.is_numeric_type() {
                    column.decimals = own.decimals;
                }
                if own.ty != like.ty || own.charset != like.charset {
                    let Column { charset, length, ty, flags, .. } = own;
                    *column = Column { charset, length, ty, flags, ..column.clone() };
                }
            }
        }
        None => columns.iter_mut().for_each(hide),
    }
}

/// Temporary tables are nobody's business.
fn hide(column: &mut Column) {
    if column.org_table.starts_with(TEMPORARY_PREFIX.as_bytes()) {
        column.schema = Bytes::new();
        column.org_table = Bytes::new();
        column.org_name = Bytes::new();
    }
    if column.table.starts_with(TEMPORARY_PREFIX.as_bytes()) {
        column.table = Bytes::new();
    }
}
