//! What one server says of the whole statement: whether it is valid, and what its columns are.

use bytes::Bytes;

use crate::error::{ErrorKind, Result};
use crate::execute::run::Run;
use crate::plan::facts::Facts;
use crate::plan::planner::TEMPORARY_PREFIX;
use crate::plan::render::render;
use crate::plan::resolve;
use crate::plan::types::Select;
use crate::protocol::column::Column;

/// ER_UNSUPPORTED_PS
const NOT_PREPARABLE: u16 = 1295;

impl Run<'_> {
    /// The columns of the whole statement, from a shard that has all its tables; none if there is no such
    /// shard, or it cannot say.
    ///
    /// # Errors
    /// The statement is not valid: the error that one server would give.
    pub(super) async fn described(
        &self,
        select: &Select,
        facts: &Facts,
    ) -> Result<Option<Vec<Column>>> {
        let values = self.values(facts);
        let rendered = resolve::sample(&select.place, &values)
            .and_then(|target| Ok((render(&select.route, &target, &values)?.text, target)));
        let Ok((text, target)) = rendered else { return Ok(None) };
        match self.snapshot.describe_at(&target, text, self.state, self.deadline).await {
            Ok((_, columns)) => Ok(Some(columns)),
            Err(error) => match error.kind() {
                ErrorKind::Server(own) if own.code != NOT_PREPARABLE => Err(error),
                _ => Ok(None),
            },
        }
    }
}

/// Gives the answer's columns the looks that one server would give them, as far as their values allow.
pub(super) fn dress(columns: &mut [Column], described: Option<&[Column]>) {
    match described.filter(|described| described.len() == columns.len()) {
        Some(described) => {
            for (column, like) in columns.iter_mut().zip(described) {
                let own = column.clone();
                *column = like.clone();
                if own.ty != like.ty || own.charset != like.charset {
                    let Column { charset, length, ty, flags, decimals, .. } = own;
                    *column = Column { charset, length, ty, flags, decimals, ..like.clone() };
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
