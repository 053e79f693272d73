//! Values in place of those parameters of a combined statement whose types the parts would not have as the
//! whole has them.
//!
//! For a MariaDB a parameter is of the type of its value, in any part. A MySQL gives it a type by where it
//! stands, and takes a value of another type that converts; if one does not, all parameters of the
//! statement get the types of their values. A part may have too few of them to tell.

use bytes::Bytes;

use crate::backend::Access;
use crate::error::{Error, Result};
use crate::execute::inline::{LongNames, inline_some, literal};
use crate::execute::planning::Reading;
use crate::execute::run::{Call, Run};
use crate::plan::Plan;
use crate::plan::facts::Facts;
use crate::plan::types::{Select, Source};
use crate::protocol::capability::ColumnType;
use crate::protocol::charset::BINARY;
use crate::protocol::column::Column;
use crate::protocol::params::{Param, ParamValue};
use crate::sql::expr::{Expr, ExprKind, Literal};
use crate::sql::query::{Body, Query};
use crate::sql::walk::{self, Node};
use crate::sql::{self, Statement};

/// The statement with some of its parameters written out, and those that stay.
pub(super) struct Typed {
    pub(super) source: Source,
    pub(super) select: Box<Select>,
    pub(super) facts: Facts,
    pub(super) params: Vec<Param>,
    pub(super) literals: Vec<Literal>,
    long: LongNames,
}

impl Typed {
    /// Gives columns their names back.
    pub(super) fn rename(&self, columns: &mut [Column]) {
        for column in columns {
            if let Some((_, name)) = self.long.iter().find(|(given, _)| column.name == given[..]) {
                column.name = Bytes::copy_from_slice(name);
            }
        }
    }
}

/// Types that are taken for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer { unsigned: bool },
    Year,
    Decimal,
    Double,
    Temporal,
    Text,
    Json,
}

impl Run<'_> {
    /// None: all parameters may stay.
    pub(super) async fn typed(
        &mut self,
        select: &Select,
        source: &Source,
        facts: &Facts,
    ) -> Result<Option<Typed>> {
        let Call::Prepared { params, literals } = self.call else { return Ok(None) };
        let statement = sql::parse(&source.text, &source.mode)?;
        if params.is_empty() || usize::from(statement.params) != params.len() {
            return Ok(None);
        }
        if self.types_by_values().await? {
            return Ok(None);
        }
        let Some(told) = self.told(select, source, facts).await else { return Ok(None) };
        let written = mistaken(&told, params, &positions(&statement));
        if !written.contains(&true) {
            return Ok(None);
        }
        let charset = self.state.charset();
        let value = |(param, written): (&Param, &bool)| written.then(|| literal(param, charset));
        let values = params.iter().zip(&written).map(value);
        let values: Vec<Option<Vec<u8>>> =
            values.map(Option::transpose).collect::<Result<Vec<_>>>()?;
        let (text, statement, long) = inline_some(&source.text, &statement, &source.mode, &values)?;
        let source = Source { text, ..source.clone() };
        let mut facts = Facts::default();
        let reading = Reading::of(&source, &[]);
        let plan = self.snapshot.plan(&statement, &source.text, reading, &mut facts).await?;
        let Plan::Select(select) = plan else {
            return Err(Error::internal("a SELECT that is none with its values"));
        };
        let stays = || values.iter().map(Option::is_none);
        let left = params.iter().cloned().zip(stays()).filter(|(_, stays)| *stays);
        let left_literals = literals.iter().cloned().zip(stays()).filter(|(_, stays)| *stays);
        Ok(Some(Typed {
            params: left.map(|(param, _)| param).collect(),
            literals: left_literals.map(|(literal, _)| literal).collect(),
            source,
            select,
            facts,
            long,
        }))
    }

    /// The servers are MariaDBs, and there are parameters.
    pub(super) async fn types_by_values(&self) -> Result<bool> {
        if !matches!(self.call, Call::Prepared { params, .. } if !params.is_empty()) {
            return Ok(false);
        }
        let lease = self.snapshot.backends.lease(0, Access::Primary, false).await?;
        Ok(lease.is_mariadb())
    }

    /// The types that a MySQL gives the parameters; None: they are not known.
    async fn told(&self, select: &Select, source: &Source, facts: &Facts) -> Option<Vec<Column>> {
        let mut key = super::shape_key(source, self.state);
        key.push(b'?');
        if let Some(known) = self.snapshot.facts.shape(&key) {
            return Some(known.to_vec());
        }
        let (state, deadline) = (self.state, self.deadline);
        let (told, _) = match self.sample_of(select, facts) {
            Some((target, text)) => {
                self.snapshot.describe_at(&target, text, state, deadline).await.ok()?
            }
            None => Box::pin(self.snapshot.describe_apart(source, state, deadline)).await?.ok()?,
        };
        self.snapshot.facts.learn_shape(key, &told);
        Some(told)
    }

    /// The same run with other values.
    pub(super) fn calling<'s>(&'s mut self, call: Call<'s>) -> Run<'s> {
        let (hidden, held, part) = (self.hidden, self.held, self.part);
        let (harmless, reads) = (self.harmless, self.reads.clone());
        let (alone, aftermath) = (self.alone.clone(), self.aftermath.clone());
        Run { call, hidden, reads, alone, aftermath, harmless, held, part, ..self.again() }
    }
}

