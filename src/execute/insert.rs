//! INSERT and REPLACE: rows go where their keys say.

use super::numbers::Numbered;
use super::reply::Reply;
use super::run::{Fragment, Info, Run};
use super::whole::Work;
use super::write::Count;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::facts::{Facts, Stop};
use crate::plan::render::render_insert;
use crate::plan::resolve;
use crate::plan::template::{Part, Target};
use crate::plan::types::Insert;
use crate::plan::upsert::Upsert;

impl Run<'_> {
    pub(super) async fn insert(&mut self, insert: &Insert, facts: &mut Facts) -> Result<Reply> {
        let Some(ids) = &insert.ids else { return self.insert_rows(insert, None, facts).await };
        let numbered = self.number(insert, ids, facts).await?;
        let reply = self.insert_rows(&numbered.insert, Some(&numbered), facts).await?;
        Ok(match reply {
            Reply::Done(mut summary) if ids.maker.is_some() => {
                summary.tell_generated();
                Reply::Done(summary)
            }
            reply => reply,
        })
    }

    /// `numbered`: where it got ids, which are in its rows by now.
    async fn insert_rows(
        &mut self,
        insert: &Insert,
        numbered: Option<&Numbered>,
        facts: &mut Facts,
    ) -> Result<Reply> {
        let batches = self
            .settle(facts, |run, facts| {
                let values = run.values(facts);
                let targets = resolve::insert_targets(insert, &values)?.into_iter();
                let batches = targets.map(|(target, rows)| {
                    let rendered = render_insert(insert, &target, &rows, &values)?;
                    Ok((target, rows, rendered))
                });
                batches.collect::<Result<Vec<_>, Stop>>()
            })
            .await?;
        if let Some(upsert) = &insert.upsert {
            return self.insert_or_move(insert, upsert, numbered).await;
        }
        let split = batches.len() > 1;
        if split && !self.aftermath.assigned.is_empty() {
            return Err(Error::unsupported(
                "an INSERT that assigns user variables and whose rows go to several shards is not \
                 supported; insert the rows one by one",
            ));
        }
        let mut work = Vec::with_capacity(batches.len());
        for (target, rows, rendered) in batches {
            if let Some(Part::Period(name)) = &target.part {
                self.ensure_period(&insert.table.name, &target, name).await?;
            }
            let mut fragment = Fragment::new(target.shard, rendered.text, rendered.params);
            if let Some(numbered) = numbered {
                fragment.ids = self.ids_of(numbered, &target, &rows);
                fragment.more_params = numbered.params.clone();
            }
            fragment.tells_id = rows.contains(&insert.rows.len().saturating_sub(1));
            if (split || self.part.told) && rows.len() == 1 {
                fragment.info = Info::OneRow { on_duplicate: !insert.tail.pieces.is_empty() };
            }
            fragment.rows = rows;
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

    /// As a part of another statement it is in a transaction already.
    async fn insert_or_move(
        &mut self,
        insert: &Insert,
        upsert: &Upsert,
        numbered: Option<&Numbered>,
    ) -> Result<Reply> {
        let work = Work::Upsert { insert, upsert, numbered };
        match self.part.told {
            true => Box::pin(self.upsert(insert, upsert, numbered)).await,
            false => self.wholly(work).await,
        }
    }

    /// Makes sure that a time table exists before rows go into it.
    pub(super) async fn ensure_period(
        &self,
        pattern: &str,
        target: &Target,
        name: &str,
    ) -> Result<()> {
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
