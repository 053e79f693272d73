//! Operators, by MySQL's precedences.

use crate::error::Result;

use super::super::expr::{Comparison, Expr, ExprKind, Literal};
use super::super::query::Query;
use super::super::token::TokenKind;
use super::cursor::Parser;

/// How tightly an operator binds; higher is tighter. [`level`] has one name a level of MySQL's grammar.
type Level = u8;

mod level {
    use super::Level;
    pub(super) const LOWEST: Level = 0;
    pub(super) const OR: Level = 1;
    pub(super) const XOR: Level = 2;
    pub(super) const AND: Level = 3;
    pub(super) const NOT: Level = 4;
    /// Comparisons and IS.
    pub(super) const COMPARISON: Level = 5;
    /// IN, BETWEEN, LIKE, REGEXP, MEMBER OF.
    pub(super) const PREDICATE: Level = 6;
    pub(super) const BIT_OR: Level = 7;
    pub(super) const BIT_AND: Level = 8;
    pub(super) const SHIFT: Level = 9;
    pub(super) const SUM: Level = 10;
    pub(super) const PRODUCT: Level = 11;
    pub(super) const BIT_XOR: Level = 12;
    /// `||` under PIPES_AS_CONCAT.
    pub(super) const CONCAT: Level = 13;
    /// Operands of `-`, `~`, `!` and BINARY.
    pub(super) const UNARY: Level = 14;
    pub(super) const COLLATE: Level = 15;
    /// `->` and `->>`.
    pub(super) const ARROW: Level = 16;
    /// Tighter than all: an operand.
    pub(super) const HIGHEST: Level = 17;
}

/// An operator behind an operand.
#[derive(Clone, Copy)]
enum Infix {
    Or,
    Xor,
    And,
    Compare(Comparison),
    Is,
    In,
    Between,
    Like,
    Regexp,
    SoundsLike,
    MemberOf,
    /// Left-associative and only of interest for its operands.
    Plain(&'static str),
    Collate,
    Arrow,
}

impl Parser<'_> {
    /// A whole expression.
    pub(super) fn expr(&mut self) -> Result<Expr> {
        self.expr_above(level::LOWEST)
    }

    /// An expression without predicates, comparisons and what binds looser: MySQL's `bit_expr`.
    pub(super) fn bit_expr(&mut self) -> Result<Expr> {
        self.expr_above(level::BIT_OR)
    }

    /// What stands behind a leading `INTERVAL 1 DAY +`: MySQL's grammar takes in comparisons there,
    /// but neither AND, XOR nor OR.
    pub(super) fn interval_base(&mut self) -> Result<Expr> {
        self.expr_above(level::NOT)
    }

    /// An expression of operators that bind at least as tightly as `min`.
    fn expr_above(&mut self, min: Level) -> Result<Expr> {
        self.nested(|parser| {
            let mut left = parser.prefix(min)?;
            // Operators that wrap the left operand once more; flattened ones do not.
            let mut wraps = 0;
            let mut last = level::HIGHEST;
            while let Some((infix, negated, level)) = parser.infix_ahead() {
                if level < min {
                    break;
                }
                // `a LIKE b NOT LIKE c` and `a IS NULL + 1` are errors in MySQL, and MariaDB does not
                // read all of them from left to right.
                let predicate = last == level::PREDICATE && level == level::PREDICATE;
                let looser = matches!(last, level::COMPARISON | level::PREDICATE) && level > last;
                if predicate || looser {
                    return Err(parser.error());
                }
                last = level;
                if !matches!(infix, Infix::And | Infix::Or | Infix::Plain(_)) {
                    wraps += 1;
                }
                parser.check_chain(wraps)?;
                left = parser.infix(left, infix, negated, level)?;
            }
            Ok(left)
        })
    }

    /// The operator at the current token, whether NOT stands before it, and its level.
    fn infix_ahead(&self) -> Option<(Infix, bool, Level)> {
        use TokenKind as K;
        let plain = |what, level| Some((Infix::Plain(what), false, level));
        let compare = |op| Some((Infix::Compare(op), false, level::COMPARISON));
        match self.peek().kind {
            K::Word => self.infix_word(),
            K::PipePipe if self.mode.pipes_as_concat => {
                Some((Infix::Plain("concatenation"), false, level::CONCAT))
            }
            K::PipePipe => Some((Infix::Or, false, level::OR)),
            K::AndAnd => Some((Infix::And, false, level::AND)),
            K::Eq => compare(Comparison::Eq),
            K::NullSafeEq => compare(Comparison::NullSafeEq),
            K::NotEq => compare(Comparison::NotEq),
            K::Lt => compare(Comparison::Lt),
            K::LtEq => compare(Comparison::LtEq),
            K::Gt => compare(Comparison::Gt),
            K::GtEq => compare(Comparison::GtEq),
            K::Pipe => plain("bitwise or", level::BIT_OR),
            K::Ampersand => plain("bitwise and", level::BIT_AND),
            K::ShiftLeft | K::ShiftRight => plain("shift", level::SHIFT),
            K::Plus | K::Minus => plain("sum", level::SUM),
            K::Star | K::Slash | K::Percent => plain("product", level::PRODUCT),
            K::Caret => plain("bitwise xor", level::BIT_XOR),
            K::Arrow | K::LongArrow => Some((Infix::Arrow, false, level::ARROW)),
            _ => None,
        }
    }

