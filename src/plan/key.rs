//! From literals to keys: equal values have equal keys, whatever their form.

use std::borrow::Cow;
use std::collections::HashMap;

use super::facts::{ColumnClass, Facts, Need, Stop, WeightKey};
use super::known::Hidden;
use super::render::literal_text;
use super::types::{Constant, Operand};
use crate::catalog::{Algorithm, Catalog, Key, Weights};
use crate::error::{Error, Result};
use crate::sql::expr::{Literal, TemporalKind};

/// What one execution of a plan knows beside the plan.
#[derive(Debug, Clone, Copy)]
pub struct Run<'r> {
    pub catalog: &'r Catalog,
    pub facts: &'r Facts,
    /// Values of the parameters. Numbers of the binary protocol are their decimal texts, dates are
    /// [`Literal::Temporal`].
    pub params: &'r [Literal],
    /// The character set of string literals and parameters, such as `utf8mb4`.
    pub charset: &'r str,
    /// Where a transaction is open: a statement that may run anywhere runs there.
    pub cluster: Option<usize>,
    /// What the plan was made without, if it is one of a shape.
    pub hidden: Option<Hidden<'r>>,
}

/// What a value is as a key.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    Key(Key),
    /// No value of the column equals it.
    Nothing,
    /// It may equal several values of the column, or how it compares is not known.
    Unknown,
}

/// Facts that turned out to be missing, to be asked for together.
#[derive(Debug, Default)]
pub(super) struct Missing {
    pub weights: Vec<WeightKey>,
    pub periods: Vec<(super::facts::TableId, crate::catalog::ShardId)>,
    pub computed: Vec<Vec<u8>>,
    pub constants: Vec<Vec<u8>>,
    /// One of the constants tells the time.
    pub clock: bool,
}

impl Missing {
    pub(super) fn check(self) -> Result<(), Stop> {
        if !self.computed.is_empty() {
            return Err(Stop::Need(Need::Computed(self.computed)));
        }
        if !self.constants.is_empty() {
            let Self { constants: texts, clock, .. } = self;
            return Err(Stop::Need(Need::Constants { texts, clock }));
        }
        if !self.weights.is_empty() {
            return Err(Stop::Need(Need::Weights(self.weights)));
        }
        if !self.periods.is_empty() {
            return Err(Stop::Need(Need::Periods(self.periods)));
        }
        Ok(())
    }
}

