//! SELECT ... INTO @a, @b: the row goes into variables of the session.
//!
//! On one shard the statement runs as it is, and the variables are read back. Over several it runs
//! without its INTO, with rows in the binary protocol and with text in its own character set, so that
//! values come with their types and collations. A server then sets the variables, as SET does.

use super::Session;
use super::value::literals;
use crate::error::{Error, Result, ServerError};
use crate::execute::reply::Rows;
use crate::execute::run::Call;
use crate::execute::warnings::{Warning, Warnings};
use crate::execute::{ClientState, Reply, Summary};
use crate::plan::facts::{ColumnClass, Facts, TableId};
use crate::protocol::column::Column;
use crate::sql::expr::{Expr, ExprKind};
use crate::sql::query::{Body, Query};
use crate::sql::splice::Splices;
use crate::sql::statement::{Statement, StatementKind};
use crate::sql::{self, Mode};

/// What a query gives to variables.
struct Found {
    /// The values of the first row as literals.
    first: Option<Vec<String>>,
    rows: u64,
}

impl Session {
    pub(super) async fn select_into(
        &mut self,
        text: &[u8],
        statement: &Statement,
        query: &Query,
        call: Call<'_>,
    ) -> Result<Reply> {
        let names = &query.into_variables;
        let gathered = without_into(text, query, &self.mode)?;
        if !self.is_spread(&gathered.0, &gathered.1, call).await? {
            return self.run(text, statement, call).await;
        }
        let (text, statement) = gathered;
        let found = self.values_of(&text, &statement, names.len(), call).await?;
        if let Some(values) = &found.first {
            self.assign(names, values).await?;
        }
        self.found_rows = found.rows.min(1);
        match found.rows {
            0 => {
                let warning = Warning {
                    level: b"Warning".to_vec(),
                    code: 1329,
                    message: b"No data - zero rows fetched, selected, or processed".to_vec(),
                };
                self.warnings.add(Warnings { count: 1, list: vec![warning] });
                let warnings = self.warnings.wire_count();
                Ok(Reply::Done(Summary { warnings, ..Summary::default() }))
            }
            1 => {
                let warnings = self.warnings.wire_count();
                Ok(Reply::Done(Summary { affected_rows: 1, warnings, ..Summary::default() }))
            }
            _ => Err(own_error(1172, b"42000", "Result consisted of more than one row")),
        }
    }

    /// The value of an expression of SET that holds a subquery.
    pub(super) async fn value_of(&mut self, text: &[u8], expr: &Expr) -> Result<String> {
        // A subquery alone runs as a statement, which may be done over more shards.
        let (text, is_query) = match &expr.kind {
            ExprKind::Subquery(query) => {
                (text.get(query.span.range()).unwrap_or_default().to_vec(), true)
            }
            _ => {
                let expr = text.get(expr.span.range()).unwrap_or_default();
                ([b"SELECT ".as_slice(), expr].concat(), false)
            }
        };
        let statement = sql::parse(&text, &self.mode)?;
        let found = self.values_of(&text, &statement, 1, Call::Text).await;
        let found = match found {
            Err(error) if is_query && error.mysql().0 == 1222 => {
                return Err(own_error(1241, b"21000", "Operand should contain 1 column(s)"));
            }
            found => found?,
        };
        if found.rows > 1 {
            return Err(own_error(1242, b"21000", "Subquery returns more than 1 row"));
        }
        let value = found.first.and_then(|values| values.into_iter().next());
        Ok(value.unwrap_or_else(|| "NULL".to_owned()))
    }

    async fn values_of(
        &mut self,
        text: &[u8],
        statement: &Statement,
        count: usize,
        call: Call<'_>,
    ) -> Result<Found> {
        let call = match call {
            Call::Text => Call::Prepared { params: &[], literals: &[] },
            prepared @ Call::Prepared { .. } => prepared,
        };
        self.reading = Some(unconverted(&self.state));
        let reply = self.run(text, statement, call).await;
        self.reading = None;
        let Reply::Rows(mut rows) = reply? else {
            return Err(Error::protocol("a shard answers a SELECT without rows"));
        };
        let collations = self.collations(&rows.columns).await;
        let outcome = first_row(&mut rows, count, &collations).await;
        self.release(&mut rows, outcome.as_ref().err());
        outcome
    }