    fn infix_word(&self) -> Option<(Infix, bool, Level)> {
        let negated = self.at_kw("NOT");
        let ahead = usize::from(negated);
        let predicate = |infix| Some((infix, negated, level::PREDICATE));
        if self.nth_kw(ahead, "IN") {
            return predicate(Infix::In);
        }
        if self.nth_kw(ahead, "BETWEEN") {
            return predicate(Infix::Between);
        }
        if self.nth_kw(ahead, "LIKE") {
            return predicate(Infix::Like);
        }
        if self.nth_kw(ahead, "REGEXP") || self.nth_kw(ahead, "RLIKE") {
            return predicate(Infix::Regexp);
        }
        if negated {
            return None;
        }
        let rest: [(&[&str], Infix, Level); 9] = [
            (&["AND"], Infix::And, level::AND),
            (&["OR"], Infix::Or, level::OR),
            (&["IS"], Infix::Is, level::COMPARISON),
            (&["XOR"], Infix::Xor, level::XOR),
            (&["DIV"], Infix::Plain("product"), level::PRODUCT),
            (&["MOD"], Infix::Plain("product"), level::PRODUCT),
            (&["COLLATE"], Infix::Collate, level::COLLATE),
            (&["SOUNDS", "LIKE"], Infix::SoundsLike, level::PREDICATE),
            (&["MEMBER", "OF"], Infix::MemberOf, level::PREDICATE),
        ];
        rest.into_iter()
            .find(|(words, ..)| self.at_kws(words))
            .map(|(_, infix, level)| (infix, false, level))
    }

    /// Parses what follows `left`; the operator is still ahead.
    fn infix(&mut self, left: Expr, infix: Infix, negated: bool, level: Level) -> Result<Expr> {
        let start = left.span.start;
        if negated {
            self.bump();
        }
        self.bump();
        let kind = match infix {
            Infix::Or => {
                let right = self.expr_above(level + 1)?;
                ExprKind::Or(flatten(left, right, |kind| match kind {
                    ExprKind::Or(list) => Ok(list),
                    other => Err(other),
                }))
            }
            Infix::And => {
                let right = self.expr_above(level + 1)?;
                ExprKind::And(flatten(left, right, |kind| match kind {
                    ExprKind::And(list) => Ok(list),
                    other => Err(other),
                }))
            }
            Infix::Xor => {
                let right = self.expr_above(level + 1)?;
                other("XOR", vec![left, right])
            }
            Infix::Compare(op) => self.comparison(left, op)?,
            Infix::Is => self.is(left)?,
            Infix::In => self.in_list(left, negated)?,
            Infix::Between => {
                let low = self.expr_above(level::BIT_OR)?;
                self.expect_kw("AND")?;
                let high = self.expr_above(level::PREDICATE)?;
                let (expr, low, high) = (Box::new(left), Box::new(low), Box::new(high));
                ExprKind::Between { expr, low, high, negated }
            }
            Infix::Like => self.like(left)?,
            Infix::Regexp => other("REGEXP", vec![left, self.expr_above(level::BIT_OR)?]),
            Infix::SoundsLike => {
                self.expect_kw("LIKE")?;
                other("SOUNDS LIKE", vec![left, self.expr_above(level::BIT_OR)?])
            }
            Infix::MemberOf => {
                self.expect_kw("OF")?;
                self.expect(TokenKind::LeftParen)?;
                let list = self.expr()?;
                self.expect(TokenKind::RightParen)?;
                other("MEMBER OF", vec![left, list])
            }
            Infix::Plain(what) => {
                // `a + INTERVAL 1 DAY * b` is `(a + INTERVAL 1 DAY) * b`: the unit ends the sum.
                let interval = what == "sum" && self.interval_ahead();
                let right =
                    if interval { self.interval_amount()? } else { self.expr_above(level + 1)? };
                plain(what, left, right)
            }
            Infix::Collate => {
                if self.at(TokenKind::String) || self.at_kw("BINARY") {
                    self.bump();
                } else {
                    self.name()?;
                }
                other("COLLATE", vec![left])
            }
            Infix::Arrow => other("JSON path", vec![left, self.string_literal()?]),
        };
        Ok(Expr { span: self.span_from(start), kind })
    }

    fn comparison(&mut self, left: Expr, op: Comparison) -> Result<ExprKind> {
        if self.at_any_kw(&["ALL", "ANY", "SOME"]) && self.query_in_parens_at(1) {
            self.bump();
            let query = self.subquery()?;
            return Ok(other_with("quantified comparison", vec![left], vec![query]));
        }
        let right = self.expr_above(level::PREDICATE)?;
        Ok(ExprKind::Compare { op, left: Box::new(left), right: Box::new(right) })
    }

