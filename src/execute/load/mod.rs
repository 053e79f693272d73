//! LOAD DATA LOCAL: the client's file goes to one server as it comes, or its rows go where they belong.
//!
//! Rows of several targets are gathered in piles of a few MiB, each of which its server loads by a statement
//! of its own, within one transaction: a transaction has one connection to each cluster, which can take one
//! file at a time.

mod pass;
mod pile;
mod place;
mod rows;
mod tally;
mod write;

use std::time::SystemTime;

use super::aftermath::Aftermath;
use super::file::Files;
use super::reply::Reply;
use super::run::Run;
use super::whole::Work;
use crate::error::{Error, Result, ServerError};
use crate::plan::facts::Facts;
use crate::plan::render::render;
use crate::plan::template::Target;
use crate::plan::types::{Load, Split};
use pile::Piles;
use place::Placer;
use rows::Rows;
use tally::Tally;

/// A file that is loaded.
pub(super) struct Job<'j> {
    load: &'j Load,
    /// Of the client.
    files: &'j Files,
    /// The character set of the file, if the statement must be told.
    charset: Option<String>,
    aftermath: Aftermath,
    /// The time of all rows, as a value of the variable `timestamp`.
    clock: Option<String>,
}

impl Run<'_> {
    pub(super) async fn load(&mut self, load: &Load, facts: &mut Facts) -> Result<Reply> {
        let Some(files) = self.files else {
            return Err(Error::internal("LOAD DATA without a client"));
        };
        let aftermath = std::mem::take(&mut self.aftermath);
        let charset = self.charset_of_file(load).await?;
        let job = Job { load, files, charset, aftermath, clock: self.clock_of_rows() };
        drop(std::mem::take(facts));
        self.wholly(Work::Load(&job)).await
    }

    /// Reads and writes the rows, within a transaction as a rule.
    pub(super) async fn load_file(&mut self, job: &Job<'_>) -> Result<Reply> {
        match &job.load.split {
            None => self.pass_file(job).await,
            Some(split) => self.split_file(job, split).await,
        }
    }

    async fn split_file(&mut self, job: &Job<'_>, split: &Split) -> Result<Reply> {
        let limit = self.snapshot.config.settings.limits.max_allowed_packet.0;
        let mut rows = Rows::new(split, usize::try_from(limit).unwrap_or(usize::MAX));
        let mut facts = Facts { clock: job.clock.clone(), ..Facts::default() };
        let mut placer = Placer::new(split, job, self.state.charset())?;
        let mut piles = Piles::default();
        let mut tally = Tally::default();
        let mut incoming = job.files.ask(&job.load.file);
        loop {
            let piece = incoming.next().await;
            let is_last = piece.is_none();
            rows.take(piece.as_deref());
            while rows.read()? {
                self.pile_rows(&mut rows, &mut placer, &mut piles, &mut facts).await?;
                if piles.are_full() {
                    self.write_piles(job, &mut piles, &mut tally, &mut facts).await?;
                }
            }
            if is_last {
                break;
            }
        }
        if piles.is_empty() && tally.is_empty() {
            piles.add_empty(self.first_target(job, split)?);
        }
        self.write_piles(job, &mut piles, &mut tally, &mut facts).await?;
        let mut summary = tally.summary(self.warnings, placer.first_id());
        if let Some(last) = tally.last_target()
            && !job.aftermath.assigned.is_empty()
        {
            summary.learned.variables = self.learn_variables(job, last).await?;
        }
        Ok(Reply::Done(summary))
    }

    /// The variables that the last row has left.
    async fn learn_variables(
        &mut self,
        job: &Job<'_>,
        last: &Target,
    ) -> Result<Vec<(String, String)>> {
        let mut lent = self.connect(last.shard, crate::backend::Access::Primary).await?;
        match job.aftermath.learn(&mut lent.lease).await {
            Ok(learned) => {
                self.transaction.give_back(lent);
                Ok(learned.variables)
            }
            Err(error) => {
                self.give_back_after(lent, &error);
                Err(error)
            }
        }
    }

    /// A target that checks the statement if there are no rows.
    fn first_target(&self, job: &Job<'_>, split: &Split) -> Result<Target> {
        let table = job.load.table.as_ref().unwrap_or(&split.insert.table);
        crate::plan::resolve::sample_of(table)
    }

    /// The statement for a target.
    fn load_text(&self, job: &Job<'_>, target: &Target, facts: &Facts) -> Result<Vec<u8>> {
        let values = self.values(facts);
        let mut text = render(&job.load.head, target, &values)?.text;
        if let Some(tail) = &job.load.tail {
            if let Some(charset) = &job.charset {
                text.extend_from_slice(format!(" CHARACTER SET {charset} ").as_bytes());
            }
            text.extend_from_slice(&render(tail, target, &values)?.text);
        }
        Ok(text)
    }

    /// The character set in which servers read a file if they are not told: that of the database. None: it
    /// is told, or the session has set it.
    async fn charset_of_file(&self, load: &Load) -> Result<Option<String>> {
        let given = load.split.as_ref().and_then(|split| split.charset.clone());
        if given.is_some() || load.tail.is_none() {
            self.check_charset(given.as_deref()).await?;
            return Ok(given);
        }
        const VARIABLE: &str = "character_set_database";
        if let Some(set) = self.state.base().variables.get(VARIABLE) {
            return Ok(Some(set.trim_matches(['\'', '"', '`']).to_ascii_lowercase()));
        }
        let schema =
            load.table.as_ref().and_then(|table| self.snapshot.catalog.schema(&table.schema));
        let shard = schema.map(|schema| schema.default_shard);
        let shard = shard.ok_or_else(|| Error::internal("a table without a schema"))?;
        self.snapshot.charset_of(shard).await.map(Some)
    }

    /// Keys are asked about in the file's character set before a server reads its name.
    async fn check_charset(&self, name: Option<&str>) -> Result<()> {
        const USUAL: [&str; 6] = ["ascii", "binary", "latin1", "utf8", "utf8mb3", "utf8mb4"];
        let Some(name) = name.filter(|name| !USUAL.contains(name)) else { return Ok(()) };
        if self.snapshot.knows_charset(name).await? {
            return Ok(());
        }
        Err(Error::server(ServerError {
            code: 1115,
            state: *b"42000",
            message: format!("Unknown character set: '{name}'").into_bytes(),
        }))
    }

    /// Rows of one file have one time, though several statements load them. None: the client has set it.
    fn clock_of_rows(&self) -> Option<String> {
        if self.state.base().variables.contains_key("timestamp") {
            return None;
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(format!("{}.{:06}", now.as_secs(), now.subsec_micros()))
    }
}