impl<'r> Run<'r> {
    /// The value of a parameter, the client's or a hidden one.
    fn param(&self, index: u16) -> Option<&'r Literal> {
        match self.hidden.and_then(|hidden| hidden.value(index)) {
            None => self.params.get(usize::from(index)),
            value => value,
        }
    }

    /// The value of an operand; None while it is not computed.
    pub(super) fn value(
        &self,
        operand: &'r Operand,
        missing: &mut Missing,
    ) -> Result<Option<&'r Literal>> {
        match operand {
            Operand::Literal(literal) => Ok(Some(literal)),
            Operand::Param(index) => match self.param(*index) {
                Some(literal) => Ok(Some(literal)),
                None => Err(Error::internal(format!("parameter {index} has no value"))),
            },
            Operand::Computed(text) => {
                let value = self.facts.computed.get(text);
                if value.is_none() && !missing.computed.contains(text) {
                    missing.computed.push(text.clone());
                }
                Ok(value)
            }
            Operand::Constant(constant) => {
                let Some(text) = self.filled(constant) else { return Ok(None) };
                if let Some(value) = self.facts.constants.get(text.as_ref()) {
                    return Ok(value.as_ref());
                }
                missing.clock |= constant.clock;
                let text = text.into_owned();
                if !missing.constants.contains(&text) {
                    missing.constants.push(text);
                }
                Ok(None)
            }
        }
    }

    /// The text of a constant expression with values in place of its parameters. None: what they mean
    /// there is not certain.
    fn filled<'c>(&self, constant: &'c Constant) -> Option<Cow<'c, [u8]>> {
        if constant.params.is_empty() {
            return Some(Cow::Borrowed(&constant.text));
        }
        let mut filled = Vec::new();
        let mut done = 0;
        for (at, index) in &constant.params {
            filled.extend_from_slice(constant.text.get(done..*at)?);
            let value = self.param(*index)?;
            // Other types change with where the parameter stands.
            if !matches!(value, Literal::Integer(_) | Literal::Temporal { .. }) {
                return None;
            }
            filled.extend_from_slice(literal_text(value).as_bytes());
            done = at + 1;
        }
        filled.extend_from_slice(constant.text.get(done..)?);
        Some(Cow::Owned(filled))
    }

    /// The value of an operand that is compared with a column of `class`. None: it says nothing, or is
    /// not computed yet.
    pub(super) fn operand(
        &self,
        operand: &'r Operand,
        class: &ColumnClass,
        missing: &mut Missing,
    ) -> Result<Option<&'r Literal>> {
        use ColumnClass as C;
        let Operand::Constant(constant) = operand else {
            return self.value(operand, missing);
        };
        // How texts compare depends on collations, which expressions have of their own.
        let exact = match class {
            C::Integer { .. } | C::Decimal { .. } | C::Year => true,
            C::Date | C::DateTime { .. } => false,
            C::Float
            | C::Bit
            | C::Timestamp
            | C::Time
            | C::Text { .. }
            | C::Binary { .. }
            | C::VarBinary
            | C::Enum
            | C::Set
            | C::Json
            | C::Geometry => return Ok(None),
        };
        // MySQL gives parameters in arithmetic types by what stands around them, the column included.
        if exact && !constant.params.is_empty() {
            return Ok(None);
        }
        let value = self.value(operand, missing)?;
        // A number compares with a text as numbers of 15 digits do.
        let usable = |value: &&Literal| match value {
            Literal::String { bytes, .. } => !exact || bytes.len() <= 15,
            _ => true,
        };
        Ok(value.filter(usable))
    }

    /// The key that a value compared with a column of `class` must have to be equal.
    pub(super) fn compared(
        &self,
        value: &Literal,
        class: &ColumnClass,
        missing: &mut Missing,
    ) -> Found {
        use ColumnClass as C;
        if *value == Literal::Null {
            return Found::Nothing;
        }
        match class {
            C::Integer { .. } => integer(value),
            C::Year => year(value),
            C::Decimal { .. } => match value {
                Literal::Integer(text) | Literal::Decimal(text) => number(text),
                Literal::Bool(value) => Found::Key(Key::Int((*value).into())),
                Literal::Null
                | Literal::Float(_)
                | Literal::String { .. }
                | Literal::Hex { .. }
                | Literal::Bit { .. }
                | Literal::Temporal { .. } => Found::Unknown,
            },
            C::Date | C::DateTime { .. } => moment(value),
            C::Text { collation, fixed } => match value {
                Literal::String { bytes, charset } if charset.as_deref() != Some("binary") => {
                    self.weight(bytes, charset.as_deref(), (collation, *fixed), missing)
                }
                Literal::Hex { bytes, charset: Some(charset) } if charset != "binary" => {
                    self.weight(bytes, Some(charset), (collation, *fixed), missing)
                }
                // Compared byte by byte: what is equal so is equal in the collation too.
                Literal::String { bytes, .. }
                | Literal::Hex { bytes, charset: None }
                | Literal::Bit { bytes, charset: None }
                    if bytes.is_ascii() =>
                {
                    self.weight(bytes, Some("utf8mb4"), (collation, *fixed), missing)
                }
                // Compared as numbers, '1' and '01' are equal.
                Literal::Null
                | Literal::Bool(_)
                | Literal::Integer(_)
                | Literal::Decimal(_)
                | Literal::Float(_)
                | Literal::String { .. }
                | Literal::Hex { .. }
                | Literal::Bit { .. }
                | Literal::Temporal { .. } => Found::Unknown,
            },
            // BINARY is padded where it is stored, not in comparisons.
            C::Binary { .. } | C::VarBinary => bytes(value),
            C::Float
            | C::Bit
            | C::Timestamp
            | C::Time
            | C::Enum
            | C::Set
            | C::Json
            | C::Geometry => Found::Unknown,
        }
    }

    /// The key of a row into whose column the value is written.
    pub(super) fn stored(
        &self,
        value: &Literal,
        class: &ColumnClass,
        missing: &mut Missing,
    ) -> Found {
        use ColumnClass as C;
        if *value == Literal::Null {
            return Found::Key(Key::Null);
        }
        match (class, value) {
            // A value with a fraction would be rounded, one out of range cut off.
            (C::Integer { unsigned }, _) => match self.compared(value, class, missing) {
                Found::Key(Key::Int(number)) if !unsigned || number >= 0 => {
                    Found::Key(Key::Int(number))
                }
                Found::Key(_) | Found::Nothing | Found::Unknown => Found::Unknown,
            },
            (C::Decimal { scale }, Literal::String { bytes, .. }) => {
                std::str::from_utf8(bytes).map_or(Found::Unknown, |text| scaled(text, *scale))
            }
            (C::Decimal { scale }, Literal::Integer(text) | Literal::Decimal(text)) => {
                scaled(text, *scale)
            }
            (C::Date, _) => match moment(value) {
                Found::Key(Key::Time(time)) => {
                    let midnight = time.date().to_datetime(jiff::civil::Time::midnight());
                    Found::Key(Key::Time(midnight))
                }
                Found::Key(_) | Found::Nothing | Found::Unknown => Found::Unknown,
            },
            (C::DateTime { fraction }, _) => match moment(value) {
                // More digits than the column has would be rounded.
                Found::Key(Key::Time(time)) if fits(time, *fraction) => Found::Key(Key::Time(time)),
                Found::Key(_) | Found::Nothing | Found::Unknown => Found::Unknown,
            },
            (C::Text { collation, fixed }, Literal::Integer(_) | Literal::Bool(_)) => {
                match digits(value) {
                    Some(text) => {
                        self.weight(text.as_bytes(), Some("utf8mb4"), (collation, *fixed), missing)
                    }
                    None => Found::Unknown,
                }
            }
            (C::Binary { .. } | C::VarBinary, Literal::Integer(_) | Literal::Bool(_)) => {
                let length = match class {
                    C::Binary { length } => Some(*length),
                    _ => None,
                };
                digits(value).map_or(Found::Unknown, |text| padded(text.into_bytes(), length))
            }
            (C::Binary { length }, _) => match bytes(value) {
                Found::Key(Key::Bytes(bytes)) => padded(bytes, Some(*length)),
                Found::Key(_) | Found::Nothing | Found::Unknown => Found::Unknown,
            },
            _ => self.compared(value, class, missing),
        }
    }

    /// The weight string of a text in a column's collation.
    fn weight(
        &self,
        text: &[u8],
        charset: Option<&str>,
        (collation, fixed): (&str, bool),
        missing: &mut Missing,
    ) -> Found {
        let charset = charset.unwrap_or(self.charset).to_ascii_lowercase();
        let wide = ["ucs2", "utf16", "utf16le", "utf32"].contains(&charset.as_str());
        let trims = fixed || pads(collation);
        if wide && trims {
            return Found::Unknown;
        }
        let text = if trims { trim_end(text) } else { text };
        let key = WeightKey { text: text.to_vec(), charset, collation: collation.to_owned() };
        match self.facts.weights.get(&key) {
            Some(weight) => Found::Key(Key::Bytes(weight.to_vec())),
            None => {
                if !missing.weights.contains(&key) {
                    missing.weights.push(key);
                }
                Found::Unknown
            }
        }
    }

    /// The weight strings that an algorithm needs to compare with keys of `class`.
    pub(super) fn rule_weights(
        &self,
        algorithm: &Algorithm,
        class: &ColumnClass,
        missing: &mut Missing,
    ) -> Weights {
        let ColumnClass::Text { collation, fixed } = class else { return Weights::Binary };
        let mut known = HashMap::new();
        for text in algorithm.texts() {
            let found = self.weight(text.as_bytes(), Some("utf8mb4"), (collation, *fixed), missing);
            if let Found::Key(Key::Bytes(weight)) = found {
                known.insert(text.to_owned(), weight);
            }
        }
        Weights::Known(known)
    }
}

