//! The shape of a statement: its text without the values that only decide which rows are meant.
//!
//! Statements of one shape have the same bytes but for their *slots*: literals that stand where a value
//! is compared, listed or assigned. Which literals are slots is decided by the tokens around them, so a
//! shape costs one pass over the tokens. Everything else is kept byte for byte: what names a column
//! (`SELECT 1`), counts columns (`ORDER BY 1`), rows (`LIMIT 5`) or a unit of time, numbers in hexadecimal,
//! texts with an introducer, NULL, TRUE, comments and hints. So does every list its length.
//!
//! The tokens are those of the parser's own scanner, so the end of a literal is what it is for the parser
//! in every sql_mode. Since the tokens of two statements of one shape differ in nothing but the values
//! of their slots, so do their trees.

use smallvec::SmallVec;

use super::expr::Literal;
use super::literal;
use super::mode::Mode;
use super::scanner::Scan;
use super::span::Span;
use super::token::{Token, TokenKind};

/// What a statement looks like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// Equal for statements of one shape, schema and mode, and seldom for others.
    pub hash: u64,
    /// In the order of the text.
    pub slots: Slots,
}

pub type Slots = SmallVec<[Slot; 8]>;

/// A literal that may be another in another statement of the same shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// The literal, without a sign.
    pub span: Span,
    pub kind: SlotKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotKind {
    Integer,
    /// With a point.
    Decimal,
    /// With an exponent.
    Float,
    /// In quotes of either kind.
    Text,
}

/// More values than this are no shape: a plan for them is soon made, next to what they cost a server.
pub const SLOTS_MAX: usize = 512;
/// Nesting of parentheses.
const DEPTH_MAX: usize = 32;

impl Shape {
    /// The shape of a statement that was read in `mode` while `schema` was the current one. `seed` goes
    /// into the hash. None: no statement of data, or too much of one.
    pub fn of(
        text: &[u8],
        scan: &Scan,
        mode: Mode,
        (schema, seed): (Option<&str>, u64),
    ) -> Option<Self> {
        let mut finder = Finder::new(text);
        let first = scan.tokens.iter().find(|token| token.kind != TokenKind::LeftParen)?;
        if scan.conditional || !is_data(finder.slice(*first)) {
            return None;
        }
        for (index, token) in scan.tokens.iter().enumerate() {
            finder.read(&scan.tokens, index, *token)?;
        }
        let slots = finder.slots;
        let mut hash = Hash(seed ^ mode_bits(mode));
        hash.add(schema.unwrap_or_default().as_bytes());
        for gap in gaps(text, &slots) {
            hash.add(gap);
        }
        slots.iter().for_each(|slot| hash.mix(slot.kind as u64));
        Some(Self { hash: hash.0, slots })
    }
}

/// Two texts differ in nothing but the values of their slots.
pub fn alike(one: (&[u8], &[Slot]), other: (&[u8], &[Slot])) -> bool {
    one.1.len() == other.1.len()
        && one.1.iter().zip(other.1).all(|(a, b)| a.kind == b.kind)
        && gaps(one.0, one.1).eq(gaps(other.0, other.1))
}

/// The text around the slots, one piece more than there are slots.
fn gaps<'t>(text: &'t [u8], slots: &'t [Slot]) -> impl Iterator<Item = &'t [u8]> {
    let starts = std::iter::once(0).chain(slots.iter().map(|slot| slot.span.end as usize));
    let ends = slots.iter().map(|slot| slot.span.start as usize).chain(std::iter::once(text.len()));
    starts.zip(ends).map(|(start, end)| text.get(start..end).unwrap_or_default())
}

impl Slot {
    /// The value in a text of the slot's shape, as the parser reads it.
    pub fn value(&self, text: &[u8], mode: Mode, negative: bool) -> Literal {
        let raw = text.get(self.span.range()).unwrap_or_default();
        let digits = || {
            let digits = String::from_utf8_lossy(raw);
            if negative { format!("-{digits}") } else { digits.into_owned() }
        };
        match self.kind {
            SlotKind::Integer => Literal::Integer(digits()),
            SlotKind::Decimal => Literal::Decimal(digits()),
            SlotKind::Float => Literal::Float(digits()),
            SlotKind::Text => {
                let bytes = literal::unescape(raw, !mode.no_backslash_escapes, mode.charset);
                Literal::String { bytes, charset: None }
            }
        }
    }
}

