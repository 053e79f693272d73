//! An ordinary MySQL client of the proxy: it creates and fills the tables, and runs statements.

use std::net::SocketAddr;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder, Params, Row};

use crate::error::{Error, ErrorKind, Result};
use crate::sql::{Mode, quote, script};

use super::data::Rows;
use super::rules::{PASSWORD, SCHEMA, USER};
use super::table::{Align, Cell, Table};

/// Rows in one INSERT.
const ROWS_PER_INSERT: usize = 200;

pub(super) struct Client(Conn);

/// What a statement gave.
pub(super) enum Outcome {
    Rows(Table),
    Done { affected: u64, info: String },
}

impl Client {
    pub(super) async fn connect(proxy: SocketAddr) -> Result<Self> {
        let options = OptsBuilder::default()
            .ip_or_hostname(proxy.ip().to_string())
            .tcp_port(proxy.port())
            .prefer_socket(false)
            .user(Some(USER))
            .pass(Some(PASSWORD))
            .db_name(Some(SCHEMA));
        let conn = Conn::new(options).await;
        conn.map(Self).map_err(|error| failed("connect to the proxy", error))
    }

    pub(super) async fn run(&mut self, sql: &str) -> Result<Vec<Outcome>, mysql_async::Error> {
        let mut result = self.0.query_iter(sql).await?;
        let mut outcomes = Vec::new();
        while let Some(columns) = result.columns() {
            let rows: Vec<Row> = result.collect().await?;
            if columns.is_empty() {
                continue;
            }
            let head = columns.iter().map(|column| column.name_str().into_owned()).collect();
            let numeric = |column: &mysql_async::Column| column.column_type().is_numeric_type();
            let aligns = columns
                .iter()
                .map(|column| if numeric(column) { Align::Right } else { Align::Left })
                .collect();
            let rows = rows.into_iter().map(|row| row.unwrap().into_iter().map(Cell::of).collect());
            outcomes.push(Outcome::Rows(Table { head, aligns, rows: rows.collect() }));
        }
        if outcomes.is_empty() {
            let (affected, info) = (result.affected_rows(), result.info().into_owned());
            outcomes.push(Outcome::Done { affected, info });
        }
        Ok(outcomes)
    }

    /// Runs the statements of a script; gives their number.
    pub(super) async fn run_script(&mut self, text: &str) -> Result<usize> {
        let statements = script::statements(text, &Mode::default())?;
        for statement in &statements {
            let done = self.0.query_drop(*statement).await;
            done.map_err(|error| failed(&format!("run `{}`", first_line(statement)), error))?;
        }
        Ok(statements.len())
    }

    /// Inserts rows with prepared statements of many rows each.
    pub(super) async fn insert(&mut self, rows: Rows) -> Result<usize> {
        let Rows { table, columns, rows } = rows;
        let count = rows.len();
        let row = format!("({})", vec!["?"; columns.len()].join(", "));
        let table = String::from_utf8_lossy(&quote::identifier(table.as_bytes())).into_owned();
        for chunk in rows.chunks(ROWS_PER_INSERT) {
            let places = vec![row.as_str(); chunk.len()].join(", ");
            let sql = format!("INSERT INTO {table} ({}) VALUES {places}", columns.join(", "));
            let values = Params::Positional(chunk.concat());
            let done = self.0.exec_drop(sql, values).await;
            done.map_err(|error| failed(&format!("fill {table}"), error))?;
        }
        Ok(count)
    }

    pub(super) async fn close(self) {
        // The proxy ends the connection anyway.
        let _ = self.0.disconnect().await;
    }
}

fn first_line(statement: &str) -> &str {
    statement.lines().find(|line| !line.starts_with("--")).unwrap_or_default()
}

fn failed(what: &str, error: mysql_async::Error) -> Error {
    Error::new(ErrorKind::Config, format!("cannot {what}")).with_source(error)
}
