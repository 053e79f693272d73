//! User variables that statements other than SET assign.

use std::sync::Arc;

use super::Session;
use crate::error::Result;
use crate::execute::aftermath::{Aftermath, Learned};
use crate::execute::warnings::{Warning, Warnings};
use crate::execute::{ClientState, Reply};
use crate::sql::expr::{Expr, ExprKind};
use crate::sql::load::LoadTarget;
use crate::sql::query::Body;
use crate::sql::statement::{Statement, StatementKind};
use crate::sql::walk::{self, Node};

impl Session {
    /// What is to be read back behind a statement. Variables that it assigns first are NULL from here on,
    /// as a variable is that was never set.
    pub(super) fn aftermath(&mut self, statement: &Statement) -> Aftermath {
        let mut assigned: Vec<String> = Vec::new();
        let mut found_rows = false;
        walk::statement(statement, &mut |node| match node {
            Node::Expr(expr) => assigned.extend(expr.assigned().map(str::to_owned)),
            Node::Query(query) => {
                assigned.extend(query.into_variables.iter().cloned());
                if let Body::Select(select) = &query.body {
                    found_rows |= select.calc_found_rows;
                }
            }
            Node::Table(_) | Node::UnnamedItem(_) => {}
        });
        if let StatementKind::Call(called) = &statement.kind {
            // OUT parameters.
            assigned.extend(called.args.iter().filter_map(|arg| match &arg.kind {
                ExprKind::UserVariable(name) => Some(name.to_ascii_lowercase()),
                _ => None,
            }));
        }
        if let StatementKind::Load(load) = &statement.kind {
            assigned.extend(load.targets.iter().filter_map(|target| match target {
                LoadTarget::Variable(name) => Some(name.clone()),
                LoadTarget::Column(_) => None,
            }));
        }
        assigned.sort_unstable();
        assigned.dedup();
        let known = &self.state.base().user_variables;
        let new: Vec<(String, String)> = assigned
            .iter()
            .filter(|name| !known.contains_key(*name))
            .map(|name| (name.clone(), "NULL".to_owned()))
            .collect();
        self.learn(&new);
        Aftermath {
            assigned: Arc::from(assigned),
            found_rows,
            insert_id: false,
            procedure: false,
            bytes_max: self.snapshot.config.settings.limits.max_allowed_packet.0 / 4,
        }
    }

    /// How often the statement calls FOUND_ROWS(), of which MySQL warns; its value is put into the text,
    /// so the server does not.
    pub(super) fn warnings_of_found_rows(&self, statement: &Statement) -> usize {
        let mut calls = 0;
        walk::statement(statement, &mut |node| {
            if let Node::Expr(Expr { kind: ExprKind::Function(function), .. }) = node {
                calls += usize::from(function.name == "found_rows");
            }
        });
        if self.is_mariadb() { 0 } else { calls }
    }

    /// Clients take Margay for a MariaDB server.
    pub(super) fn is_mariadb(&self) -> bool {
        self.snapshot.config.settings.server_version.contains("MariaDB")
    }

    pub(super) fn warn_of_found_rows(&mut self, count: usize, outcome: &mut Result<Reply>) {
        let message =
            b"FOUND_ROWS() is deprecated and will be removed in a future release. Consider \
            using COUNT(*) instead."
                .to_vec();
        let warning = Warning { level: b"Warning".to_vec(), code: 1287, message };
        let warnings = Warnings { count: count as u64, list: vec![warning; count] };
        match outcome {
            Ok(Reply::Rows(rows)) => rows.warn(warnings),
            Ok(Reply::Done(summary)) => {
                let count = u16::try_from(count).unwrap_or(u16::MAX);
                summary.warnings = summary.warnings.saturating_add(count);
                self.warnings.add(warnings);
            }
            Err(_) => {}
        }
    }

    /// Takes over what a statement has left on its connection.
    pub(super) fn take_over(&mut self, learned: &Learned) {
        self.last_insert_id = learned.last_insert_id.unwrap_or(self.last_insert_id);
        self.learn(&learned.variables);
    }

    /// Keeps values of user variables.
    pub(super) fn learn(&mut self, variables: &[(String, String)]) {
        if variables.is_empty() {
            return;
        }
        let mut base = self.state.base().clone();
        base.user_variables.extend(variables.iter().cloned());
        let state = ClientState::new(base, self.state.text_collation());
        self.state = state.shared(self.snapshot.backends.states());
    }
}
