//! INSERT and REPLACE: rows go where their keys say.

use super::reply::Reply;
use super::run::{Fragment, Info, Run};
use super::write::Count;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::facts::{Facts, Stop};
use crate::plan::render::render_insert;
use crate::plan::resolve;
use crate::plan::template::{Part, Target};
use crate::plan::types::Insert;

impl Run<'_> {
    pub(super) async fn insert(&mut self, insert: &Insert, facts: &mut Facts) -> Result<Reply> {
        let batches = self
            .settle(facts, |run, facts| {
                let values = run.values(facts);
                let targets = resolve::insert_targets(insert, &values)?.into_iter();
                let batches = targets.map(|(target, rows)| {
                    let rendered = render_insert(insert, &target, &rows, &values)?;
                    Ok((target, rows.len(), rendered))
                });
                batches.collect::<Result<Vec<_>, Stop>>()
            })
            .await?;
        let split = batches.len() > 1;
        let mut work = Vec::with_capacity(batches.len());
        for (target, rows, rendered) in batches {
            if let Some(Part::Period(name)) = &target.part {
                self.ensure_period(&insert.table.name, &target, name).await?;
            }
            let mut fragment = Fragment::new(target.shard, rendered.text, rendered.params);
            if (split || self.part.told) && rows == 1 {
                fragment.info = Info::OneRow { on_duplicate: !insert.tail.pieces.is_empty() };
            }
            work.push((fragment, target));
        }
        let outcome = self.write_all(work, Count::Sum).await;
        if let Err(error) = &outcome
            && matches!(error.kind(), ErrorKind::Server(server) if server.code == 1146)
        {
            // Somebody else dropped it: look again next time.
            self.snapshot.facts.forget([]);
        }
        outcome
    }

    /// Makes sure that a time table exists before rows go into it.
    async fn ensure_period(&self, pattern: &str, target: &Target, name: &str) -> Result<()> {
        if self.snapshot.facts.knows_period(target.shard, name) {
            return Ok(());
        }
        let made = self.snapshot.create_period(target.shard, pattern, name).await;
        made.map_err(|error| self.restore(error, target))
    }

    /// The error with logical names.
    pub(super) fn restore(&self, error: Error, target: &Target) -> Error {
        match super::names::Names::new(self.snapshot, target) {
            Some(names) => names.restore_error(error),
            None => error,
        }
    }
}