/// Statements whose plans are worth keeping.
fn is_data(word: &[u8]) -> bool {
    ["SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE"]
        .iter()
        .any(|data| word.eq_ignore_ascii_case(data.as_bytes()))
}

fn mode_bits(mode: Mode) -> u64 {
    let Mode {
        ansi_quotes,
        no_backslash_escapes,
        pipes_as_concat,
        high_not_precedence,
        ignore_space,
        charset,
    } = mode;
    [ansi_quotes, no_backslash_escapes, pipes_as_concat, high_not_precedence, ignore_space]
        .iter()
        .fold(1 + charset as u64, |bits, set| bits << 1 | u64::from(*set))
}

/// What a pair of parentheses holds.
#[derive(Clone, Copy, Default)]
struct Level {
    /// Comparisons decide which rows are meant: WHERE, ON, SET.
    compares: bool,
    /// A list of values: `IN (...)`, a row of VALUES, a row of a list of rows.
    list: bool,
    /// Rows of VALUES stand here.
    rows: bool,
    /// BETWEEN still waits for its AND.
    between: bool,
}

struct Finder<'t> {
    text: &'t [u8],
    slots: Slots,
    /// By the depth of parentheses.
    levels: [Level; DEPTH_MAX],
    depth: usize,
    /// What the last token allows to follow.
    before: Before,
}

/// What a literal would follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Other,
    Literal,
    /// `=`, `<`, LIKE and so on, BETWEEN or its AND.
    Comparison,
    /// A minus behind one of these.
    Sign,
    /// `(` or `,`
    Listed,
    /// IN, VALUES
    ListWord,
}

impl<'t> Finder<'t> {
    fn new(text: &'t [u8]) -> Self {
        Self {
            text,
            slots: Slots::new(),
            levels: [Level::default(); DEPTH_MAX],
            depth: 0,
            before: Before::Other,
        }
    }

    fn slice(&self, token: Token) -> &'t [u8] {
        self.text.get(token.span.range()).unwrap_or_default()
    }

    fn level(&mut self) -> Option<&mut Level> {
        self.levels.get_mut(self.depth)
    }

    /// Notes a token. None: the statement is nested too deeply or has too many values.
    fn read(&mut self, tokens: &[Token], index: usize, token: Token) -> Option<()> {
        use TokenKind as K;
        self.before = match token.kind {
            K::Word => self.word(token)?,
            K::LeftParen => self.open()?,
            K::RightParen => {
                self.depth = self.depth.checked_sub(1)?;
                Before::Other
            }
            K::Comma => Before::Listed,
            // Of `1 = 0` and its like the values themselves count.
            K::Eq | K::NotEq | K::Lt | K::LtEq | K::Gt | K::GtEq
                if self.before != Before::Literal =>
            {
                Before::Comparison
            }
            K::Minus if self.before == Before::Comparison => Before::Sign,
            K::Integer => self.literal(tokens, index, SlotKind::Integer)?,
            K::Decimal => self.literal(tokens, index, SlotKind::Decimal)?,
            K::Float => self.literal(tokens, index, SlotKind::Float)?,
            K::String => self.literal(tokens, index, SlotKind::Text)?,
            _ => Before::Other,
        };
        Some(())
    }

    fn open(&mut self) -> Option<Before> {
        let above = *self.level()?;
        // `VALUES (`, `), (`, `IN (`, and the rows of `IN ((1, 2), (3, 4))`.
        let list = match self.before {
            Before::ListWord => true,
            Before::Listed => above.list || above.rows,
            Before::Other | Before::Literal | Before::Comparison | Before::Sign => false,
        };
        self.depth += 1;
        let level = self.level()?;
        *level = Level { compares: above.compares, list, rows: false, between: false };
        Some(if list { Before::Listed } else { Before::Other })
    }

    fn word(&mut self, token: Token) -> Option<Before> {
        let word = self.slice(token);
        let level = self.level()?;
        let Some(word) = Word::of(word) else { return Some(Before::Other) };
        Some(match word {
            Word::Compares => {
                *level = Level { compares: true, ..Level::default() };
                Before::Other
            }
            Word::Clause => {
                *level = Level::default();
                Before::Other
            }
            Word::Values => {
                *level = Level { rows: true, ..Level::default() };
                Before::ListWord
            }
            Word::In => Before::ListWord,
            Word::Like => Before::Comparison,
            Word::Between => {
                level.between = true;
                Before::Comparison
            }
            Word::And if std::mem::take(&mut level.between) => Before::Comparison,
            Word::And | Word::Or => Before::Other,
        })
    }

    fn literal(&mut self, tokens: &[Token], index: usize, kind: SlotKind) -> Option<Before> {
        let before = self.before;
        let level = *self.level()?;
        let is_slot = match before {
            Before::Comparison => level.compares && self.ends_operand(tokens, index, level),
            Before::Sign => {
                level.compares && kind != SlotKind::Text && self.ends_operand(tokens, index, level)
            }
            Before::Listed => {
                let next = tokens.get(index + 1).map(|next| next.kind);
                level.list && matches!(next, Some(TokenKind::Comma | TokenKind::RightParen))
            }
            Before::Other | Before::Literal | Before::ListWord => false,
        };
        if is_slot {
            if self.slots.len() >= SLOTS_MAX {
                return None;
            }
            let span = tokens.get(index)?.span;
            self.slots.push(Slot { span, kind });
        }
        Some(Before::Literal)
    }

    /// The token ends with its comparison: nothing binds its value to what follows.
    fn ends_operand(&self, tokens: &[Token], index: usize, level: Level) -> bool {
        let Some(next) = tokens.get(index + 1) else { return false };
        match next.kind {
            TokenKind::End | TokenKind::Semicolon | TokenKind::RightParen | TokenKind::Comma => {
                !level.between
            }
            TokenKind::Word => match Word::of(self.slice(*next)) {
                Some(Word::And) => true,
                Some(Word::Or | Word::Clause | Word::Compares) => !level.between,
                Some(Word::Values | Word::In | Word::Like | Word::Between) | None => false,
            },
            _ => false,
        }
    }
}