/// Parameters that say how many rows, or that would be positions of columns as numbers.
fn positions(statement: &Statement) -> Vec<u16> {
    let mut found = Vec::new();
    let mut take = |expr: &Expr| {
        if let ExprKind::Param(index) = expr.kind {
            found.push(index);
        }
    };
    walk::statement(statement, &mut |node| {
        if let Node::Query(query) = node {
            listed(query, &mut take);
        }
    });
    found
}

fn listed(query: &Query, take: &mut impl FnMut(&Expr)) {
    query.order_by.iter().for_each(|item| take(&item.expr));
    if let Some(limit) = &query.limit {
        take(&limit.rows);
        limit.offset.iter().for_each(&mut *take);
    }
    if let Body::Select(select) = &query.body {
        select.group_by.iter().for_each(|item| take(&item.expr));
    }
}

/// Which parameters have the types of their values, and would have others by where they stand. `told`: the
/// latter. `fixed`: parameters that stay what they are.
fn mistaken(told: &[Column], params: &[Param], fixed: &[u16]) -> Vec<bool> {
    let types = |(index, (told, param)): (usize, (&Column, &Param))| {
        if fixed.iter().any(|at| usize::from(*at) == index) {
            return None;
        }
        let own = kind(param.ty, param.unsigned).filter(|_| param.value != ParamValue::Null)?;
        // None: so is one that stands where it was not asked for.
        let is_open = told.ty == ColumnType::MYSQL_TYPE_VAR_STRING && told.charset == BINARY;
        let told = if is_open { None } else { Some(kind(told.ty, told.unsigned())?) };
        Some((told, own))
    };
    let pairs: Vec<Option<(Option<Kind>, Kind)>> =
        told.iter().zip(params).enumerate().map(types).collect();
    let all = pairs.iter().flatten().any(|(told, own)| told.is_some_and(|it| !converts(it, *own)));
    let differs = |(told, own): (Option<Kind>, Kind)| match told {
        Some(told) => told != own,
        None => own == Kind::Text,
    };
    pairs.iter().map(|pair| all && pair.is_some_and(differs)).collect()
}

/// A MySQL takes a value of a type where it has told another.
fn converts(told: Kind, own: Kind) -> bool {
    match (told, own) {
        (_, Kind::Text) | (Kind::Temporal, _) => true,
        (Kind::Integer { .. } | Kind::Text | Kind::Json, _) => told == own,
        (Kind::Year, _) => matches!(own, Kind::Integer { .. } | Kind::Year),
        (Kind::Decimal, _) => matches!(own, Kind::Integer { .. } | Kind::Decimal),
        (Kind::Double, _) => own != Kind::Temporal,
    }
}

/// None: it is not written as a literal.
fn kind(ty: ColumnType, unsigned: bool) -> Option<Kind> {
    use ColumnType as T;
    match ty {
        T::MYSQL_TYPE_TINY
        | T::MYSQL_TYPE_SHORT
        | T::MYSQL_TYPE_INT24
        | T::MYSQL_TYPE_LONG
        | T::MYSQL_TYPE_LONGLONG => Some(Kind::Integer { unsigned }),
        T::MYSQL_TYPE_YEAR => Some(Kind::Year),
        T::MYSQL_TYPE_BIT => Some(Kind::Integer { unsigned: true }),
        T::MYSQL_TYPE_DECIMAL | T::MYSQL_TYPE_NEWDECIMAL => Some(Kind::Decimal),
        T::MYSQL_TYPE_FLOAT | T::MYSQL_TYPE_DOUBLE => Some(Kind::Double),
        T::MYSQL_TYPE_DATE
        | T::MYSQL_TYPE_NEWDATE
        | T::MYSQL_TYPE_TIME
        | T::MYSQL_TYPE_TIME2
        | T::MYSQL_TYPE_DATETIME
        | T::MYSQL_TYPE_DATETIME2
        | T::MYSQL_TYPE_TIMESTAMP
        | T::MYSQL_TYPE_TIMESTAMP2 => Some(Kind::Temporal),
        T::MYSQL_TYPE_JSON => Some(Kind::Json),
        T::MYSQL_TYPE_NULL
        | T::MYSQL_TYPE_STRING
        | T::MYSQL_TYPE_VAR_STRING
        | T::MYSQL_TYPE_VARCHAR
        | T::MYSQL_TYPE_ENUM
        | T::MYSQL_TYPE_SET
        | T::MYSQL_TYPE_TINY_BLOB
        | T::MYSQL_TYPE_BLOB
        | T::MYSQL_TYPE_MEDIUM_BLOB
        | T::MYSQL_TYPE_LONG_BLOB => Some(Kind::Text),
        T::MYSQL_TYPE_GEOMETRY
        | T::MYSQL_TYPE_VECTOR
        | T::MYSQL_TYPE_TYPED_ARRAY
        | T::MYSQL_TYPE_UNKNOWN => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_values() {
        let int = Kind::Integer { unsigned: false };
        assert!(converts(int, Kind::Text) && converts(Kind::Double, int));
        assert!(converts(Kind::Decimal, int) && !converts(Kind::Decimal, Kind::Double));
        assert!(converts(Kind::Year, int) && !converts(Kind::Year, Kind::Double));
        assert!(!converts(Kind::Text, int) && !converts(int, Kind::Integer { unsigned: true }));
    }

    #[test]
    fn positions_stay() {
        let text = b"SELECT ? FROM t GROUP BY a, ? ORDER BY ? + 1, ? LIMIT ?, ?";
        let statement = sql::parse(text, &sql::Mode::default()).unwrap();
        let mut found = positions(&statement);
        found.sort_unstable();
        assert_eq!(found, [1, 3, 4, 5]);
    }
}