/// Trailing spaces do not count in comparisons.
pub(super) fn pads(collation: &str) -> bool {
    !(collation.contains("_0900_") || collation.contains("nopad") || collation == "binary")
}

fn trim_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
    text.get(..end).unwrap_or_default()
}

fn number(text: &str) -> Found {
    Key::number(text).map_or(Found::Unknown, Found::Key)
}

/// A value compared with an integer column.
fn integer(value: &Literal) -> Found {
    match value {
        Literal::Bool(value) => Found::Key(Key::Int((*value).into())),
        Literal::Integer(text) => number(text),
        Literal::Decimal(text) => match Key::number(text) {
            Some(key @ Key::Int(_)) => Found::Key(key),
            Some(Key::Decimal(_)) => Found::Nothing,
            Some(Key::Null | Key::Bytes(_) | Key::Time(_)) | None => Found::Unknown,
        },
        // Compared as floating point numbers: exact as far as they are.
        Literal::Float(text) => match text.parse::<f64>() {
            Ok(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
                Found::Key(Key::Int(number as i128))
            }
            Ok(_) | Err(_) => Found::Unknown,
        },
        Literal::String { bytes, .. } => match std::str::from_utf8(trim_end(bytes)) {
            Ok(text) if is_plain_integer(text) => number(text),
            Ok(_) | Err(_) => Found::Unknown,
        },
        Literal::Null | Literal::Hex { .. } | Literal::Bit { .. } | Literal::Temporal { .. } => {
            Found::Unknown
        }
    }
}