/// Words that say what values around them are for. A column that is called so only makes another shape.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    /// WHERE, ON, SET
    Compares,
    /// Another clause begins, in which values mean something else.
    Clause,
    /// VALUES, VALUE
    Values,
    In,
    Like,
    Between,
    And,
    Or,
}

impl Word {
    fn of(word: &[u8]) -> Option<Self> {
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        let any = |names: &[&str]| names.iter().any(|name| is(name));
        match word.len() {
            2 if is("IN") => Some(Self::In),
            2 if is("OR") => Some(Self::Or),
            2 if is("ON") => Some(Self::Compares),
            3 if is("AND") => Some(Self::And),
            3 if is("SET") => Some(Self::Compares),
            3 if is("FOR") => Some(Self::Clause),
            4 if is("LIKE") => Some(Self::Like),
            4 if any(&["FROM", "INTO", "LOCK"]) => Some(Self::Clause),
            5 if is("WHERE") => Some(Self::Compares),
            5 if is("VALUE") => Some(Self::Values),
            5 if any(&["ORDER", "GROUP", "LIMIT", "UNION"]) => Some(Self::Clause),
            6 if is("VALUES") => Some(Self::Values),
            6 if any(&["SELECT", "HAVING", "WINDOW", "OFFSET", "EXCEPT"]) => Some(Self::Clause),
            7 if is("BETWEEN") => Some(Self::Between),
            9 if any(&["RETURNING", "INTERSECT"]) => Some(Self::Clause),
            _ => None,
        }
    }
}

/// A fast hash: each eight bytes are multiplied into 128 bits, whose halves are joined.
struct Hash(u64);

impl Hash {
    fn mix(&mut self, value: u64) {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let product = u128::from(self.0 ^ value ^ FACTOR) * u128::from(FACTOR.rotate_left(17) | 1);
        self.0 = (product as u64) ^ (product >> 64) as u64;
    }

    fn add(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.mix(u64::from_le_bytes(*word)));
        let mut last = [0; 8];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.mix(u64::from_le_bytes(last));
        self.mix(bytes.len() as u64);
    }
}

#[cfg(test)]
mod tests;
