//! What is asked of a connection right behind a statement: user variables that the statement assigned,
//! and FOUND_ROWS().
//!
//! Sessions move between connections, so what a statement leaves on one is read back and kept with the
//! session, which gives it to the next connection.

use std::sync::Arc;

use super::client_state::LAST_INSERT_ID;
use crate::backend::{Connection, QueryResult, SessionState};
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::capability::ColumnType;
use crate::protocol::column::Column;

/// What is to be asked.
#[derive(Debug, Clone, Default)]
pub struct Aftermath {
    /// User variables in lower case, without the `@`.
    pub assigned: Arc<[String]>,
    /// The statement has SQL_CALC_FOUND_ROWS.
    pub found_rows: bool,
    /// The statement may have changed what LAST_INSERT_ID() answers, without saying so in its reply.
    pub insert_id: bool,
    /// It ran a procedure, which may have set any user variable, and left more on the connection.
    pub procedure: bool,
    /// Bytes that the values may have.
    pub bytes_max: u64,
}

/// What was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Learned {
    /// Names of user variables and their values as SQL literals.
    pub variables: Vec<(String, String)>,
    pub found_rows: Option<u64>,
    pub last_insert_id: Option<u64>,
}

impl Aftermath {
    /// Notes that the connection's variables are not those of the session, until they are read back.
    pub(super) fn doubt(&self, connection: &mut Connection) {
        if self.procedure {
            // Its pool takes it back only after a reset.
            connection.note_temporary("");
            let mut state = SessionState::clone(connection.state());
            state.variables.remove(LAST_INSERT_ID);
            connection.assume_state(Arc::new(state));
        }
        if self.assigned.is_empty() {
            return;
        }
        let mut state = SessionState::clone(connection.state());
        for name in self.assigned.iter() {
            // No literal is like this: the variable will be set anew.
            state.user_variables.insert(name.clone(), "?".to_owned());
        }
        connection.assume_state(Arc::new(state));
    }

    /// Asks for what the statement before has left on the connection.
    ///
    /// # Errors
    /// A lost connection, or values over `limits.max_allowed_packet`.
    pub(super) async fn learn(&self, connection: &mut Connection) -> Result<Learned> {
        let mut learned = Learned::default();
        if self.found_rows {
            learned.found_rows = number_of(connection, "SELECT FOUND_ROWS()").await?;
        }
        if self.insert_id || self.procedure {
            learned.last_insert_id = number_of(connection, "SELECT LAST_INSERT_ID()").await?;
        }
        let mut assigned = self.assigned.to_vec();
        if self.procedure {
            assigned.extend(all_variables(connection).await?);
            assigned.sort_unstable();
            assigned.dedup();
        }
        if !assigned.is_empty() {
            learned.variables = self.variables(connection, &assigned).await?;
            let mut state = SessionState::clone(connection.state());
            state.user_variables.extend(learned.variables.iter().cloned());
            connection.assume_state(Arc::new(state));
        }
        Ok(learned)
    }

    async fn variables(
        &self,
        connection: &mut Connection,
        assigned: &[String],
    ) -> Result<Vec<(String, String)>> {
        let items: Vec<String> = assigned.iter().map(|name| select_items(name)).collect();
        let query = format!("SELECT {}", items.join(", "));
        let QueryResult { columns, rows, .. } = connection.query_all(&query).await?;
        let cells = rows.into_iter().next().unwrap_or_default();
        let mut values = Vec::with_capacity(assigned.len());
        for ((name, cells), columns) in assigned.iter().zip(cells.chunks(2)).zip(columns.chunks(2))
        {
            let ([value, told], [column, _]) = (cells, columns) else {
                return Err(Error::protocol("a backend answers SELECT with too few columns"));
            };
            values.push((name.clone(), literal(value.as_deref(), told.as_deref(), column)?));
        }
        let size: usize = values.iter().map(|(name, value)| name.len() + value.len()).sum();
        if size as u64 > self.bytes_max {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!(
                    "the statement assigned {size} bytes to user variables, more than a quarter of \
                     `limits.max_allowed_packet`; assign less, or raise the limit"
                ),
            ));
        }
        Ok(values)
    }
}