    /// The collations of columns of tables: MariaDB tells clients of older ones in their place.
    async fn collations(&self, columns: &[Column]) -> Vec<Option<String>> {
        let mut found = Vec::with_capacity(columns.len());
        for column in columns {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let id = TableId { schema: text(&column.schema), table: text(&column.org_table) };
            let known = match column.org_name.is_empty() {
                true => None,
                false => self.snapshot.columns(&id).await.ok().flatten(),
            };
            found.push(known.and_then(|known| {
                let mut columns = known.columns.iter();
                let own = columns.find(|own| own.name.as_bytes() == column.org_name)?;
                match &own.class {
                    ColumnClass::Text { collation, .. } => Some(collation.clone()),
                    _ => None,
                }
            }));
        }
        found
    }

    /// Whether a query needs the rows of several targets.
    async fn is_spread(
        &mut self,
        text: &[u8],
        statement: &Statement,
        call: Call<'_>,
    ) -> Result<bool> {
        let expanded = self.expanded(text, statement).await?;
        let (text, statement) = match &expanded {
            Some(expanded) => (expanded.text.as_slice(), &expanded.statement),
            None => (text, statement),
        };
        let substituted = self.substituted(text, statement)?;
        let (text, statement) = match &substituted {
            Some((text, statement)) => (text.as_slice(), statement),
            None => (text, statement),
        };
        let mut facts = Facts::default();
        let plan = self.plan(text, statement, &mut facts, &[]).await?;
        let snapshot = self.snapshot.clone();
        self.runner(&snapshot, &statement.hints, call).is_spread(&plan, &mut facts).await
    }

    /// Sets user variables to literals, as a server reads them.
    pub(super) async fn assign(&mut self, names: &[String], values: &[String]) -> Result<()> {
        let list = names.iter().zip(values);
        let list: Vec<String> =
            list.map(|(name, value)| format!("@`{}` = {value}", name.replace('`', "``"))).collect();
        let text = format!("SET {}", list.join(", "));
        self.set_users(text.as_bytes(), names).await
    }
}

/// Reads all rows; the first one as literals.
async fn first_row(rows: &mut Rows, count: usize, collations: &[Option<String>]) -> Result<Found> {
    let mut found = Found { first: None, rows: 0 };
    let fits = rows.columns.len() == count;
    while let Some(row) = rows.next().await? {
        if fits && found.first.is_none() {
            found.first = Some(literals(&row, &rows.columns, collations)?);
        }
        found.rows += 1;
    }
    if !fits {
        let message = "The used SELECT statements have a different number of columns";
        return Err(own_error(1222, b"21000", message));
    }
    Ok(found)
}

/// The session's state, but for results that come in their own character sets.
fn unconverted(state: &ClientState) -> ClientState {
    let mut base = state.base().clone();
    base.variables.insert("character_set_results".to_owned(), "NULL".to_owned());
    ClientState::new(base, None)
}

/// The statement without its INTO. One that may have many rows is cut behind the second, which is one
/// too many.
pub(super) fn without_into(
    text: &[u8],
    query: &Query,
    mode: &Mode,
) -> Result<(Vec<u8>, Statement)> {
    let Some(into) = query.into else {
        return Err(Error::internal("a query without INTO"));
    };
    if query.into_variables.is_empty() {
        return Err(Error::unsupported(
            "SELECT ... INTO OUTFILE and INTO DUMPFILE write a file on a server, and are not \
             supported; read the rows, and write the file in the application",
        ));
    }
    let mut splices = Splices::new();
    let plain = matches!(&query.body, Body::Select(select) if !select.calc_found_rows);
    if plain && query.limit.is_none() && query.locking.is_none() {
        splices.insert(query.limit_at, b" LIMIT 2 ".to_vec());
    }
    splices.replace(into, b" ".to_vec());
    let text = splices.apply(text)?;
    let statement = sql::parse(&text, mode)?;
    Ok((text, statement))
}

/// The query of a statement that puts its row into variables or a file.
pub(super) fn query_into(kind: &StatementKind) -> Option<&Query> {
    match kind {
        StatementKind::Query(query) if query.into.is_some() => Some(query),
        _ => None,
    }
}

/// An error as the server words it.
pub(super) fn own_error(code: u16, state: &[u8; 5], message: &str) -> Error {
    Error::server(ServerError { code, state: *state, message: message.as_bytes().to_vec() })
}
