//! Makes a statement and its rows smaller while the servers still disagree in the same way.

use std::time::Duration;

use tokio::time::Instant;

use crate::differential::compare::Difference;

use super::judge::Verdict;
use super::runner::Runner;
use super::scope::Order;
use super::statement::{Pass, Statement};
use super::table::Table;

/// A disagreement made small.
pub(super) struct Shrunk {
    pub(super) statement: Statement,
    pub(super) tables: Vec<Table>,
    pub(super) differences: Vec<Difference>,
}

struct Shrinker<'a, 's> {
    runner: &'a mut Runner<'s>,
    until: Instant,
    best: Shrunk,
}

/// Leaves the tables on the servers as they were.
pub(super) fn shrink(
    runner: &mut Runner<'_>,
    statement: &Statement,
    tables: &[Table],
    differences: Vec<Difference>,
    limit: Duration,
) -> Shrunk {
    let until = Instant::now() + limit;
    let best = Shrunk { statement: statement.clone(), tables: tables.to_vec(), differences };
    let mut shrinker = Shrinker { runner, until, best };
    shrinker.simplify();
    shrinker.shrink_tree();
    let text = shrinker.best.statement.tree.to_string();
    shrinker.best.tables.retain(|table| text.contains(&table.name));
    // A write that commits brings all rows back.
    if !shrinker.best.statement.commits {
        shrinker.shrink_rows();
        shrinker.shrink_tree();
    }
    let Shrinker { best, .. } = shrinker;
    for table in tables.iter().filter(|whole| best.tables.iter().any(|it| it.name == whole.name)) {
        runner.load(&mut table.clone());
    }
    best
}

impl Shrinker<'_, '_> {
    /// Whether the servers disagree about this statement as they did about the best.
    fn try_statement(&mut self, statement: Statement) -> bool {
        let aspect =
            |differences: &[Difference]| differences.iter().map(|found| found.aspect).max();
        match self.runner.run(&statement) {
            Verdict::Differs(found) if aspect(&found) == aspect(&self.best.differences) => {
                self.best.statement = statement;
                self.best.differences = found;
                true
            }
            Verdict::Differs(_)
            | Verdict::Same(_)
            | Verdict::Refused(_)
            | Verdict::Left
            | Verdict::Varies
            | Verdict::Crashed => false,
        }
    }

    fn simplify(&mut self) {
        let statement = Statement { pass: Pass::Text, ..self.best.statement.clone() };
        self.try_statement(statement);
        let statement = Statement { commits: false, ..self.best.statement.clone() };
        if self.best.statement.commits {
            self.try_statement(statement);
        }
        if matches!(self.best.statement.order, Order::Columns(_)) {
            let statement = Statement { order: Order::Free, ..self.best.statement.clone() };
            self.try_statement(statement);
        }
    }

    fn shrink_tree(&mut self) {
        let mut at = 0;
        let mut changed = false;
        while Instant::now() < self.until {
            let Some(tree) = self.best.statement.tree.edited(at) else {
                if !changed {
                    return;
                }
                (at, changed) = (0, false);
                continue;
            };
            if self.try_statement(Statement { tree, ..self.best.statement.clone() }) {
                changed = true;
            } else {
                at += 1;
            }
        }
    }

    fn shrink_rows(&mut self) {
        for at in 0..self.best.tables.len() {
            let mut size = self.best.tables[at].rows.len().div_ceil(2);
            while size > 0 {
                let mut from = 0;
                while from < self.best.tables[at].rows.len() && Instant::now() < self.until {
                    if !self.drop_rows(at, from, size) {
                        from += size;
                    }
                }
                size /= 2;
            }
        }
    }

    /// Takes rows away on both servers, and puts them back if that ends the disagreement.
    fn drop_rows(&mut self, at: usize, from: usize, size: usize) -> bool {
        let table = &self.best.tables[at];
        let ids: Vec<String> =
            table.rows.iter().skip(from).take(size).map(|row| row[0].clone()).collect();
        let (gone, kept) = table.rows.iter().cloned().partition(|row| ids.contains(&row[0]));
        let gone = Table { rows: gone, ..table.clone() };
        let kept = Table { rows: kept, ..table.clone() };
        let delete = format!("DELETE FROM {} WHERE id IN ({})", gone.name, ids.join(", "));
        if self.runner.run_all(&delete).is_err() {
            // A server crashed: what is left is small enough.
            self.until = Instant::now();
            return false;
        }
        if self.try_statement(self.best.statement.clone()) {
            self.best.tables[at] = kept;
            return true;
        }
        if gone.insert().is_some_and(|insert| self.runner.run_all(&insert).is_err()) {
            self.until = Instant::now();
        }
        false
    }
}
