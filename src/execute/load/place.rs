//! Where the rows of a file belong: their keys are placed as those of an INSERT are.

use super::Job;
use super::pile::Piles;
use super::rows::{Found, Rows};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::run::Run;
use crate::plan::facts::{ColumnClass, Facts};
use crate::plan::holds::Holds;
use crate::plan::resolve;
use crate::plan::template::{Target, Template};
use crate::plan::types::{Insert, InsertRow, LoadValue, Operand, Split};
use crate::sql::expr::Literal;

/// Character sets in which a byte of a longer character may look like a delimiter.
const MIXED: [&str; 10] =
    ["big5", "cp932", "euckr", "gb18030", "gbk", "sjis", "ucs2", "utf16", "utf16le", "utf32"];

/// Reads keys out of rows.
pub(super) struct Placer<'p> {
    split: &'p Split,
    /// Of the file.
    charset: String,
    first_id: Option<u64>,
}

impl<'p> Placer<'p> {
    /// # Errors
    /// The file's character set does not let its rows be told apart.
    pub(super) fn new(split: &'p Split, job: &Job<'_>, client: &str) -> Result<Self> {
        let charset = job.charset.as_deref().unwrap_or(client).to_owned();
        if MIXED.contains(&charset.as_str()) {
            return Err(Error::unsupported(format!(
                "LOAD DATA of a file in {charset} into `{}`, whose rows are told apart by Margay, is not \
                 supported; convert the file to utf8mb4, and say CHARACTER SET utf8mb4",
                split.insert.table.name
            )));
        }
        Ok(Self { split, charset, first_id: None })
    }

    /// The first generated id.
    pub(super) fn first_id(&self) -> Option<u64> {
        self.first_id
    }

    /// The rows as those of an INSERT: their keys alone.
    fn insert(&self, rows: &Rows<'_>) -> Result<Insert> {
        let split = self.split;
        let insert = &split.insert;
        let row = |found: &Found| -> Result<InsertRow> {
            let known = |class: &'p Option<ColumnClass>, holds: &'p Option<Holds>| Known {
                class: class.as_ref(),
                holds: holds.as_ref(),
            };
            let key = known(&insert.key_class, &insert.key_holds);
            let part = known(&insert.part_class, &insert.part_holds);
            Ok(InsertRow {
                key: self.operand(rows, found, split.key.as_ref(), key)?,
                part_key: self.operand(rows, found, split.part_key.as_ref(), part)?,
                id: self.operand(rows, found, split.id.as_ref(), Known::INTEGER)?,
                template: Template::default(),
            })
        };
        let rows = rows.found().iter().map(row).collect::<Result<_>>()?;
        Ok(Insert { rows, ..insert.clone() })
    }

    fn operand(
        &self,
        rows: &Rows<'_>,
        found: &Found,
        value: Option<&LoadValue>,
        column: Known<'_>,
    ) -> Result<Option<Operand>> {
        let index = match value {
            None => return Ok(None),
            Some(LoadValue::Given(operand)) => return Ok(Some(operand.clone())),
            Some(LoadValue::Field(index)) => *index,
        };
        let refuse = |what: &str| {
            Err(Error::unsupported(format!(
                "row {} of the file {what} field {}, by which it is placed; correct it in the file",
                found.number,
                index + 1
            )))
        };
        let Some(field) = rows.field(found, index) else { return refuse("lacks") };
        let Some(bytes) = &field.value else {
            if column.holds.is_some_and(Holds::refuses_null) {
                return refuse("has NULL, which its column does not take, in");
            }
            return Ok(Some(Operand::Literal(Literal::Null)));
        };
        match self.literal(bytes, column.class) {
            Some(literal) => Ok(Some(Operand::Literal(literal))),
            None => refuse(&format!("has bytes that are no text in {} in", self.charset)),
        }
    }

    /// What a field is for a column. None: it is malformed.
    fn literal(&self, bytes: &[u8], class: Option<&ColumnClass>) -> Option<Literal> {
        let text = |charset: Option<String>| Literal::String { bytes: bytes.to_vec(), charset };
        match class {
            Some(ColumnClass::Integer { .. }) => Some(match leading_number(bytes) {
                Some(number) => Literal::Integer(number),
                None => text(None),
            }),
            Some(ColumnClass::Text { collation, .. }) => {
                // Bytes of no character set become those of the column's.
                let charset = match self.charset.as_str() {
                    "binary" => collation.split('_').next().unwrap_or_default(),
                    charset => charset,
                };
                let charset = if charset.starts_with("uca") { "utf8mb4" } else { charset };
                is_well_formed(bytes, charset).then(|| text(Some(charset.to_owned())))
            }
            Some(_) | None => Some(text(None)),
        }
    }
}

/// A column that rows are placed by.
#[derive(Clone, Copy)]
struct Known<'c> {
    class: Option<&'c ColumnClass>,
    holds: Option<&'c Holds>,
}

impl Known<'_> {
    const INTEGER: Known<'static> =
        Known { class: Some(&ColumnClass::Integer { unsigned: false }), holds: None };
}

