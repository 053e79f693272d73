//! Statements whose plan was kept: routed, scattered, or written to several targets.

use super::reply::Reply;
use super::run::Run;
use super::write::Count;
use crate::error::{ErrorKind, Result};
use crate::plan::Plan;
use crate::plan::facts::{Facts, Stop};
use crate::plan::key::Run as Values;
use crate::plan::resolve;
use crate::plan::template::Target;
use crate::plan::types::{Select, Write};

impl Run<'_> {
    /// Runs a plan that was made without the values of `hidden`. None: nothing was done that counts,
    /// since the statement must be planned with them.
    ///
    /// # Errors
    /// As those of [`Run::plan`].
    pub async fn kept(&mut self, plan: &Plan, facts: &mut Facts) -> Result<Option<Reply>> {
        match plan {
            Plan::Select(select) => self.kept_select(select, facts).await,
            Plan::Write(write) => self.kept_write(write, facts).await,
            Plan::Insert(insert) => Box::pin(self.insert(insert, facts)).await.map(Some),
            Plan::Feed(_) | Plan::Load(_) | Plan::Ddl(_) => Ok(None),
        }
    }

    async fn kept_select(&mut self, select: &Select, facts: &mut Facts) -> Result<Option<Reply>> {
        let targets =
            self.where_to(facts, |values| resolve::targets(&select.place, values)).await?;
        match (targets.as_deref(), &select.scatter) {
            (None, _) | (Some([_, _, ..]), Err(_)) => Ok(None),
            (Some([target]), _) => self.select_at(select, target, facts).await.map(Some),
            (Some(targets), Ok(scatter)) => {
                let access = self.access(select);
                match Box::pin(self.scatter(scatter, targets, access, facts)).await {
                    // Only the answers tell the types of columns: it is a read, and can be done anew.
                    Err(refused) if *refused.kind() == ErrorKind::Unsupported => Ok(None),
                    reply => reply.map(Some),
                }
            }
            (Some([]), Err(_)) => Ok(None),
        }
    }

    async fn kept_write(&mut self, write: &Write, facts: &mut Facts) -> Result<Option<Reply>> {
        let targets = self.where_to(facts, |values| resolve::write_targets(write, values)).await?;
        let Some(targets) = targets else { return Ok(None) };
        let mut work = Vec::with_capacity(targets.len());
        for target in targets {
            work.push((self.fragment(&write.template, &target, facts)?, target));
        }
        Box::pin(self.write_all(work, Count::Sum)).await.map(Some)
    }

    /// Where the plan runs. None: it does not run like this.
    async fn where_to(
        &mut self,
        facts: &mut Facts,
        find: impl Fn(&Values<'_>) -> Result<Vec<Target>, Stop>,
    ) -> Result<Option<Vec<Target>>> {
        match self.settle(facts, |run, facts| find(&run.values(facts))).await {
            Ok(targets) => Ok(Some(targets)),
            Err(refused) if *refused.kind() == ErrorKind::Unsupported => Ok(None),
            Err(error) => Err(error),
        }
    }
}
