//! INSERT and REPLACE ... SELECT: rows of the query go on as those of INSERT ... VALUES.

use bytes::Bytes;

use super::combine::{Bound, Shape};
use super::reply::{Reply, Rows};
use super::run::{Call, Part, Run};
use super::summary::Summary;
use super::whole::Work;
use crate::error::{Error, ErrorKind, Result, ServerError};
use crate::plan::Plan;
use crate::plan::facts::Facts;
use crate::plan::resolve;
use crate::plan::types::Feed;
use crate::transaction::Transaction;

/// Rows and bytes of literals in one INSERT.
const BATCH_ROWS: usize = 1000;
const BATCH_BYTES: usize = 256 << 10;

impl Run<'_> {
    pub(super) async fn feed(&mut self, feed: &Feed, facts: &mut Facts) -> Result<Reply> {
        if feed.direct {
            let settled = self
                .settle(facts, |run, facts| resolve::write_targets(&feed.whole, &run.values(facts)))
                .await;
            match settled {
                Ok(_) => return self.write(&feed.whole, facts).await,
                Err(error) if *error.kind() == ErrorKind::Unsupported => {}
                Err(error) => return Err(error),
            }
        }
        self.wholly(Work::Feed(feed)).await
    }

    /// Reads the rows and writes them. `alone`: no other statement is in the transaction, whose writes the
    /// query would have to see.
    pub(super) async fn pass_rows(&mut self, feed: &Feed, alone: bool) -> Result<Reply> {
        let bound = Bound::of(&feed.params, self.call)?;
        let tail = Bound::of(&feed.tail_params, self.call)?;
        let (plan, mut facts) = self.planned(&feed.source.text, &feed.source).await?;
        let Plan::Select(select) = &plan else {
            return Err(Error::internal("an INSERT of rows that are of no query"));
        };
        let state = self.state.for_literals();
        // A connection whose rows are not read to their end takes no other statement.
        let streams = alone && !feed.reads_first && !self.pins.used;
        let mut apart = Transaction::default();
        let mut run = Run { state: &state, call: bound.call(), writes: false, ..self.again() };
        if streams {
            run.transaction = &mut apart;
        }
        let Reply::Rows(mut rows) = run.select(select, &mut facts).await? else {
            return Err(Error::protocol("a query that gives no rows"));
        };
        let shape = Shape::new(&rows.columns)?;
        check_width(feed, &shape)?;
        if !streams {
            rows = run.all_rows(rows).await?;
        }
        let tail_call = if feed.tail_params.is_empty() { Call::Text } else { tail.call() };
        let mut total = Total::default();
        let mut batch = Batch::default();
        while let Some(row) = rows.next().await? {
            batch.add(&shape.literals(&row)?);
            if batch.rows >= BATCH_ROWS || batch.tuples.len() >= BATCH_BYTES {
                total.add(self.pass(feed, &mut batch, tail_call).await?);
            }
        }
        if batch.rows > 0 {
            total.add(self.pass(feed, &mut batch, tail_call).await?);
        }
        self.warnings.add(rows.end().1);
        if !feed.ignore {
            self.check_values(false).await?;
        }
        let mut summary = total.summary();
        if !feed.told {
            summary.info.clear();
        }
        Ok(Reply::Done(summary))
    }

    /// Reads rows to their end, so that their connections are free for the transaction.
    pub(super) async fn all_rows(&mut self, mut rows: Rows) -> Result<Rows> {
        let mut left = self.snapshot.config.settings.limits.sort_bytes.0;
        let mut held: Vec<Bytes> = Vec::new();
        let mut outcome = Ok(());
        loop {
            let row = match rows.next().await {
                Ok(Some(row)) => row,
                Ok(None) => break,
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            };
            match left.checked_sub(row.len() as u64 + super::reply::ROW_OVERHEAD) {
                Some(rest) => left = rest,
                None => {
                    outcome = Err(too_big());
                    break;
                }
            }
            held.push(row);
        }
        let columns = std::mem::take(&mut rows.columns);
        let (lents, warnings) = rows.end();
        self.warnings.add(warnings);
        for mut lent in lents {
            if outcome.is_err() && lent.held && !lent.lease.is_broken() {
                let drained = lent.lease.drain().await;
                drained.unwrap_or_else(|error| tracing::debug!(%error, "connection given up"));
            }
            self.transaction.give_back(lent);
        }
        outcome.map(|()| Rows::local(columns, held))
    }

    async fn pass(&mut self, feed: &Feed, batch: &mut Batch, call: Call<'_>) -> Result<Summary> {
        let mut text = [feed.head.as_slice(), b" VALUES ", &batch.tuples].concat();
        if feed.on_duplicate {
            text.push(b' ');
            text.extend_from_slice(&feed.tail);
        }
        let (plan, mut facts) = self.planned(&text, &feed.source).await?;
        let one_row = (batch.rows == 1).then_some(feed.on_duplicate);
        *batch = Batch::default();
        self.write_part((&plan, &mut facts), call, Part { one_row, told: true, locks: false }).await
    }
}

fn too_big() -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        "the rows that the statement reads before it writes are held in memory, and they are over \
         `limits.sort_bytes`; write in smaller steps, or raise the limit",
    )
}

fn check_width(feed: &Feed, shape: &Shape) -> Result<()> {
    if feed.width.is_none_or(|width| width == shape.width()) {
        return Ok(());
    }
    Err(Error::server(ServerError {
        code: 1136,
        state: *b"21S01",
        message: b"Column count doesn't match value count at row 1".to_vec(),
    }))
}

/// Rows as literals.
#[derive(Default)]
struct Batch {
    tuples: Vec<u8>,
    rows: usize,
}

impl Batch {
    fn add(&mut self, literals: &[Option<Vec<u8>>]) {
        self.tuples.extend_from_slice(if self.rows == 0 { b"(" } else { b",(" });
        for (index, literal) in literals.iter().enumerate() {
            if index > 0 {
                self.tuples.push(b',');
            }
            self.tuples.extend_from_slice(literal.as_deref().unwrap_or(b"NULL"));
        }
        self.tuples.push(b')');
        self.rows += 1;
    }
}

/// The outcome of all INSERTs.
#[derive(Default)]
struct Total(Option<Summary>);

impl Total {
    fn add(&mut self, summary: Summary) {
        match &mut self.0 {
            Some(total) => total.add(&summary),
            None => self.0 = Some(summary),
        }
    }

    fn summary(self) -> Summary {
        self.0.unwrap_or_else(|| Summary {
            info: b"Records: 0  Duplicates: 0  Warnings: 0".to_vec(),
            ..Summary::default()
        })
    }
}