fn is_well_formed(bytes: &[u8], charset: &str) -> bool {
    match charset {
        "utf8mb4" => std::str::from_utf8(bytes).is_ok(),
        "utf8mb3" | "utf8" => {
            std::str::from_utf8(bytes).is_ok() && bytes.iter().all(|byte| *byte < 0xf0)
        }
        "ascii" => bytes.is_ascii(),
        _ => true,
    }
}

/// The number that an integer column makes of a field: what stands at its front, or 0. None: it has a
/// fraction or an exponent, or too many digits to say.
fn leading_number(bytes: &[u8]) -> Option<String> {
    const DIGITS_MAX: usize = 30;
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = bytes.iter().position(|byte| !blank(byte)).unwrap_or(bytes.len());
    let text = bytes.get(start..).unwrap_or_default();
    let (sign, rest) = match text.split_first() {
        Some((b'-', rest)) => ("-", rest),
        Some((b'+', rest)) => ("", rest),
        Some(_) | None => ("", text),
    };
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, behind) = rest.split_at_checked(count)?;
    let goes_on = match behind.first() {
        Some(b'.') => true,
        Some(b'e' | b'E') => !digits.is_empty(),
        Some(_) | None => false,
    };
    if goes_on || digits.len() > DIGITS_MAX {
        return None;
    }
    match std::str::from_utf8(digits) {
        Ok("") => Some("0".to_owned()),
        Ok(digits) => Some(format!("{sign}{digits}")),
        Err(_) => None,
    }
}

impl Run<'_> {
    /// Puts rows on the piles of their targets.
    pub(super) async fn pile_rows(
        &mut self,
        rows: &mut Rows<'_>,
        placer: &mut Placer<'_>,
        piles: &mut Piles,
        facts: &mut Facts,
    ) -> Result<()> {
        // Those of the rows before.
        facts.weights.clear();
        let mut insert = placer.insert(rows)?;
        let mut numbers = Vec::new();
        if let Some(ids) = insert.ids.clone() {
            let numbered = self.number(&insert, &ids, facts).await?;
            (insert, numbers) = (numbered.insert, numbered.numbers);
        }
        placer.first_id = placer.first_id.or_else(|| numbers.iter().flatten().min().copied());
        let placed = match insert.key_class {
            Some(_) => self.placed(&insert, rows, facts).await?,
            None => vec![(resolve::sample_of(&insert.table)?, (0..insert.rows.len()).collect())],
        };
        for (target, indexes) in placed {
            for index in indexes {
                let Some(found) = rows.found().get(index) else { continue };
                let number = numbers.get(index).copied().flatten();
                placer.pile_up(rows, found, number, (piles, &target))?;
            }
        }
        Ok(())
    }

    async fn placed(
        &mut self,
        insert: &Insert,
        rows: &Rows<'_>,
        facts: &mut Facts,
    ) -> Result<Vec<(Target, Vec<usize>)>> {
        let step =
            |run: &Run<'_>, facts: &Facts| resolve::insert_targets(insert, &run.values(facts));
        let error = match self.settle(facts, step).await {
            Ok(placed) => return Ok(placed),
            Err(error) => error,
        };
        if !matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::NoShardForValue) {
            return Err(error);
        }
        // Which row is it?
        for (row, found) in insert.rows.iter().zip(rows.found()) {
            let one = Insert { rows: vec![row.clone()], ..insert.clone() };
            let step =
                |run: &Run<'_>, facts: &Facts| resolve::insert_targets(&one, &run.values(facts));
            if let Err(error) = self.settle(facts, step).await {
                return Err(error.context(format!("row {} of the file", found.number)));
            }
        }
        Err(error)
    }
}

impl Placer<'_> {
    /// Adds a row to the pile of its target, with its generated id.
    fn pile_up(
        &self,
        rows: &Rows<'_>,
        found: &Found,
        id: Option<u64>,
        (piles, target): (&mut Piles, &Target),
    ) -> Result<()> {
        let bytes = rows.bytes(found);
        let Some(id) = id else {
            piles.add(target, found.number, &[bytes]);
            return Ok(());
        };
        let delimiters = &self.split.delimiters;
        let id = delimiters.number(id).ok_or_else(|| Error::internal("an id that is no field"))?;
        let place = match &self.split.id {
            None => found.row.body..found.row.body,
            Some(LoadValue::Field(index)) => match rows.field(found, *index) {
                Some(field) => field.raw.clone(),
                None => return Err(Error::internal("a row without the field of its id")),
            },
            Some(LoadValue::Given(_)) => {
                return Err(Error::internal("a generated id where SET gives one"));
            }
        };
        let end = if self.split.id.is_none() { delimiters.field_end() } else { b"" };
        let before = bytes.get(..place.start).unwrap_or_default();
        let behind = bytes.get(place.end..).unwrap_or_default();
        piles.add(target, found.number, &[before, &id, end, behind]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_fields() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(leading_number(text.as_bytes()).as_deref(), expect, "{text}");
        };
        check("12", Some("12"));
        check(" -7", Some("-7"));
        check("+7 ", Some("7"));
        check("12abc", Some("12"));
        check("abc", Some("0"));
        check("", Some("0"));
        check("-", Some("0"));
        check("1.5", None);
        check(".5", None);
        check("1e3", None);
        check("e3", Some("0"));
    }
}
