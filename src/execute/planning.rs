//! Plans of statements, with the columns that planning asks for.

use super::snapshot::Snapshot;
use crate::error::{Error, Result};
use crate::plan::facts::{Facts, Need, Stop};
use crate::plan::planner::{self, Context, Temporary};
use crate::plan::{Plan, types::Source};
use crate::sql::{Mode, Statement};

/// How the text of a statement is read.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    pub schema: Option<&'a str>,
    pub mode: Mode,
    pub temporaries: &'a [Temporary],
}

impl<'a> Reading<'a> {
    pub(super) fn of(source: &'a Source, temporaries: &'a [Temporary]) -> Self {
        Self { schema: source.schema.as_deref(), mode: source.mode, temporaries }
    }

    /// What planning may look at.
    pub(super) fn context(self, snapshot: &'a Snapshot, facts: &'a Facts) -> Context<'a> {
        let Self { schema, mode, temporaries } = self;
        Context { catalog: &snapshot.catalog, facts, schema, mode, temporaries, anywhere: false }
    }
}

impl Snapshot {
    /// The plan of a statement; the facts that it takes are added.
    ///
    /// # Errors
    /// Those of planning, and of asking for columns.
    pub async fn plan(
        &self,
        statement: &Statement,
        text: &[u8],
        reading: Reading<'_>,
        facts: &mut Facts,
    ) -> Result<Plan> {
        // Columns are asked for table by table at the worst, so the bound is the number of tables.
        const ROUNDS_MAX: usize = 64;
        for _ in 0..ROUNDS_MAX {
            match planner::plan(statement, text, &reading.context(self, facts)) {
                Ok(plan) => return Ok(plan),
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Need(Need::Columns(tables))) => {
                    for table in tables {
                        let columns = self.columns(&table).await?;
                        facts.columns.insert(table, columns);
                    }
                }
                Err(Stop::Need(_)) => {
                    return Err(Error::internal("planning asks for a fact of run time"));
                }
            }
        }
        Err(Error::internal("planning asks for the same columns again and again"))
    }
}