async fn number_of(connection: &mut Connection, query: &str) -> Result<Option<u64>> {
    let result = connection.query_all(query).await?;
    let cell = result.rows.into_iter().next().and_then(|row| row.into_iter().next());
    let text = cell.flatten().unwrap_or_default();
    Ok(std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()))
}

/// The names of all user variables on a connection, as far as its server tells them.
async fn all_variables(connection: &mut Connection) -> Result<Vec<String>> {
    let query = match connection.is_mariadb() {
        true => "SELECT LOWER(VARIABLE_NAME) FROM information_schema.USER_VARIABLES",
        false => {
            "SELECT LOWER(VARIABLE_NAME) FROM performance_schema.user_variables_by_thread \
             WHERE THREAD_ID = PS_CURRENT_THREAD_ID()"
        }
    };
    let rows = match connection.query_all(query).await {
        Ok(result) => result.rows,
        // It may lack the plugin, or Margay's user the right.
        Err(error) if matches!(error.kind(), ErrorKind::Server(_)) => Vec::new(),
        Err(error) => return Err(error),
    };
    let names = rows.into_iter().filter_map(|row| row.into_iter().next().flatten());
    Ok(names.filter_map(|name| String::from_utf8(name.to_vec()).ok()).collect())
}

/// The items of a SELECT that tell a user variable.
pub fn select_items(name: &str) -> String {
    let name = name.replace('`', "``");
    format!("@`{name}`, CONCAT(COLLATION(@`{name}`), ':', HEX(@`{name}`))")
}

/// The literal of a user variable, from what [`select_items`] tell of it and the first one's column.
///
/// # Errors
/// A protocol error if the answer has another form.
pub fn literal(value: Option<&[u8]>, told: Option<&[u8]>, column: &Column) -> Result<String> {
    Ok(match value {
        None => "NULL".to_owned(),
        Some(value) if column.ty.is_numeric_type() => {
            number(String::from_utf8_lossy(value).into_owned(), column)
        }
        Some(_) => text(told)?,
    })
}

/// A number of its own type: one in double precision has an exponent, a decimal a point.
pub fn number(mut text: String, column: &Column) -> String {
    match column.ty {
        ColumnType::MYSQL_TYPE_DOUBLE | ColumnType::MYSQL_TYPE_FLOAT => {
            if !text.contains('e') {
                text.push_str("e0");
            }
            text
        }
        ColumnType::MYSQL_TYPE_NEWDECIMAL | ColumnType::MYSQL_TYPE_DECIMAL => {
            if !text.contains('.') {
                text.push('.');
            }
            text
        }
        _ if column.unsigned() => format!("CAST({text} AS UNSIGNED)"),
        _ => text,
    }
}

/// A text, from `collation:hex of its bytes`: with its collation, which comparisons depend on.
fn text(told: Option<&[u8]>) -> Result<String> {
    let told = told.and_then(|told| std::str::from_utf8(told).ok());
    let Some((collation, hex)) = told.and_then(|told| told.split_once(':')) else {
        return Err(Error::protocol("a backend does not tell the collation of a variable"));
    };
    Ok(collated(collation, hex))
}

/// The literal of bytes in a collation.
pub fn collated(collation: &str, hex: &str) -> String {
    match collation.split_once('_') {
        _ if collation == "binary" => format!("X'{hex}'"),
        Some((charset, _)) if !charset.starts_with("uca") => {
            format!("_{charset} X'{hex}' COLLATE {collation}")
        }
        // MariaDB's UCA 14.0.0 names leave their charset out.
        _ => format!("_utf8mb4 X'{hex}' COLLATE utf8mb4_{collation}"),
    }
}
