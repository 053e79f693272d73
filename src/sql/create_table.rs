//! Columns as CREATE TABLE statements define them, for planning without a server.

use sqlparser::ast;
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;

use super::mode::Mode;
use super::scanner::{scan, syntax_error};
use super::script;
use super::token::{Token, TokenKind};
use crate::error::{Error, ErrorKind, Result};

/// The charset of columns whose table names none.
const CHARSET: &str = "utf8mb4";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDefinition {
    pub schema: Option<String>,
    pub name: String,
    pub columns: Vec<ColumnDefinition>,
}

/// A column in the words of `information_schema.COLUMNS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDefinition {
    pub name: String,
    /// Such as `varchar`.
    pub data_type: String,
    pub unsigned: bool,
    /// The first number in the parentheses of the type: a length, a precision, digits of fractions.
    pub length: Option<u32>,
    /// Digits after the point of a DECIMAL.
    pub scale: u8,
    /// None: not a text, or one that compares by its bytes.
    pub collation: Option<String>,
    pub auto_increment: bool,
    pub invisible: bool,
    /// Part of the primary key.
    pub primary: bool,
}

/// The tables that a script creates; its other statements are passed over.
///
/// # Errors
/// A CREATE TABLE statement that cannot be read, or that lists no columns.
pub fn definitions(script: &str) -> Result<Vec<TableDefinition>> {
    let mode = Mode::default();
    let mut definitions = Vec::new();
    for statement in script::statements(script, &mode)? {
        let tokens = scan(statement.as_bytes(), &mode)?.tokens;
        if is_create_table(statement, &tokens) {
            definitions.push(definition(statement, &tokens)?);
        }
    }
    Ok(definitions)
}

fn is_create_table(statement: &str, tokens: &[Token]) -> bool {
    let mut words = tokens.iter().map(|token| word(statement, token));
    words.next().is_some_and(|word| word == "CREATE")
        && words.find(|word| word != "TEMPORARY").is_some_and(|word| word == "TABLE")
}

fn definition(statement: &str, tokens: &[Token]) -> Result<TableDefinition> {
    let end = end_of_columns(tokens)
        .ok_or_else(|| syntax_error(statement.as_bytes(), statement.len()))?;
    let (head, options) = tokens.split_at(end + 1);
    let collation = table_collation(statement, options);
    // The parser sees the columns alone: it knows fewer options of tables than servers do.
    let until = head.last().map_or(0, |token| token.span.range().end);
    let text = statement.get(..until).unwrap_or_default();
    let parsed = Parser::parse_sql(&MySqlDialect {}, text).map_err(|error| {
        let name = text.lines().find(|line| line.contains("CREATE")).unwrap_or_default();
        Error::new(ErrorKind::Syntax, format!("cannot read `{name}`")).with_source(error)
    })?;
    let Some(ast::Statement::CreateTable(table)) = parsed.into_iter().next() else {
        return Err(syntax_error(statement.as_bytes(), 0));
    };
    let mut names: Vec<String> = table.name.0.iter().map(part_name).collect();
    let name = names.pop().unwrap_or_default();
    let mut columns: Vec<ColumnDefinition> =
        table.columns.iter().map(|column| column_definition(column, &collation)).collect();
    for constraint in &table.constraints {
        if let ast::TableConstraint::PrimaryKey(key) = constraint {
            let named: Vec<String> = key.columns.iter().map(|it| it.column.to_string()).collect();
            let is_named = |column: &ColumnDefinition| {
                named.iter().any(|name| name.trim_matches('`').eq_ignore_ascii_case(&column.name))
            };
            columns.iter_mut().for_each(|column| column.primary |= is_named(column));
        }
    }
    Ok(TableDefinition { schema: names.pop(), name, columns })
}

/// The parenthesis that ends the list of columns.
fn end_of_columns(tokens: &[Token]) -> Option<usize> {
    let mut depth = 0_u32;
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::LeftParen => depth += 1,
            TokenKind::RightParen => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    None
}

/// The collation that the options of a table give to its columns.
fn table_collation(statement: &str, options: &[Token]) -> String {
    let words: Vec<String> = options
        .iter()
        .filter(|token| token.kind != TokenKind::Eq)
        .map(|token| word(statement, token))
        .collect();
    let after = |name: &[&str]| {
        let is_named = |window: &&[String]| window.iter().zip(name).all(|(a, b)| a == b);
        let found = words.windows(name.len() + 1).find(is_named)?;
        found.last().map(|word| word.to_lowercase())
    };
    let charset = after(&["CHARSET"]).or_else(|| after(&["CHARACTER", "SET"]));
    after(&["COLLATE"]).unwrap_or_else(|| default_collation(charset.as_deref().unwrap_or(CHARSET)))
}

/// The text of a token in upper case, without quotes.
fn word(statement: &str, token: &Token) -> String {
    let text = statement.get(token.span.range()).unwrap_or_default();
    text.trim_matches(['`', '\'', '"']).to_uppercase()
}

fn part_name(part: &ast::ObjectNamePart) -> String {
    match part {
        ast::ObjectNamePart::Identifier(ident) => ident.value.clone(),
        ast::ObjectNamePart::Function(function) => function.to_string(),
    }
}

