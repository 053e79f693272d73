//! Statements that leave something on their connection.
//!
//! Sessions share connections, so what stays on one would be missing for this session and met by
//! another. Until such sessions keep their connection, these statements are refused.

use crate::error::{Error, Result};
use crate::sql::expr::ExprKind;
use crate::sql::statement::Statement;
use crate::sql::walk::{self, Node};

/// Refuses a statement that leaves a lock or a temporary table on its connection.
///
/// # Errors
/// `Unsupported`, naming the construct and the way out.
pub(super) fn check(statement: &Statement) -> Result<()> {
    let mut refused = Ok(());
    walk::statement(statement, &mut |node| {
        let found = match node {
            Node::Expr(expr) => check_expr(&expr.kind),
            Node::Query(_) | Node::Table(_) | Node::UnnamedItem(_) => Ok(()),
        };
        if refused.is_ok() {
            refused = found;
        }
    });
    refused
}

fn check_expr(kind: &ExprKind) -> Result<()> {
    match kind {
        ExprKind::Function(function) => match function.name.as_str() {
            "load_file" => Err(refuse("LOAD_FILE()", "read the file in the application")),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn refuse(what: &str, way_out: &str) -> Error {
    Error::unsupported(format!("{what} is not supported; {way_out}"))
}
