//! A file that one server reads as it is.

use super::Job;
use crate::backend::{Access, Connection, SessionState};
use crate::error::{Error, Result};
use crate::execute::client_state::LAST_INSERT_ID;
use crate::execute::reply::Reply;
use crate::execute::run::Run;
use crate::execute::summary::Summary;
use crate::plan::facts::Facts;
use crate::plan::resolve;
use crate::plan::template::Target;
use crate::transaction::Lent;

impl Run<'_> {
    pub(super) async fn pass_file(&mut self, job: &Job<'_>) -> Result<Reply> {
        let mut facts = Facts::default();
        let place = &job.load.place;
        let targets = self
            .settle(&mut facts, |run, facts| resolve::targets(place, &run.values(facts)))
            .await?;
        let [target] = targets.as_slice() else {
            return Err(Error::internal("a file for several servers that is not split"));
        };
        let text = self.load_text(job, target, &facts)?;
        let mut lent = self.connect(target.shard, Access::Primary).await?;
        match self.pass_to(job, &mut lent, target, &text).await {
            Ok(summary) => {
                self.transaction.give_back(lent);
                Ok(Reply::Done(summary))
            }
            Err(error) => {
                let error = self.restore(error, target);
                self.give_back_after(lent, &error);
                Err(error)
            }
        }
    }

    async fn pass_to(
        &mut self,
        job: &Job<'_>,
        lent: &mut Lent,
        target: &Target,
        text: &[u8],
    ) -> Result<Summary> {
        self.ready_to_load(job, lent, target).await?;
        forget_insert_id(&mut lent.lease).await?;
        let mut upload = lent.lease.upload(text).await?;
        // The server has found nothing wrong with the statement.
        let mut incoming = job.files.ask(&job.load.file);
        while let Some(piece) = incoming.next().await {
            upload.send(&piece).await?;
        }
        let ok = upload.finish().await?;
        let raised = self.raised(lent, target).await;
        self.warnings.add(raised);
        let mut summary = Summary::of(&ok);
        summary.learned = job.aftermath.learn(&mut lent.lease).await?;
        summary.learned.last_insert_id = insert_id(&mut lent.lease).await?;
        Ok(summary)
    }
}

/// Replies to LOAD DATA do not tell the first id that was generated: so it is asked for.
async fn forget_insert_id(connection: &mut Connection) -> Result<()> {
    connection.query_all("SET last_insert_id = 0").await?;
    let mut state = SessionState::clone(connection.state());
    state.variables.remove(LAST_INSERT_ID);
    connection.assume_state(state.into());
    Ok(())
}

/// The first id that was generated, if one was.
async fn insert_id(connection: &mut Connection) -> Result<Option<u64>> {
    let found = connection.query_all("SELECT LAST_INSERT_ID() AS id").await?;
    Ok(found.first("id").and_then(|text| text.parse().ok()).filter(|id| *id > 0))
}
