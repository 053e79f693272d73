//! What is measured: a workload of sysbench on a table that is whole or spread.

use super::settings::Mode;

/// A workload.
pub(super) struct Cell {
    pub(super) name: &'static str,
    load: Load,
    /// Shards that its table is spread over behind Margay. 0: it is whole.
    pub(super) shards: u32,
}

enum Load {
    /// A script that comes with sysbench, for the table `sbtest1`.
    Own(&'static str),
    /// A shape of `tests/bench/statement.lua`.
    Shape(&'static str),
}

/// A table behind all: whole on the server, and over 2 and 8 shards behind Margay too.
pub(super) const WHOLE: &str = "sbtest1";

pub(super) const CELLS: [Cell; 15] = [
    own("point", "oltp_point_select"),
    own("read-only", "oltp_read_only"),
    own("read-write", "oltp_read_write"),
    own("update-index", "oltp_update_index"),
    own("random-ranges", "select_random_ranges"),
    shape("range100", "range100", 0),
    shape("rows10000", "rows10000", 0),
    shape("point-2", "point", 2),
    shape("point-8", "point", 8),
    shape("range100-8", "range100", 8),
    shape("rows10000-8", "rows10000", 8),
    shape("group-2", "group", 2),
    shape("group-8", "group", 8),
    shape("order-2", "order", 2),
    shape("order-8", "order", 8),
];

const fn own(name: &'static str, script: &'static str) -> Cell {
    Cell { name, load: Load::Own(script), shards: 0 }
}

const fn shape(name: &'static str, shape: &'static str, shards: u32) -> Cell {
    Cell { name, load: Load::Shape(shape), shards }
}

impl Cell {
    /// The arguments of sysbench beside those of the connection. `spread`: the table is behind Margay.
    pub(super) fn arguments(&self, mode: Mode, rows: u64, spread: bool) -> Vec<String> {
        let prepares = match mode {
            Mode::Text => "disable",
            Mode::Prepared => "auto",
        };
        let mut arguments = match self.load {
            Load::Own(script) => {
                vec![script.to_owned(), "--tables=1".to_owned(), format!("--table-size={rows}")]
            }
            Load::Shape(shape) => {
                let table = if spread { self.table() } else { WHOLE.to_owned() };
                vec![
                    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/statement.lua").to_owned(),
                    format!("--shape={shape}"),
                    format!("--table={table}"),
                    format!("--rows={rows}"),
                ]
            }
        };
        arguments.push(format!("--db-ps-mode={prepares}"));
        arguments
    }

    fn table(&self) -> String {
        match self.shards {
            0 => WHOLE.to_owned(),
            shards => spread_table(shards),
        }
    }
}

/// The table over so many shards.
pub(super) fn spread_table(shards: u32) -> String {
    format!("spread{shards}")
}
