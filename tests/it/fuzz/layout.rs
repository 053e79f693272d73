//! Ways to spread tables over shards. The rules of the tables are in `tests/differential/rules.yaml`.

use super::kind::{BIG, CODE, DAY, GRP, ID, Kind, REF, TAG};

/// Tables that statements are made over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) name: &'static str,
    pub(super) tables: &'static [Spec],
}

/// A table before its columns are chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spec {
    pub(super) name: &'static str,
    /// Columns besides those that every table has.
    pub(super) keys: &'static [Kind],
    /// Of the columns that rows are spread by, those that would otherwise take NULL.
    pub(super) not_null: &'static [Kind],
    pub(super) rows: Size,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    Empty,
    One,
    Few,
    Some,
    Many,
    /// A few rows, each several times.
    Repeated,
}

const fn table(name: &'static str, rows: Size) -> Spec {
    Spec { name, keys: &[], not_null: &[], rows }
}

const fn keyed(name: &'static str, rows: Size, keys: &'static [Kind]) -> Spec {
    Spec { name, keys, not_null: keys, rows }
}

const fn by_ref(name: &'static str, rows: Size) -> Spec {
    Spec { name, keys: &[], not_null: &[REF], rows }
}

pub(super) const LAYOUTS: [Layout; 4] = [
    // Children beside their parents, and a table that lies elsewhere.
    Layout {
        name: "hash",
        tables: &[
            table("h_users", Size::Some),
            by_ref("h_orders", Size::Many),
            by_ref("h_items", Size::Some),
            table("h_turned", Size::Some),
            table("h_flags", Size::Few),
            table("h_solo", Size::Few),
            table("h_empty", Size::Empty),
            table("h_bag", Size::Repeated),
        ],
    },
    // Ranges and lists, and single tables on both clusters.
    Layout {
        name: "range",
        tables: &[
            table("r_range", Size::Many),
            table("r_list", Size::Some),
            keyed("r_day", Size::Some, &[DAY]),
            table("r_cast", Size::Few),
            table("r_left", Size::Some),
            table("r_right", Size::Some),
            table("r_one", Size::One),
            table("r_empty", Size::Empty),
        ],
    },
    // Several physical tables in a shard: a fixed number of them, and by time.
    Layout {
        name: "parts",
        tables: &[
            table("p_parts", Size::Some),
            table("p_both", Size::Many),
            keyed("p_time", Size::Some, &[DAY]),
            keyed("p_month", Size::Many, &[DAY]),
            by_ref("p_child", Size::Some),
            table("p_cast", Size::Few),
            table("p_solo", Size::Few),
            table("p_one", Size::One),
        ],
    },
    // Nothing lies beside anything.
    Layout {
        name: "ring",
        tables: &[
            keyed("s_code", Size::Some, &[CODE]),
            keyed("s_tag", Size::Some, &[TAG]),
            by_ref("s_ref", Size::Many),
            keyed("s_big", Size::Some, &[BIG]),
            keyed("s_day", Size::Few, &[DAY]),
            table("s_id", Size::Some),
            keyed("s_bag", Size::Repeated, &[CODE]),
            table("s_empty", Size::Empty),
        ],
    },
];

impl Spec {
    /// The columns that rows may be found by, not null.
    pub(super) fn required(&self) -> Vec<(Kind, bool)> {
        let mut columns = vec![(ID, false), (GRP, false), (REF, !self.not_null.contains(&REF))];
        columns.extend(self.keys.iter().map(|key| (*key, false)));
        columns
    }
}
