//! GET_LOCK() and its like: named locks, which one server holds for all sessions.
//!
//! That is the primary of the first shard of the rules, the same for all proxies with these rules. A
//! session that holds locks is pinned to a connection there, beside those of its other statements.

use std::collections::BTreeSet;

use super::Session;
use crate::catalog::ShardId;
use crate::error::{Error, Result};
use crate::execute::Reply;
use crate::execute::inline;
use crate::execute::run::{Call, Pinned};
use crate::plan::template::Target;
use crate::sql;
use crate::sql::expr::{Expr, ExprKind, Function, Literal};
use crate::sql::splice::Splices;
use crate::sql::statement::{Statement, StatementKind};
use crate::sql::walk::{self, Node};

const FUNCTIONS: [&str; 5] =
    ["get_lock", "release_lock", "release_all_locks", "is_free_lock", "is_used_lock"];

pub(super) fn is_lock_function(name: &str) -> bool {
    FUNCTIONS.contains(&name)
}

/// Servers number their connections as Margay does its sessions: those of others are shown above these.
const OTHERS: u64 = 1 << 32;

/// What a statement does with locks.
#[derive(Default)]
struct Calls {
    any: bool,
    releases_all: bool,
    /// Names that it locks, if it does; None: one that is computed.
    names: BTreeSet<Option<Vec<u8>>>,
}

impl Session {
    /// Runs a SELECT of named locks. None: the statement has nothing to do with them.
    ///
    /// # Errors
    /// `Unsupported` where they stand beside tables or in other statements.
    pub(super) async fn named_locks(
        &mut self,
        text: &[u8],
        statement: &Statement,
        call: Call<'_>,
    ) -> Result<Option<Reply>> {
        let calls = calls_in(statement, call);
        if !calls.any || statement.hints.shard.is_some() {
            return Ok(None);
        }
        match &statement.kind {
            // It comes again as a SELECT.
            StatementKind::Do { .. } => return Ok(None),
            StatementKind::Query(query) if query.into.is_none() && !names_table(statement) => {}
            _ => {
                return Err(Error::unsupported(
                    "GET_LOCK() and its like beside tables, in SET or in writes are not supported; \
                     SELECT them alone",
                ));
            }
        }
        let substituted = self.substituted(text, statement)?;
        let (text, statement) = match &substituted {
            Some((text, statement)) => (text.clone(), statement),
            None => (text.to_vec(), statement),
        };
        let text = self.with_own_id(&text, statement)?;
        self.run_lock_statement(text, statement.params, call, calls).await.map(Some)
    }

    async fn run_lock_statement(
        &mut self,
        text: Vec<u8>,
        params: u16,
        call: Call<'_>,
        calls: Calls,
    ) -> Result<Reply> {
        let (shard, cluster) = self.lock_shard()?;
        let keeper = self.lock_pins.keeper(cluster).cloned();
        let target = Target { shard, part: None };
        let snapshot = self.snapshot.clone();
        let pins = std::mem::take(&mut self.lock_pins);
        let mut apart = crate::transaction::Transaction::default();
        let mut run = self.runner(&snapshot, &Default::default(), call);
        run.transaction = &mut apart;
        run.pins = Pinned { pins: &pins, used: true, read: false, locked: false };
        let fresh = Default::default();
        let outcome = run.apart(text, params, &target, keeper.as_ref().unwrap_or(&fresh)).await;
        self.lock_pins = pins;
        let reply = outcome?;
        let pin = self.lock_pins.pin(cluster);
        pin.keeper = keeper.unwrap_or(fresh);
        if calls.releases_all {
            pin.user_locks.clear();
        }
        pin.user_locks.extend(calls.names);
        self.release_locks(cluster, &target).await;
        Ok(reply)
    }

