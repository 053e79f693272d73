//! TIMESTAMP columns as moments: their local times are not certain in the hour that a clock repeats.

use jiff::Timestamp;

use super::program::Program;
use super::tuple::malformed;
use crate::error::Result;
use crate::execute::client_state::ClientState;
use crate::execute::run::Run;
use crate::plan::facts::{ColumnClass, Facts, TableId};
use crate::plan::planner::Temporary;
use crate::plan::render::render;
use crate::plan::resolve;
use crate::plan::types::Select;
use crate::protocol::capability::ColumnType;
use crate::protocol::column::Column;
use crate::sql;
use crate::sql::expr::ExprKind;
use crate::sql::query::{Body, SelectItemKind};
use crate::sql::{Mode, StatementKind};

/// A text that gives moments, and the columns that they stand for by their indexes.
pub(super) struct Moments {
    pub(super) text: Vec<u8>,
    pub(super) columns: Vec<(usize, Column)>,
}

impl Program<'_> {
    /// The text with moments in place of columns of TIMESTAMP. None: there is no such column, or its
    /// local times are certain.
    pub(super) async fn moments(
        &self,
        text: &[u8],
        select: &Select,
        facts: &Facts,
        temporaries: &[Temporary],
        run: &Run<'_>,
    ) -> Option<Moments> {
        if has_fixed_zone(run.state) || !self.may_hold_timestamps(text, facts, temporaries) {
            return None;
        }
        let values = run.values(facts);
        let target = resolve::sample(&select.place, &values).ok()?;
        let sample = render(&select.route, &target, &values).ok()?.text;
        let described = self.snapshot.describe_at(&target, sample, run.state, self.deadline).await;
        spliced(text, &self.source.mode, &described.ok()?.1)
    }

    /// Not all tables are known to have no such column.
    fn may_hold_timestamps(&self, text: &[u8], facts: &Facts, temporaries: &[Temporary]) -> bool {
        let Ok(statement) = sql::parse(text, &self.source.mode) else { return true };
        let has_none = |table: &TableId| {
            if let Some(Some(known)) = facts.columns.get(table) {
                return known.columns.iter().all(|column| column.class != ColumnClass::Timestamp);
            }
            let own = temporaries.iter().find(|own| own.name == table.table);
            own.and_then(|own| own.columns.as_ref()).is_some_and(|columns| {
                let is_other = |class: &ColumnClass| *class != ColumnClass::Timestamp;
                columns.iter().all(|column| column.class.as_ref().is_some_and(is_other))
            })
        };
        !self.tables_of(&statement).iter().all(has_none)
    }
}

fn has_fixed_zone(state: &ClientState) -> bool {
    let zone = state.base().variables.get("time_zone").map(|zone| zone.trim_matches('\''));
    zone.is_some_and(|zone| zone.starts_with(['+', '-']) || zone == "UTC")
}

/// `UNIX_TIMESTAMP(column)` in place of items that are columns of TIMESTAMP: it takes the moment as it is
/// stored.
fn spliced(text: &[u8], mode: &Mode, described: &[Column]) -> Option<Moments> {
    let statement = sql::parse(text, mode).ok()?;
    let StatementKind::Query(query) = &statement.kind else { return None };
    let Body::Select(select) = &query.body else { return None };
    // HAVING may mean an item by its name.
    if select.having.is_some() || select.rollup || select.items.len() != described.len() {
        return None;
    }
    let mut moments = Moments { text: Vec::with_capacity(text.len() + 32), columns: Vec::new() };
    let mut copied = 0;
    for (index, (item, column)) in select.items.iter().zip(described).enumerate() {
        let SelectItemKind::Expr { expr, .. } = &item.kind else { return None };
        let is_plain = !column.org_name.is_empty() && matches!(expr.kind, ExprKind::Column(_));
        if column.ty != ColumnType::MYSQL_TYPE_TIMESTAMP || !is_plain {
            continue;
        }
        let (start, end) = (expr.span.start as usize, expr.span.end as usize);
        moments.text.extend_from_slice(text.get(copied..start)?);
        moments.text.extend_from_slice(b"UNIX_TIMESTAMP(");
        moments.text.extend_from_slice(text.get(start..end)?);
        moments.text.push(b')');
        copied = end;
        moments.columns.push((index, column.clone()));
    }
    moments.text.extend_from_slice(text.get(copied..)?);
    (!moments.columns.is_empty()).then_some(moments)
}

/// Appends a moment in universal time. `width`: bytes of a whole number of seconds, or 0 for a decimal.
pub(super) fn put_moment(out: &mut Vec<u8>, width: usize, value: &[u8]) -> Result<()> {
    let micros = match width {
        0 => {
            let text = std::str::from_utf8(value).map_err(|_| malformed())?;
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            let whole: i64 = whole.parse().map_err(|_| malformed())?;
            let fraction: i64 = format!("{fraction:0<6}").parse().map_err(|_| malformed())?;
            whole.checked_mul(1_000_000).and_then(|whole| whole.checked_add(fraction))
        }
        _ => {
            let mut bytes = [0; 8];
            let place = bytes.get_mut(..value.len()).filter(|_| value.len() == width);
            place.ok_or_else(malformed)?.copy_from_slice(value);
            i64::from_le_bytes(bytes).checked_mul(1_000_000)
        }
    };
    match micros.ok_or_else(malformed)? {
        0 => out.extend_from_slice(b"0000-00-00 00:00:00"),
        micros => {
            let moment = Timestamp::from_microsecond(micros).map_err(|_| malformed())?;
            let text = moment.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string();
            out.extend_from_slice(text.as_bytes());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(width: usize, value: &[u8], expect: &str) {
        let mut out = Vec::new();
        put_moment(&mut out, width, value).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expect);
    }

    #[test]
    fn moments_in_universal_time() {
        check(8, &1_729_989_000_i64.to_le_bytes(), "2024-10-27 00:30:00.000000");
        check(4, &1_729_992_600_i32.to_le_bytes(), "2024-10-27 01:30:00.000000");
        check(0, b"1729992600.25", "2024-10-27 01:30:00.250000");
        check(0, b"0.000", "0000-00-00 00:00:00");
        assert!(put_moment(&mut Vec::new(), 0, b"x").is_err());
        assert!(put_moment(&mut Vec::new(), 8, b"1").is_err());
    }

    #[test]
    fn columns_become_moments() {
        let column = |ty, name: &'static str| Column {
            org_name: name.into(),
            ..Column::computed(name, ty, 63)
        };
        let described = [
            column(ColumnType::MYSQL_TYPE_LONG, "id"),
            column(ColumnType::MYSQL_TYPE_TIMESTAMP, "ts"),
        ];
        let found = |text: &str| {
            let moments = spliced(text.as_bytes(), &Mode::default(), &described);
            moments.map(|moments| String::from_utf8(moments.text).unwrap())
        };
        assert_eq!(
            found("SELECT t.id, t.ts AS c1 FROM t ORDER BY t.ts").as_deref(),
            Some("SELECT t.id, UNIX_TIMESTAMP(t.ts) AS c1 FROM t ORDER BY t.ts")
        );
        assert_eq!(found("SELECT * FROM t"), None);
        assert_eq!(found("SELECT id, ts AS c FROM t GROUP BY id, ts HAVING c > 0"), None);
    }
}
