//! EXPLAIN: Margay's plan, or a shard's own.

use super::Session;
use super::local::{Heading, cell};
use crate::error::Result;
use crate::execute::Reply;
use crate::plan::facts::Facts;
use crate::sql::statement::{Explain, Hints};

impl Session {
    pub(super) async fn explain(
        &mut self,
        text: &[u8],
        explain: &Explain,
        hints: &Hints,
    ) -> Result<Reply> {
        let expanded = self.expanded_explain(text, explain).await?;
        let (text, explain) = match &expanded {
            Some((text, explain)) => (text.as_slice(), explain),
            None => (text, explain),
        };
        let mut facts = Facts::default();
        if explain.margay {
            // Spans of the explained statement point into the whole text, so its plan would carry the
            // word EXPLAIN along: plan its own text instead.
            let own = text.get(explain.at as usize..).unwrap_or_default();
            let statement = crate::sql::parse(own, &self.mode)?;
            if let Some(lines) = self.explain_information(own, &statement).await? {
                let lines = lines.into_iter().map(|line| vec![cell(line)]).collect();
                return Ok(self.rows(&[Heading::Text("plan")], lines));
            }
            let plan = self.plan(own, &statement, &mut facts, &[]).await?;
            let snapshot = self.snapshot.clone();
            let lines = snapshot.explain(&plan, &mut facts, &self.state).await?;
            let lines = lines.into_iter().map(|line| vec![cell(line)]).collect();
            return Ok(self.rows(&[Heading::Text("plan")], lines));
        }
        let plan = self.plan(text, &explain.statement, &mut facts, &[]).await?;
        self.explain_plan(&plan, &mut facts, hints).await
    }
}