    fn is(&mut self, left: Expr) -> Result<ExprKind> {
        let negated = self.accept_kw("NOT");
        if self.accept_kw("NULL") {
            return Ok(ExprKind::IsNull { expr: Box::new(left), negated });
        }
        if self.accept_any_kw(&["TRUE", "FALSE", "UNKNOWN"]) {
            return Ok(other("IS TRUE, FALSE or UNKNOWN", vec![left]));
        }
        Err(self.error())
    }

    fn in_list(&mut self, left: Expr, negated: bool) -> Result<ExprKind> {
        let expr = Box::new(left);
        if self.query_in_parens_at(0) {
            let query = Box::new(self.subquery()?);
            return Ok(ExprKind::InQuery { expr, query, negated });
        }
        self.expect(TokenKind::LeftParen)?;
        let list = self.comma_separated(Self::expr)?;
        self.expect(TokenKind::RightParen)?;
        Ok(ExprKind::In { expr, list, negated })
    }

    fn like(&mut self, left: Expr) -> Result<ExprKind> {
        let mut children = vec![left, self.expr_above(level::BIT_OR)?];
        if self.accept_kw("ESCAPE") {
            children.push(self.expr_above(level::UNARY)?);
        }
        Ok(other("LIKE", children))
    }

    /// An operand with the operators before it.
    fn prefix(&mut self, min: Level) -> Result<Expr> {
        let start = self.start();
        match self.peek().kind {
            TokenKind::Minus => return self.signed(true),
            TokenKind::Plus => return self.signed(false),
            TokenKind::Tilde => {
                self.bump();
                let kind = other("~", vec![self.expr_above(level::UNARY)?]);
                return Ok(Expr { span: self.span_from(start), kind });
            }
            TokenKind::Bang => {
                self.bump();
                let operand = self.expr_above(level::UNARY)?;
                return Ok(Expr { span: self.span_from(start), kind: not(operand) });
            }
            _ => {}
        }
        if self.at_kw("NOT") && (min <= level::NOT || self.mode.high_not_precedence) {
            self.bump();
            let high = self.mode.high_not_precedence;
            let operand = self.expr_above(if high { level::UNARY } else { level::NOT })?;
            return Ok(Expr { span: self.span_from(start), kind: not(operand) });
        }
        if self.at_kw("BINARY") {
            self.bump();
            let kind = other("BINARY", vec![self.expr_above(level::UNARY)?]);
            return Ok(Expr { span: self.span_from(start), kind });
        }
        self.primary()
    }

    /// A sign and its operand; the sign of a bare number belongs to the literal.
    fn signed(&mut self, minus: bool) -> Result<Expr> {
        let start = self.bump().span.start;
        let number =
            matches!(self.peek().kind, TokenKind::Integer | TokenKind::Decimal | TokenKind::Float);
        let operand = self.expr_above(level::UNARY)?;
        let sign = if minus { "-" } else { "" };
        let kind = match operand.kind {
            ExprKind::Literal(Literal::Integer(text)) if number => {
                ExprKind::Literal(Literal::Integer(format!("{sign}{text}")))
            }
            ExprKind::Literal(Literal::Decimal(text)) if number => {
                ExprKind::Literal(Literal::Decimal(format!("{sign}{text}")))
            }
            ExprKind::Literal(Literal::Float(text)) if number => {
                ExprKind::Literal(Literal::Float(format!("{sign}{text}")))
            }
            kind => other("sign", vec![Expr { span: operand.span, kind }]),
        };
        Ok(Expr { span: self.span_from(start), kind })
    }
}

pub(super) fn other(what: &'static str, children: Vec<Expr>) -> ExprKind {
    other_with(what, children, Vec::new())
}

pub(super) fn other_with(what: &'static str, children: Vec<Expr>, queries: Vec<Query>) -> ExprKind {
    ExprKind::Other { what, children, queries }
}

/// NOT, with the negation of an EXISTS taken into it.
fn not(operand: Expr) -> ExprKind {
    match operand.kind {
        ExprKind::Exists { query, negated } => ExprKind::Exists { query, negated: !negated },
        kind => ExprKind::Not(Box::new(Expr { span: operand.span, kind })),
    }
}

/// The operands of an associative operator, those of operands of the same kind taken in.
fn flatten(
    left: Expr,
    right: Expr,
    list: fn(ExprKind) -> Result<Vec<Expr>, ExprKind>,
) -> Vec<Expr> {
    let mut operands = match list(left.kind) {
        Ok(operands) => operands,
        Err(kind) => vec![Expr { span: left.span, kind }],
    };
    match list(right.kind) {
        Ok(more) => operands.extend(more),
        Err(kind) => operands.push(Expr { span: right.span, kind }),
    }
    operands
}

/// An operator of which only the operands matter. A chain of one level such as `a + b - c` gives one
/// node, so that long chains do not nest.
fn plain(what: &'static str, left: Expr, right: Expr) -> ExprKind {
    let mut operands = match left.kind {
        ExprKind::Other { what: inner, children, queries }
            if inner == what && queries.is_empty() && !children.is_empty() =>
        {
            children
        }
        kind => vec![Expr { span: left.span, kind }],
    };
    operands.push(right);
    other(what, operands)
}
