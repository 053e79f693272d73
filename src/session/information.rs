//! Queries of information_schema.

use super::Session;
use crate::error::Result;
use crate::execute::Reply;
use crate::execute::information::{self, Described, Granted, Rewritten, Viewer};
use crate::execute::run::Call;
use crate::plan::Plan;
use crate::plan::facts::Facts;
use crate::sql;
use crate::sql::statement::Statement;

/// A query over temporary tables in the places of information_schema's.
struct Planned {
    rewritten: Rewritten,
    plan: Plan,
    facts: Facts,
}

impl Session {
    /// Runs a query that reads tables of information_schema which tell of physical things. None: it
    /// does not.
    pub(super) async fn information(
        &mut self,
        text: &[u8],
        statement: &Statement,
        call: Call<'_>,
    ) -> Result<Option<Reply>> {
        let Some(planned) = self.plan_information(text, statement).await? else { return Ok(None) };
        let Planned { rewritten, plan, mut facts } = planned;
        let mut viewer = self.viewer();
        if let Some(with_columns) = rewritten.shows_views() {
            viewer.views = self.shown_views(with_columns).await?;
        }
        let snapshot = self.snapshot.clone();
        let mut run = self.runner(&snapshot, &statement.hints, call);
        run.information(&rewritten, &viewer, &plan, &mut facts).await.map(Some)
    }

    /// Parameters and columns of such a query.
    pub(super) async fn describe_information(
        &mut self,
        text: &[u8],
        statement: &Statement,
    ) -> Result<Option<Described>> {
        let Some(planned) = self.plan_information(text, statement).await? else { return Ok(None) };
        let Planned { rewritten, plan, facts } = planned;
        let snapshot = self.snapshot.clone();
        let mut run = self.runner(&snapshot, &statement.hints, Call::Text);
        run.describe_information(&rewritten, &plan, &facts).await.map(Some)
    }

    /// The lines of EXPLAIN FORMAT=MARGAY of such a query.
    pub(super) async fn explain_information(
        &self,
        text: &[u8],
        statement: &Statement,
    ) -> Result<Option<Vec<String>>> {
        let substituted = self.substituted(text, statement)?;
        let (text, statement) = match &substituted {
            Some((text, statement)) => (text.as_slice(), statement),
            None => (text, statement),
        };
        let Some(planned) = self.plan_information(text, statement).await? else { return Ok(None) };
        let Planned { rewritten, plan, mut facts } = planned;
        let mut lines = rewritten.explain();
        lines.extend(self.snapshot.explain(&plan, &mut facts, &self.state).await?);
        Ok(Some(lines))
    }

    async fn plan_information(
        &self,
        text: &[u8],
        statement: &Statement,
    ) -> Result<Option<Planned>> {
        let rewritten = information::rewrite(text, statement, self.schema.as_deref())?;
        let Some(rewritten) = rewritten else { return Ok(None) };
        let statement = sql::parse(&rewritten.text, &self.mode)?;
        let mut facts = Facts::default();
        self.snapshot.facts.recall(&self.tables_of(&statement), &mut facts);
        let temporaries = rewritten.temporaries();
        let plan = self.plan(&rewritten.text, &statement, &mut facts, &temporaries).await?;
        Ok(Some(Planned { rewritten, plan, facts }))
    }

    /// What the client may see.
    pub(super) fn viewer(&self) -> Viewer {
        let user = self.snapshot.config.users.get(&self.identity.user);
        let grants = user.iter().flat_map(|user| &user.grants);
        let granted = |(name, grant): (&String, &crate::config::Grants)| Granted {
            name: name.clone(),
            read: grant.read,
            write: grant.write,
        };
        Viewer {
            account: self.identity.quoted_account(),
            schemas: grants.map(granted).collect(),
            sessions: self.own_sessions(),
            views: Vec::new(),
        }
    }

    /// As without the PROCESS privilege: a user sees its own.
    pub(super) fn own_sessions(&self) -> Vec<information::Session> {
        let list = self.shared.registry.processes().into_iter();
        let own = list.filter(|process| process.user == self.identity.user);
        own.map(|process| information::Session {
            id: process.id,
            user: process.user,
            host: process.host,
            schema: process.schema,
            seconds: process.seconds,
            statement: process.statement,
        })
        .collect()
    }
}