    /// Lets the connection go if none of the locks is held. Nobody knows as long as a name is not known.
    async fn release_locks(&mut self, cluster: usize, target: &Target) {
        let charset = self.state.charset().to_owned();
        let pin = self.lock_pins.pin(cluster);
        let names: Option<Vec<Vec<u8>>> = pin.user_locks.iter().cloned().collect();
        let Some(names) = names else { return };
        if names.is_empty() {
            self.lock_pins.release_clean();
            return;
        }
        let held: Vec<Vec<u8>> = names
            .iter()
            .map(|name| {
                let name = inline::text(name, &charset);
                [b"IS_USED_LOCK(".as_slice(), &name, b") <=> CONNECTION_ID()"].concat()
            })
            .collect();
        let query = [b"SELECT ".as_slice(), &held.join(&b", "[..])].concat();
        let limit = self.snapshot.config.settings.backend.pool_wait;
        let Some(keeper) = self.lock_pins.keeper(cluster).cloned() else { return };
        let Ok(mut lease) = keeper.lend(limit).await else { return };
        lease.set_deadline(self.snapshot.deadline(None));
        let answer = lease.query_all(&query).await;
        drop(lease);
        let Ok(answer) = answer else { return };
        let row = answer.rows.into_iter().next().unwrap_or_default();
        let pin = self.lock_pins.pin(cluster);
        for (name, held) in names.into_iter().zip(row) {
            if held.as_deref() == Some(b"0".as_slice()) {
                pin.user_locks.remove(&Some(name));
            }
        }
        tracing::debug!(shard = target.shard.index(), locks = pin.user_locks.len(), "named locks");
        self.lock_pins.release_clean();
    }

    /// The shard whose server holds all named locks, and its cluster.
    fn lock_shard(&self) -> Result<(ShardId, usize)> {
        let first = self.snapshot.catalog.schemas.values().flat_map(|schema| schema.shards()).min();
        let found = first.and_then(|id| Some((id, self.snapshot.catalog.shard(id)?.cluster)));
        found.ok_or_else(|| Error::unsupported("the rules have no shard"))
    }

    /// IS_USED_LOCK() tells the session's own number of its own locks.
    fn with_own_id(&self, text: &[u8], statement: &Statement) -> Result<Vec<u8>> {
        let mut splices = Splices::new();
        let mut items: Vec<&Expr> = Vec::new();
        let mut found: Vec<&Expr> = Vec::new();
        walk::statement(statement, &mut |node| match node {
            Node::Expr(expr) if is_used_lock(expr) => found.push(expr),
            Node::UnnamedItem(item) => items.push(item),
            Node::Expr(_) | Node::Query(_) | Node::Table(_) => {}
        });
        for item in items {
            if found.iter().any(|expr| item.span.contains(expr.span)) {
                let name = text.get(item.span.range()).unwrap_or_default();
                let alias = [b" AS ".as_slice(), &sql::quote::identifier(name)].concat();
                splices.insert(item.span.end, alias);
            }
        }
        for expr in found {
            let asked = text.get(expr.span.range()).unwrap_or_default();
            let id = self.identity.connection_id;
            let own =
                format!("(SELECT IF(used = CONNECTION_ID(), {id}, used + {OTHERS}) FROM (SELECT ");
            splices.replace(expr.span, [own.as_bytes(), asked, b" AS used) AS used)"].concat());
        }
        splices.apply(text)
    }
}

fn is_used_lock(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Function(function) if function.name == "is_used_lock")
}

fn names_table(statement: &Statement) -> bool {
    let mut found = false;
    walk::statement(statement, &mut |node| found |= matches!(node, Node::Table(_)));
    found
}

fn calls_in(statement: &Statement, call: Call<'_>) -> Calls {
    let mut calls = Calls::default();
    walk::statement(statement, &mut |node| {
        if let Node::Expr(Expr { kind: ExprKind::Function(function), .. }) = node
            && is_lock_function(&function.name)
        {
            calls.any = true;
            calls.releases_all |= function.name == "release_all_locks";
            if function.name == "get_lock" {
                calls.names.insert(name_of(function, call));
            }
        }
    });
    calls
}

/// The name of a lock. None: it is computed.
fn name_of(function: &Function, call: Call<'_>) -> Option<Vec<u8>> {
    let literal = match (&function.args.first()?.kind, call) {
        (ExprKind::Literal(literal), _) => literal,
        (ExprKind::Param(index), Call::Prepared { literals, .. }) => {
            literals.get(usize::from(*index))?
        }
        _ => return None,
    };
    match literal {
        Literal::String { bytes, charset: None } => Some(bytes.clone()),
        Literal::Integer(digits) => Some(digits.clone().into_bytes()),
        _ => None,
    }
}