fn is_plain_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.len() <= 19 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn year(value: &Literal) -> Found {
    match integer(value) {
        Found::Key(Key::Int(year)) if (1901..=2155).contains(&year) => Found::Key(Key::Int(year)),
        Found::Key(_) | Found::Nothing | Found::Unknown => Found::Unknown,
    }
}

/// A value compared with a DATE or DATETIME column.
fn moment(value: &Literal) -> Found {
    let text = match value {
        Literal::String { bytes, .. } => std::str::from_utf8(bytes).unwrap_or_default(),
        Literal::Temporal { kind: TemporalKind::Date | TemporalKind::Timestamp, text } => text,
        Literal::Temporal { kind: TemporalKind::Time, .. }
        | Literal::Null
        | Literal::Bool(_)
        | Literal::Integer(_)
        | Literal::Decimal(_)
        | Literal::Float(_)
        | Literal::Hex { .. }
        | Literal::Bit { .. } => return Found::Unknown,
    };
    match Key::time(text) {
        // Servers round to microseconds.
        Some(Key::Time(time)) if time.subsec_nanosecond() % 1000 == 0 => {
            Found::Key(Key::Time(time))
        }
        Some(_) | None => Found::Unknown,
    }
}

/// A value compared with a binary column.
fn bytes(value: &Literal) -> Found {
    match value {
        Literal::String { bytes, .. } | Literal::Hex { bytes, .. } | Literal::Bit { bytes, .. } => {
            Found::Key(Key::Bytes(bytes.clone()))
        }
        Literal::Null
        | Literal::Bool(_)
        | Literal::Integer(_)
        | Literal::Decimal(_)
        | Literal::Float(_)
        | Literal::Temporal { .. } => Found::Unknown,
    }
}

fn padded(mut bytes: Vec<u8>, length: Option<u32>) -> Found {
    if let Some(length) = length {
        let length = length as usize;
        if bytes.len() > length {
            return Found::Unknown;
        }
        bytes.resize(length, 0);
    }
    Found::Key(Key::Bytes(bytes))
}

/// An integer as a character column stores it.
fn digits(value: &Literal) -> Option<String> {
    match value {
        Literal::Bool(value) => Some(u8::from(*value).to_string()),
        Literal::Integer(text) => text.parse::<i128>().ok().map(|number| number.to_string()),
        Literal::Null
        | Literal::Decimal(_)
        | Literal::Float(_)
        | Literal::String { .. }
        | Literal::Hex { .. }
        | Literal::Bit { .. }
        | Literal::Temporal { .. } => None,
    }
}

/// A decimal that is stored as it is: it has at most `scale` digits after the point.
fn scaled(text: &str, scale: u8) -> Found {
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
    let exact = fraction.trim_end_matches('0').len() <= scale.into();
    if exact && !text.contains(['e', 'E']) { number(text) } else { Found::Unknown }
}

