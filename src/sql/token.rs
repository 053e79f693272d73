//! What the scanner finds.

use super::span::Span;

/// A token and where it stands. Its text is read from the statement when needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A keyword or an unquoted identifier.
    Word,
    /// An identifier in backticks, or in double quotes under ANSI_QUOTES.
    Quoted,
    /// `'...'` or `"..."`, one of possibly several adjacent ones.
    String,
    /// `N'...'`
    NationalString,
    /// `0x41`, `x'41'`
    Hex,
    /// `0b01`, `b'01'`
    Bit,
    Integer,
    Decimal,
    Float,
    /// `@a`, ``@`a` ``, `@'a'`; a bare `@` has an empty name.
    UserVariable,
    /// `@@a`, `@@session.a`
    SystemVariable,
    /// `?`
    Param,
    LeftParen,
    RightParen,
    LeftBrace,
    RightBrace,
    Comma,
    Dot,
    Semicolon,
    Colon,
    /// `:=`
    Assign,
    Eq,
    /// `<=>`
    NullSafeEq,
    NotEq,
    Lt,
    LtEq,
    Gt,
    GtEq,
    ShiftLeft,
    ShiftRight,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Ampersand,
    /// `&&`
    AndAnd,
    Pipe,
    /// `||`
    PipePipe,
    Caret,
    Tilde,
    Bang,
    /// `->`
    Arrow,
    /// `->>`
    LongArrow,
    /// After the last token; its span is empty.
    End,
}
