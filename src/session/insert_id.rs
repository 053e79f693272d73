//! What LAST_INSERT_ID() answers after a statement.

use super::Session;
use crate::execute::Reply;
use crate::execute::run::Call;
use crate::plan::facts::TableId;
use crate::sql::expr::{Expr, ExprKind, Literal};
use crate::sql::statement::{ColumnAssignment, Insert, InsertSource, Statement, StatementKind};
use crate::sql::walk::{self, Node};

/// What the parameters of a statement are: the client's, and values that its plan was made without.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) call: Call<'a>,
    pub(super) hidden: Option<&'a (dyn Fn(u16) -> Option<Literal> + Sync)>,
}

impl Session {
    /// Notes the insert id of a reply. The OK packet of an INSERT carries an id that the statement gave
    /// too, which LAST_INSERT_ID() does not answer.
    pub(super) async fn note_insert_id(
        &mut self,
        statement: &Statement,
        given: Given<'_>,
        reply: &Reply,
    ) {
        let Reply::Done(summary) = reply else { return };
        if summary.last_insert_id == 0 {
            return;
        }
        if let Some(id) = summary.generated {
            if id > 0 || calls_last_insert_id(statement) {
                self.last_insert_id = summary.last_insert_id;
            }
            return;
        }
        let generated = match &statement.kind {
            StatementKind::Insert(insert) if !calls_last_insert_id(statement) => {
                self.generates(insert, given).await
            }
            _ => true,
        };
        if generated {
            self.last_insert_id = summary.last_insert_id;
        }
    }

    async fn generates(&self, insert: &Insert, given: Given<'_>) -> bool {
        let schema = insert.table.schema.as_ref().map(|schema| schema.value.clone());
        let Some(schema) = schema.or_else(|| self.schema.clone()) else { return true };
        let id = TableId { schema, table: insert.table.name.value.clone() };
        let Ok(Some(columns)) = self.snapshot.columns(&id).await else { return true };
        let counted = columns.columns.iter().position(|column| column.auto_increment);
        let Some(counted) = counted else { return false };
        let name = columns.columns.get(counted).map_or("", |column| column.name.as_str());
        match (&insert.source, &insert.columns) {
            (InsertSource::Set(list), _) => set_generates(list, name, given),
            (InsertSource::Query(_), Some(named)) => {
                !named.iter().any(|column| column.value.eq_ignore_ascii_case(name))
            }
            (InsertSource::Query(_), None) => false,
            (InsertSource::Values { rows, .. }, named) => {
                let index = match named {
                    Some(named) => {
                        named.iter().position(|column| column.value.eq_ignore_ascii_case(name))
                    }
                    None => Some(counted),
                };
                let value = |values: &[Expr]| {
                    index
                        .and_then(|index| values.get(index))
                        .is_none_or(|it| asks_for_id(it, given))
                };
                rows.iter().any(|row| value(&row.values))
            }
        }
    }
}

fn set_generates(list: &[ColumnAssignment], name: &str, values: Given<'_>) -> bool {
    let given = list.iter().find(|item| item.column.name.value.eq_ignore_ascii_case(name));
    given.is_none_or(|item| asks_for_id(&item.value, values))
}

/// NULL, 0 and DEFAULT make the server count.
fn asks_for_id(value: &Expr, given: Given<'_>) -> bool {
    let hidden = match &value.kind {
        ExprKind::Param(index) => given.hidden.and_then(|hidden| hidden(*index)),
        _ => None,
    };
    let literal = match (&value.kind, given.call) {
        (ExprKind::Default, _) => return true,
        (ExprKind::Literal(literal), _) => Some(literal),
        (ExprKind::Param(_), _) if hidden.is_some() => hidden.as_ref(),
        (ExprKind::Param(index), Call::Prepared { literals, .. }) => {
            literals.get(usize::from(*index))
        }
        _ => None,
    };
    match literal {
        Some(Literal::Null) => true,
        Some(Literal::Integer(digits)) => digits.trim_matches(['-', '+', '0']).is_empty(),
        _ => false,
    }
}

/// `LAST_INSERT_ID(expr)` says what it answers next.
fn calls_last_insert_id(statement: &Statement) -> bool {
    let mut calls = false;
    walk::statement(statement, &mut |node| {
        if let Node::Expr(expr) = node
            && let ExprKind::Function(function) = &expr.kind
        {
            calls |= function.name == "last_insert_id" && !function.args.is_empty();
        }
    });
    calls
}
