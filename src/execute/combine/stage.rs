//! One statement of a program: its text, its plan, its values, and the session that it runs in.

use crate::execute::planning::Reading;
use std::sync::Arc;

use super::keys::{self, Values};
use super::load::loading_state;
use super::program::{Done, Program};
use super::table::Held;
use crate::backend::SessionState;
use crate::error::{Error, Result};
use crate::execute::aftermath::Aftermath;
use crate::execute::client_state::ClientState;
use crate::execute::run::{Call, HeldTables, Part, Run};
use crate::execute::warnings::Warnings;
use crate::plan::Plan;
use crate::plan::combine::Stage;
use crate::plan::facts::{Facts, TableId};
use crate::plan::planner::Temporary;
use crate::plan::types::Select;
use crate::protocol::params::Param;
use crate::sql::expr::Literal;
use crate::sql::walk::{self, Node};
use crate::sql::{self, Statement};
use crate::transaction::{Begin, Transaction};

/// Session states of a program's statements.
pub(super) struct States {
    /// Parts: texts come in the columns' own character sets.
    pub(super) parts: ClientState,
    /// Parts that read temporary tables: these have no keys, so ONLY_FULL_GROUP_BY would refuse what it
    /// allows on the tables themselves.
    pub(super) readers: ClientState,
    /// The last statement, where it reads temporary tables.
    pub(super) last: ClientState,
    /// The time zone, as SQL.
    pub(super) zone: String,
}

impl States {
    pub(super) fn new(client: &ClientState) -> Self {
        let parts = own_charsets(client);
        let mut readers = parts.clone();
        let mut last = client.base().clone();
        for state in [&mut readers, &mut last] {
            let mode = relaxed(state.variables.get("sql_mode"));
            set(state, "sql_mode", &mode);
            if state.variables.contains_key("autocommit") {
                set(state, "autocommit", "1");
            }
        }
        let zone = client.base().variables.get("time_zone").cloned();
        Self {
            zone: zone.unwrap_or_else(|| "@@global.time_zone".to_owned()),
            parts: ClientState::new(parts, None),
            readers: ClientState::new(readers, None),
            last: ClientState::new(last, client.text_collation()),
        }
    }
}

/// The client's session, in which texts come in the columns' own character sets.
fn own_charsets(client: &ClientState) -> SessionState {
    let mut state = client.base().clone();
    set(&mut state, "character_set_results", "NULL");
    state
}

impl ClientState {
    /// The session in which rows are read that go on as literals.
    pub(in crate::execute) fn for_literals(&self) -> Self {
        Self::new(own_charsets(self), None)
    }

    /// The session in which rows are read and written as they are: in universal time, with an sql_mode that
    /// takes every value that a column can hold. `lenient`: also those that a strict one refuses.
    pub(in crate::execute) fn for_rows(&self, lenient: bool) -> Self {
        let mut base = SessionState::clone(&loading_state(self.base(), ""));
        base.schema = None;
        if lenient {
            set(&mut base, "sql_mode", LENIENT);
        }
        base.variables.remove("sql_select_limit");
        Self::new(base, None).for_literals()
    }
}

/// As the sql_mode of loading, without its strictness.
const LENIENT: &str = "'ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO'";

fn set(state: &mut SessionState, name: &str, value: &str) {
    state.variables.insert(name.to_owned(), value.to_owned());
}

/// An sql_mode without ONLY_FULL_GROUP_BY, as SQL. ANSI stands beside the modes that it is made of.
fn relaxed(mode: Option<&String>) -> String {
    match mode {
        Some(mode) => {
            let kept = |word: &&str| !matches!(*word, "ONLY_FULL_GROUP_BY" | "ANSI");
            let words: Vec<&str> = mode.trim_matches('\'').split(',').filter(kept).collect();
            format!("'{}'", words.join(","))
        }
        None => "REPLACE(@@global.sql_mode, 'ONLY_FULL_GROUP_BY', '')".to_owned(),
    }
}

/// The client's values for the `?` of a stage.
pub(in crate::execute) struct Bound {
    params: Vec<Param>,
    literals: Vec<Literal>,
}

impl Bound {
    pub(super) fn new(stage: &Stage, call: Call<'_>) -> Result<Self> {
        Self::of(&stage.params, call)
    }

