//! Statements that leave something on their connection, and those that need it.

use bytes::Bytes;

use super::aftermath::Aftermath;
use super::facts::{Row, column};
use super::reply::{Reply, Rows};
use super::run::{Fragment, Run};
use super::select::Head;
use super::summary::Summary;
use super::warnings::Warnings;
use crate::backend::{Access, Connection, Keeper};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Plan;
use crate::plan::facts::{Columns, Facts};
use crate::plan::resolve;
use crate::plan::template::Target;
use crate::plan::types::Ddl;
use crate::protocol::column::Column;
use crate::sql::quote;

impl Run<'_> {
    /// Runs DDL of a temporary table, whose connection goes to `keeper` from then on if it is not there
    /// already. Gives the columns of the table `shown`.
    ///
    /// # Errors
    /// The server's own, or that it cannot be reached.
    pub async fn temporary(
        &mut self,
        ddl: &Ddl,
        facts: &mut Facts,
        (keeper, shown): (Option<&Keeper>, Option<&str>),
    ) -> Result<(Reply, Option<Columns>)> {
        let mut total = Summary::default();
        let mut columns = None;
        for step in &ddl.steps {
            let targets = self
                .settle(facts, |run, facts| resolve::ddl_targets(step, &run.values(facts)))
                .await?;
            let [target] = targets.as_slice() else {
                return Err(Error::unsupported(
                    "a temporary table beside tables in several places is not supported",
                ));
            };
            let fragment = self.fragment(&step.template, target, facts)?;
            let (summary, found) = self.leave(&fragment, target, (keeper, shown)).await?;
            total.add_rows(&summary);
            columns = found;
        }
        total.warnings = self.warnings.wire_count();
        Ok((Reply::Done(total), columns))
    }

    /// Runs a text that leaves something on its connection, which goes to `keeper` from then on.
    ///
    /// # Errors
    /// As those of [`Run::temporary`].
    pub async fn leave_by(
        &mut self,
        text: Vec<u8>,
        target: &Target,
        keeper: Option<&Keeper>,
    ) -> Result<Reply> {
        let fragment = Fragment::new(target.shard, text, Vec::new());
        let (summary, _) = self.leave(&fragment, target, (keeper, None)).await?;
        Ok(Reply::Done(summary))
    }

    /// Runs a SELECT without tables on a connection that goes to `keeper` from then on; its rows are held
    /// in memory.
    ///
    /// # Errors
    /// The server's own, or that it cannot be reached.
    pub async fn apart(
        &mut self,
        text: Vec<u8>,
        params: u16,
        target: &Target,
        keeper: &Keeper,
    ) -> Result<Reply> {
        let fragment = Fragment::new(target.shard, text, (0..params).collect());
        let mut lent = self.connect(target.shard, Access::Primary).await?;
        lent.lease.set_deadline(self.deadline);
        let database = &self.snapshot.shard(target.shard)?.database;
        lent.lease.ensure_state(&self.state.in_database(database)).await?;
        // Whatever becomes of the statement, it may leave locks.
        keeper.pin(&mut lent.lease);
        let columns = match self.start_rows(&mut lent, &fragment).await? {
            Head::Rows(mut columns) => {
                self.state.dress(&mut columns);
                columns
            }
            Head::Done(_) => return Err(Error::protocol("a server answers a SELECT without rows")),
        };
        let mut bytes_left = self.snapshot.config.settings.limits.sort_bytes.0;
        let mut rows = Vec::new();
        while let Some(row) = lent.lease.read_row().await? {
            bytes_left = bytes_left.checked_sub(row.len() as u64).ok_or_else(|| {
                Error::new(
                    ErrorKind::LimitExceeded,
                    "rows beside locks are over `limits.sort_bytes`",
                )
            })?;
            rows.push(row);
        }
        let mut raised = Warnings::default();
        raised.collect(&mut lent.lease).await;
        let mut reply = Rows::local(columns, rows);
        reply.warn(raised);
        Ok(Reply::Rows(reply))
    }

    async fn leave(
        &mut self,
        fragment: &Fragment,
        target: &Target,
        (keeper, shown): (Option<&Keeper>, Option<&str>),
    ) -> Result<(Summary, Option<Columns>)> {
        self.writes = true;
        self.aftermath = Aftermath::default();
        let mut lent = self.connect(fragment.shard, Access::Primary).await?;
        match self.run_to_ok(&mut lent, fragment).await {
            Ok(ok) => {
                if let Some(keeper) = keeper {
                    keeper.pin(&mut lent.lease);
                }
                let raised = self.raised(&mut lent, target).await;
                self.warnings.add(raised);
                let columns = match shown {
                    Some(name) => columns(&mut lent.lease, name).await,
                    None => Ok(None),
                };
                self.transaction.give_back(lent);
                Ok((Summary::of(&ok), columns?))
            }
            Err(error) => {
                let error = self.restore(error, target);
                self.give_back_after(lent, &error);
                Err(error)
            }
        }
    }

    /// Definitions of the parameters and columns of a planned statement, from the connection that the
    /// session is pinned to.
    ///
    /// # Errors
    /// What the server says of it.
    pub async fn describe(&mut self, plan: &Plan) -> Result<(Vec<Column>, Vec<Column>)> {
        let snapshot = self.snapshot;
        let (target, text) = snapshot.sample(plan)?;
        let mut lent = self.connect(target.shard, Access::Primary).await?;
        lent.lease.set_deadline(self.deadline);
        let database = &snapshot.shard(target.shard)?.database;
        let state = self.state.in_database(database);
        let described = match lent.lease.ensure_state(&state).await {
            Ok(()) => snapshot.described(&mut lent.lease, &target, text, self.state).await,
            Err(error) => Err(error),
        };
        match described {
            Ok(described) => {
                self.transaction.give_back(lent);
                Ok(described)
            }
            Err(error) => {
                self.give_back_after(lent, &error);
                Err(error)
            }
        }
    }
}

