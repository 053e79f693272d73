//! What servers say of their parts of a file, as if one had read all of it.

use crate::execute::summary::Summary;
use crate::execute::warnings::{Warning, Warnings};
use crate::plan::template::Target;
use crate::protocol::reply::OkPacket;

/// Counts of all rows so far.
#[derive(Default)]
pub(super) struct Tally {
    records: u64,
    deleted: u64,
    skipped: u64,
    affected: u64,
    /// The last row that was written, and where.
    last: Option<(u64, Target)>,
    any: bool,
}

impl Tally {
    pub(super) fn add(&mut self, ok: &OkPacket) {
        let text = String::from_utf8_lossy(&ok.info);
        let mut numbers = text.split_whitespace().filter_map(|word| word.parse::<u64>().ok());
        let mut next = || numbers.next().unwrap_or_default();
        self.records += next();
        self.deleted += next();
        self.skipped += next();
        self.affected += ok.affected_rows;
        self.any = true;
    }

    /// Notes where a row was written.
    pub(super) fn note(&mut self, number: u64, target: &Target) {
        if self.last.as_ref().is_none_or(|(last, _)| *last < number) {
            self.last = Some((number, target.clone()));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.any
    }

    /// Where the last row of the file is.
    pub(super) fn last_target(&self) -> Option<&Target> {
        self.last.as_ref().map(|(_, target)| target)
    }

    /// As one server tells it. `first_id`: the first generated id, if some were.
    pub(super) fn summary(&self, warnings: &Warnings, first_id: Option<u64>) -> Summary {
        let Self { records, deleted, skipped, affected, .. } = self;
        let count = warnings.count;
        let info = format!(
            "Records: {records}  Deleted: {deleted}  Skipped: {skipped}  Warnings: {count}"
        );
        let mut summary = Summary {
            affected_rows: *affected,
            warnings: warnings.wire_count(),
            info: info.into_bytes(),
            ..Summary::default()
        };
        summary.learned.last_insert_id = first_id;
        summary
    }
}

/// Puts warnings of parts of a file in the order of its rows.
pub(super) fn in_order(parts: Vec<Warnings>) -> Warnings {
    let count = parts.iter().map(|part| part.count).sum();
    let mut list: Vec<Warning> = parts.into_iter().flat_map(|part| part.list).collect();
    list.sort_by_key(|warning| row_of(&warning.message).map_or(0, |(_, _, number)| number));
    Warnings { count, list }
}

/// A server's message with the row's number in the file; `numbers` are those of the rows it has read.
pub(super) fn renumbered(message: &[u8], numbers: &[u64]) -> Vec<u8> {
    let renumber = || {
        let (start, end, number) = row_of(message)?;
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        let number = numbers.get(index)?.to_string();
        Some([message.get(..start)?, number.as_bytes(), message.get(end..)?].concat())
    };
    renumber().unwrap_or_else(|| message.to_vec())
}

/// Where a message names a row, and which: `... at row 3`, `Row 3 ...`.
fn row_of(message: &[u8]) -> Option<(usize, usize, u64)> {
    const AT: &[u8] = b" at row ";
    const ROW: &[u8] = b"Row ";
    let start = match message.windows(AT.len()).rposition(|window| window == AT) {
        Some(found) => found + AT.len(),
        None if message.starts_with(ROW) => ROW.len(),
        None => return None,
    };
    let digits = message.get(start..)?;
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = std::str::from_utf8(digits.get(..length)?).ok()?;
    Some((start, start + length, text.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_rows_of_the_file() {
        let check = |message: &str, expect: &str| {
            let found = renumbered(message.as_bytes(), &[7, 12]);
            assert_eq!(String::from_utf8(found).unwrap(), expect);
        };
        check("Data truncated for column 'a' at row 2", "Data truncated for column 'a' at row 12");
        check("Row 1 was truncated; it", "Row 7 was truncated; it");
        check("Row 3 was truncated", "Row 3 was truncated");
        check("Duplicate entry ' at row 1' for key", "Duplicate entry ' at row 7' for key");
        check("Duplicate entry '1' for key 'PRIMARY'", "Duplicate entry '1' for key 'PRIMARY'");
    }

    #[test]
    fn counts_add_up() {
        let mut tally = Tally::default();
        let info = b"Records: 3  Deleted: 1  Skipped: 2  Warnings: 4";
        let ok = OkPacket { info: info.to_vec().into(), affected_rows: 2, ..OkPacket::default() };
        tally.add(&ok);
        tally.add(&ok);
        let warnings = Warnings { count: 8, list: Vec::new() };
        let summary = tally.summary(&warnings, Some(5));
        let expect = "Records: 6  Deleted: 2  Skipped: 4  Warnings: 8";
        assert_eq!(String::from_utf8(summary.info).unwrap(), expect);
        assert_eq!((summary.affected_rows, summary.warnings), (4, 8));
    }
}