    /// Those of these indexes.
    pub(in crate::execute) fn of(indexes: &[u16], call: Call<'_>) -> Result<Self> {
        let Call::Prepared { params, literals } = call else {
            return Ok(Self { params: Vec::new(), literals: Vec::new() });
        };
        let lost =
            || Error::internal("a part of a statement asks for a parameter that is not there");
        let pick = |index: &u16| {
            Some((params.get(usize::from(*index))?, literals.get(usize::from(*index))?))
        };
        let mut bound = Self { params: Vec::new(), literals: Vec::new() };
        for index in indexes {
            let (param, literal) = pick(index).ok_or_else(lost)?;
            bound.params.push(param.clone());
            bound.literals.push(literal.clone());
        }
        Ok(bound)
    }

    /// Rows come in binary: as text, FLOAT is short of digits.
    pub(in crate::execute) fn call(&self) -> Call<'_> {
        Call::Prepared { params: &self.params, literals: &self.literals }
    }

    /// Rows come as the client asked for them.
    pub(super) fn like(&self, call: Call<'_>) -> Call<'_> {
        match call {
            Call::Text => Call::Text,
            Call::Prepared { .. } => self.call(),
        }
    }
}

impl Program<'_> {
    /// The text with its conditions.
    pub(super) fn text(&self, stage: &Stage, done: &[Option<Done>]) -> Result<Vec<u8>> {
        let values = |step: usize, column: usize| -> Option<&Values> {
            let done = done.get(step)?.as_ref()?;
            done.values.iter().find(|values| values.column == column)
        };
        keys::filled(stage, values)
    }

    /// The plan of a text.
    pub(super) async fn planned(
        &self,
        text: &[u8],
        temporaries: &[Temporary],
    ) -> Result<(Box<Select>, Facts)> {
        let statement = sql::parse(text, &self.source.mode)?;
        let mut facts = Facts::default();
        self.snapshot.facts.recall(&self.tables_of(&statement), &mut facts);
        let reading = Reading::of(self.source, temporaries);
        match self.snapshot.plan(&statement, text, reading, &mut facts).await? {
            Plan::Select(select) => Ok((select, facts)),
            Plan::Insert(_) | Plan::Feed(_) | Plan::Write(_) | Plan::Load(_) | Plan::Ddl(_) => {
                Err(Error::internal("a part of a SELECT that is none itself"))
            }
        }
    }

    /// Tables that a statement names, among them such as are none of the catalog.
    pub(super) fn tables_of(&self, statement: &Statement) -> Vec<TableId> {
        let mut tables = Vec::new();
        walk::statement(statement, &mut |node| {
            if let Node::Table(table) = node {
                let schema = table.schema.as_ref().map(|schema| &schema.value);
                let schema = schema.or(self.source.schema.as_ref()).cloned();
                let (schema, table) = (schema.unwrap_or_default(), table.name.value.clone());
                tables.push(TableId { schema, table });
            }
        });
        tables
    }

    /// What runs a stage.
    pub(super) fn run_of<'r>(
        &'r self,
        transaction: &'r mut Transaction,
        state: &'r ClientState,
        call: Call<'r>,
        held: &'r [Arc<Held>],
        warnings: &'r mut Warnings,
    ) -> Run<'r> {
        Run {
            alone: Begin::default(),
            snapshot: self.snapshot,
            transaction,
            state,
            call,
            hidden: None,
            reads: self.reads.clone(),
            written: None,
            found_rows: self.found_rows,
            writes: false,
            deadline: self.deadline,
            clocked: None,
            aftermath: Aftermath::default(),
            warnings,
            held: Some(HeldTables(held)),
            harmless: false,
            part: Part::default(),
            pins: self.pins,
            files: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mode: Option<&str>, expect: &str) {
        assert_eq!(relaxed(mode.map(str::to_owned).as_ref()), expect);
    }

    #[test]
    fn modes_lose_what_needs_keys() {
        check(Some("'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES'"), "'STRICT_TRANS_TABLES'");
        check(Some("'ANSI_QUOTES,ONLY_FULL_GROUP_BY,ANSI'"), "'ANSI_QUOTES'");
        check(Some("''"), "''");
        check(None, "REPLACE(@@global.sql_mode, 'ONLY_FULL_GROUP_BY', '')");
    }
}
