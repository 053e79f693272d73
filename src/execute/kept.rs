//! Statements whose plan was kept, as far as they run where one server has all they need.

use super::reply::Reply;
use super::run::Run;
use crate::backend::Access;
use crate::error::{ErrorKind, Result};
use crate::plan::Plan;
use crate::plan::facts::{Facts, Stop};
use crate::plan::key::Run as Values;
use crate::plan::resolve;
use crate::plan::template::Target;
use crate::plan::types::{Select, Write};

impl Run<'_> {
    /// Runs a plan that was made without the values of `hidden`. None: nothing was done, since the
    /// statement must be planned with them.
    ///
    /// # Errors
    /// As those of [`Run::plan`].
    pub async fn kept(&mut self, plan: &Plan, facts: &mut Facts) -> Result<Option<Reply>> {
        match plan {
            Plan::Select(select) => self.kept_select(select, facts).await,
            Plan::Write(write) => Box::pin(self.kept_write(write, facts)).await,
            Plan::Insert(insert) => Box::pin(self.insert(insert, facts)).await.map(Some),
            Plan::Feed(_) | Plan::Ddl(_) => Ok(None),
        }
    }

    async fn kept_select(&mut self, select: &Select, facts: &mut Facts) -> Result<Option<Reply>> {
        let targets =
            self.where_to(facts, |values| resolve::targets(&select.place, values)).await?;
        match targets.as_deref() {
            Some([target]) => self.select_at(select, target, facts).await.map(Some),
            Some(_) | None => Ok(None),
        }
    }

    async fn kept_write(&mut self, write: &Write, facts: &mut Facts) -> Result<Option<Reply>> {
        let targets = self.where_to(facts, |values| resolve::write_targets(write, values)).await?;
        let Some([target]) = targets.as_deref() else { return Ok(None) };
        let fragment = self.fragment(&write.template, target, facts)?;
        self.route(&fragment, target, Access::Primary).await.map(Some)
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