fn column_definition(column: &ast::ColumnDef, table_collation: &str) -> ColumnDefinition {
    let shown = column.data_type.to_string().to_lowercase();
    let name = shown.split(['(', ' ']).next().unwrap_or_default();
    let mut numbers = shown
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .map_or("", |(inside, _)| inside)
        .split(',')
        .map(|number| number.trim().parse().ok());
    let data_type = data_type(name, &shown);
    let mut made = ColumnDefinition {
        name: column.name.value.clone(),
        unsigned: shown.contains("unsigned") || name == "serial",
        length: numbers.next().flatten(),
        scale: numbers.next().flatten().and_then(|scale| u8::try_from(scale).ok()).unwrap_or(0),
        collation: None,
        auto_increment: name == "serial",
        invisible: false,
        primary: false,
        data_type: data_type.to_owned(),
    };
    let (mut charset, mut collation) = (None, None);
    for option in &column.options {
        match &option.option {
            ast::ColumnOption::CharacterSet(name) => charset = Some(last_name(name)),
            ast::ColumnOption::Collation(name) => collation = Some(last_name(name)),
            ast::ColumnOption::Invisible => made.invisible = true,
            ast::ColumnOption::PrimaryKey(_) => made.primary = true,
            ast::ColumnOption::DialectSpecific(tokens) => {
                made.auto_increment |= tokens
                    .iter()
                    .any(|token| token.to_string().eq_ignore_ascii_case("auto_increment"));
            }
            _ => {}
        }
    }
    if is_text(data_type) {
        let charset = charset.as_deref().map(default_collation);
        let collation = collation.or(charset).unwrap_or_else(|| table_collation.to_owned());
        made.collation = Some(collation).filter(|collation| collation != "binary");
    }
    made
}

fn last_name(name: &ast::ObjectName) -> String {
    name.0.last().map(part_name).unwrap_or_default().to_lowercase()
}

fn is_text(data_type: &str) -> bool {
    matches!(data_type, "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext")
}

/// The name that servers give a type.
fn data_type<'a>(name: &'a str, shown: &str) -> &'a str {
    match name {
        "integer" | "int4" => "int",
        "int1" | "bool" | "boolean" => "tinyint",
        "int2" => "smallint",
        "int3" | "middleint" => "mediumint",
        "int8" | "serial" | "signed" => "bigint",
        "dec" | "numeric" | "fixed" => "decimal",
        "float4" => "float",
        "float8" | "real" => "double",
        "character" | "char" | "nchar" if shown.contains("varying") => "varchar",
        "character" | "nchar" => "char",
        "nvarchar" => "varchar",
        name => name,
    }
}

/// The collation that a charset has by default.
fn default_collation(charset: &str) -> String {
    match charset {
        "utf8mb4" => "utf8mb4_0900_ai_ci".to_owned(),
        "utf8" => "utf8mb3_general_ci".to_owned(),
        "latin1" => "latin1_swedish_ci".to_owned(),
        "binary" => "binary".to_owned(),
        other => format!("{other}_general_ci"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows each column as `name type collation` and its flags.
    fn check(script: &str, expect: &str) {
        let shown = definitions(script).unwrap().into_iter().map(|table| {
            let columns = table.columns.iter().map(|column| {
                let mut text = format!("{} {}", column.name, column.data_type);
                if let Some(length) = column.length {
                    text.push_str(&format!("({length},{})", column.scale));
                }
                for (flag, is_set) in [
                    (" unsigned", column.unsigned),
                    (" auto_increment", column.auto_increment),
                    (" invisible", column.invisible),
                ] {
                    text.push_str(if is_set { flag } else { "" });
                }
                format!("{text} {}", column.collation.as_deref().unwrap_or("-"))
            });
            let columns: Vec<String> = columns.collect();
            format!("{}: {}", table.name, columns.join("; "))
        });
        assert_eq!(shown.collect::<Vec<_>>().join(" / "), expect);
    }

    #[test]
    fn reads_columns() {
        check(
            "CREATE TABLE t (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, n DECIMAL(10, 2), \
             at DATETIME(6), KEY (n))",
            "t: id bigint unsigned auto_increment -; n decimal(10,2) -; at datetime(6,0) -",
        );
        check(
            "CREATE TABLE `T x` (e ENUM('a','b'), y YEAR, g INTEGER, r DOUBLE PRECISION, j JSON)",
            "T x: e enum -; y year -; g int -; r double -; j json -",
        );
    }

    #[test]
    fn finds_collations() {
        check("CREATE TABLE t (a TEXT)", "t: a text utf8mb4_0900_ai_ci");
        check(
            "CREATE TABLE t (a CHAR(3), b VARCHAR(5) COLLATE utf8mb4_bin, \
             c TEXT CHARACTER SET binary) ENGINE=InnoDB DEFAULT CHARSET=latin1 ROW_FORMAT=DYNAMIC",
            "t: a char(3,0) latin1_swedish_ci; b varchar(5,0) utf8mb4_bin; c text -",
        );
        check(
            "CREATE TABLE t (a TEXT) COLLATE utf8mb4_unicode_ci PARTITION BY HASH (a)",
            "t: a text utf8mb4_unicode_ci",
        );
    }

    #[test]
    fn passes_over_the_rest() {
        check("-- a; b\nDROP TABLE t; INSERT INTO t VALUES (1); USE shop", "");
        assert!(definitions("CREATE TABLE t (a INT").is_err());
        assert!(definitions("CREATE TABLE t LIKE u").is_err());
    }

    #[test]
    fn reads_the_sample_tables() {
        assert_eq!(definitions(include_str!("../../rules/shop.sql")).unwrap().len(), 11);
    }
}