/// The columns of a temporary table, of which information_schema does not tell.
async fn columns(connection: &mut Connection, name: &str) -> Result<Option<Columns>> {
    let name = String::from_utf8_lossy(&quote::identifier(name.as_bytes())).into_owned();
    let shown = connection.query_all(format!("SHOW FULL COLUMNS FROM {name}")).await?;
    let columns = shown.rows.iter().map(|row| column(&as_listed(row))).collect();
    Ok(Some(Columns { columns, unique: None, rows: 0 }))
}

/// A row of SHOW FULL COLUMNS in the form in which other tables' columns are read.
fn as_listed(row: &Row) -> Row {
    let cell = |index: usize| row.get(index).cloned().flatten();
    let declared = cell(1).unwrap_or_default();
    let text = String::from_utf8_lossy(&declared).to_ascii_lowercase();
    let kind = text.split(['(', ' ']).next().unwrap_or_default().to_owned();
    let inside = text.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    let mut numbers = inside.map_or("", |(inside, _)| inside).split(',').map(str::trim);
    let is_number = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |text: &str| Some(Bytes::copy_from_slice(text.as_bytes()));
    let first = numbers.next().filter(is_number).and_then(number);
    let scale = numbers.next().filter(is_number).and_then(number);
    let (kind, fraction) = (Some(Bytes::from(kind)), first.clone());
    let (collation, nullable, key, extra) = (cell(2), cell(3), cell(4), cell(6));
    vec![cell(0), kind, cell(1), collation, first, scale, fraction, extra, nullable, None, key]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::facts::ColumnClass;

    fn check(declared: &str, collation: Option<&str>, expect: ColumnClass) {
        let cell = |text: &str| Some(Bytes::copy_from_slice(text.as_bytes()));
        let row = vec![
            cell("a"),
            cell(declared),
            collation.and_then(cell),
            cell("NO"),
            cell("PRI"),
            None,
            cell("auto_increment"),
        ];
        let column = column(&as_listed(&row));
        assert!(column.primary && column.auto_increment && !column.nullable);
        assert_eq!((column.class, column.declared.as_str()), (expect, declared));
    }

    #[test]
    fn reads_shown_columns() {
        check("int(11) unsigned", None, ColumnClass::Integer { unsigned: true });
        check("bigint", None, ColumnClass::Integer { unsigned: false });
        check("decimal(10,2)", None, ColumnClass::Decimal { scale: 2 });
        check("datetime(6)", None, ColumnClass::DateTime { fraction: 6 });
        check("binary(4)", None, ColumnClass::Binary { length: 4 });
        check("enum('a','b')", Some("latin1_bin"), ColumnClass::Enum);
        let text = |fixed| ColumnClass::Text { collation: "utf8mb4_bin".into(), fixed };
        check("char(3)", Some("utf8mb4_bin"), text(true));
        check("text", Some("utf8mb4_bin"), text(false));
    }
}