/// The moment has at most `fraction` digits of a second.
fn fits(time: jiff::civil::DateTime, fraction: u8) -> bool {
    let unit = 10_i32.pow(9 - u32::from(fraction.min(6)));
    time.subsec_nanosecond() % unit == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, class: &ColumnClass, compared: &str, stored: &str) {
        let sql = format!("SELECT {value}");
        let statement = crate::sql::parse(sql.as_bytes(), &crate::sql::Mode::default()).unwrap();
        let mut literal = None;
        crate::sql::walk::statement(&statement, &mut |node| {
            if let crate::sql::walk::Node::Expr(expr) = node
                && let crate::sql::expr::ExprKind::Literal(found) = &expr.kind
            {
                literal = Some(found.clone());
            }
        });
        let (catalog, facts) = (Catalog::default(), Facts::default());
        let run = Run {
            catalog: &catalog,
            facts: &facts,
            params: &[],
            charset: "utf8mb4",
            cluster: None,
            hidden: None,
        };
        let words = |found: Found| match found {
            Found::Key(key) => key.to_string(),
            Found::Nothing => "nothing".into(),
            Found::Unknown => "unknown".into(),
        };
        let literal = literal.unwrap();
        let mut missing = Missing::default();
        assert_eq!(words(run.compared(&literal, class, &mut missing)), compared, "{value}");
        assert_eq!(words(run.stored(&literal, class, &mut missing)), stored, "{value}");
    }

    #[test]
    fn integers() {
        let class = ColumnClass::Integer { unsigned: false };
        for one in ["1", "1.0", "1e0", "'1'", "' 1'", "TRUE", "'1 '"] {
            let expect = if one == "' 1'" { "unknown" } else { "1" };
            check(one, &class, expect, expect);
        }
        check("1.5", &class, "nothing", "unknown");
        check("NULL", &class, "nothing", "NULL");
        check("'1a'", &class, "unknown", "unknown");
        check("0x31", &class, "unknown", "unknown");
        check("9007199254740993e0", &class, "unknown", "unknown");
        check("'7234567890123456789'", &class, "7234567890123456789", "7234567890123456789");
        check("-1", &ColumnClass::Integer { unsigned: true }, "-1", "unknown");
    }

    #[test]
    fn others() {
        check("1.50", &ColumnClass::Decimal { scale: 1 }, "1.5", "1.5");
        check("1.55", &ColumnClass::Decimal { scale: 1 }, "1.55", "unknown");
        check(
            "'2026-01-02 10:00'",
            &ColumnClass::Date,
            "'2026-01-02 10:00:00'",
            "'2026-01-02 00:00:00'",
        );
        let class = ColumnClass::DateTime { fraction: 3 };
        check(
            "'2026-01-02 10:00:00.5'",
            &class,
            "'2026-01-02 10:00:00.5'",
            "'2026-01-02 10:00:00.5'",
        );
        check("'2026-01-02 10:00:00.0001'", &class, "'2026-01-02 10:00:00.0001'", "unknown");
        check("'2026-01-02 10:00:00.0000001'", &class, "unknown", "unknown");
        check("'2026-1-2'", &class, "unknown", "unknown");
        check("20260102", &class, "unknown", "unknown");
        check("'ab'", &ColumnClass::VarBinary, "'ab'", "'ab'");
        check("'ab'", &ColumnClass::Binary { length: 3 }, "'ab'", "0x616200");
        check("1", &ColumnClass::Float, "unknown", "unknown");
        check("1", &ColumnClass::Timestamp, "unknown", "unknown");
    }

    #[test]
    fn trailing_spaces_count_only_without_padding() {
        let (catalog, facts) = (Catalog::default(), Facts::default());
        let run = Run {
            catalog: &catalog,
            facts: &facts,
            params: &[],
            charset: "utf8mb4",
            cluster: None,
            hidden: None,
        };
        let text = Literal::String { bytes: b"a ".to_vec(), charset: None };
        for (collation, expect) in
            [("utf8mb4_general_ci", "a"), ("utf8mb4_0900_ai_ci", "a "), ("latin1_swedish_ci", "a")]
        {
            let class = ColumnClass::Text { collation: collation.into(), fixed: false };
            let mut missing = Missing::default();
            assert_eq!(run.compared(&text, &class, &mut missing), Found::Unknown);
            assert_eq!(missing.weights.first().unwrap().text, expect.as_bytes());
        }
    }
}
