//! Rows about the views that Margay keeps, of which servers know nothing.

use std::sync::Arc;

use bytes::Bytes;

use super::fold::Row;
use crate::plan::views::View;

/// A view as information_schema tells of it.
#[derive(Debug, Clone)]
pub struct ShownView {
    pub view: Arc<View>,
    /// Empty if nobody asks for them.
    pub columns: Vec<ShownColumn>,
}

/// A column, as SHOW FULL COLUMNS has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShownColumn {
    name: String,
    /// `varchar(20)`
    ty: String,
    collation: Option<String>,
    nullable: String,
    default: Option<String>,
    privileges: String,
    comment: String,
}

impl ShownColumn {
    /// From a row of SHOW FULL COLUMNS.
    pub fn of(row: &[Option<Vec<u8>>]) -> Self {
        let cell = |index: usize| {
            row.get(index)?.as_ref().map(|cell| String::from_utf8_lossy(cell).into_owned())
        };
        let text = |index: usize| cell(index).unwrap_or_default();
        Self {
            name: text(0),
            ty: text(1),
            collation: cell(2),
            nullable: text(3),
            default: cell(5),
            privileges: text(7),
            comment: text(8),
        }
    }

    /// A value of information_schema.COLUMNS beside those that all tables have. `expressions`: defaults
    /// are shown as expressions.
    fn value(&self, column: &str, position: usize, expressions: bool) -> Option<String> {
        let (name, rest) = self.ty.split_once('(').unwrap_or((&self.ty, ""));
        let data_type = name.split(' ').next().unwrap_or_default();
        let numbers = rest.split_once(')').map_or("", |(numbers, _)| numbers);
        let number =
            |index: usize| -> Option<u64> { numbers.split(',').nth(index)?.trim().parse().ok() };
        let is_text = matches!(data_type, "char" | "varchar" | "binary" | "varbinary");
        let is_moment = matches!(data_type, "datetime" | "timestamp" | "time");
        let charset = || Some(self.collation.as_ref()?.split('_').next()?.to_owned());
        let width = |charset: String| if charset.starts_with("utf8mb4") { 4 } else { 1 };
        let told = |number: Option<u64>| number.map(|number| number.to_string());
        match column {
            "COLUMN_NAME" => Some(self.name.clone()),
            "ORDINAL_POSITION" => Some(position.to_string()),
            "COLUMN_DEFAULT" if expressions => match &self.default {
                Some(default) if is_text => Some(format!("'{}'", default.replace('\'', "\\'"))),
                Some(default) => Some(default.clone()),
                None => (self.nullable == "YES").then(|| "NULL".to_owned()),
            },
            "COLUMN_DEFAULT" => self.default.clone(),
            "IS_NULLABLE" => Some(self.nullable.clone()),
            "DATA_TYPE" => Some(data_type.to_owned()),
            "CHARACTER_MAXIMUM_LENGTH" if is_text => told(number(0)),
            "CHARACTER_OCTET_LENGTH" if is_text => {
                told(number(0).map(|length| length * charset().map_or(1, width)))
            }
            "CHARACTER_MAXIMUM_LENGTH" | "CHARACTER_OCTET_LENGTH" => told(blob_length(data_type)),
            "NUMERIC_PRECISION" => match data_type {
                "decimal" | "bit" => told(number(0)),
                _ => told(precision(data_type, self.ty.contains("unsigned"))),
            },
            "NUMERIC_SCALE" => match data_type {
                "decimal" => told(number(1).or(Some(0))),
                "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => told(Some(0)),
                _ => None,
            },
            "DATETIME_PRECISION" if is_moment => told(number(0).or(Some(0))),
            "CHARACTER_SET_NAME" => charset(),
            "COLLATION_NAME" => self.collation.clone(),
            "COLUMN_TYPE" => Some(self.ty.clone()),
            "COLUMN_KEY" | "EXTRA" | "GENERATION_EXPRESSION" => Some(String::new()),
            "PRIVILEGES" => Some(self.privileges.clone()),
            "COLUMN_COMMENT" => Some(self.comment.clone()),
            "IS_GENERATED" => Some("NEVER".to_owned()),
            _ => None,
        }
    }
}

/// Digits of a number, as servers count them.
fn precision(data_type: &str, unsigned: bool) -> Option<u64> {
    Some(match data_type {
        "tinyint" => 3,
        "smallint" => 5,
        "mediumint" => 7,
        "int" => 10,
        "bigint" if unsigned => 20,
        "bigint" => 19,
        "float" => 12,
        "double" => 22,
        _ => return None,
    })
}

fn blob_length(data_type: &str) -> Option<u64> {
    Some(match data_type {
        "tinytext" | "tinyblob" => 255,
        "text" | "blob" => 65_535,
        "mediumtext" | "mediumblob" => 16_777_215,
        "longtext" | "longblob" => 4_294_967_295,
        _ => return None,
    })
}

impl ShownView {
    /// The character set and the collation that views are shown with.
    pub const CHARSET: (&str, &str) = ("utf8mb4", "utf8mb4_general_ci");

    /// The rows of a table of information_schema about this view; `columns` are those of the table.
    pub(super) fn rows(&self, table: &str, columns: &[String]) -> Vec<Row> {
        let row = |own: &dyn Fn(&str) -> Option<String>| -> Row {
            let value = |column: &String| {
                let column = column.to_ascii_uppercase();
                self.common(&column).or_else(|| own(&column)).map(Bytes::from)
            };
            columns.iter().map(value).collect()
        };
        match table {
            "TABLES" => vec![row(&|column| match column {
                "TABLE_TYPE" | "TABLE_COMMENT" => Some("VIEW".to_owned()),
                _ => None,
            })],
            "VIEWS" => vec![row(&|column| self.of_views(column))],
            "COLUMNS" => {
                // Only MariaDB has this column.
                let expressions =
                    columns.iter().any(|column| column.eq_ignore_ascii_case("IS_GENERATED"));
                let all = self.columns.iter().enumerate();
                all.map(|(index, column)| row(&|name| column.value(name, index + 1, expressions)))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    fn common(&self, column: &str) -> Option<String> {
        match column {
            "TABLE_CATALOG" => Some("def".to_owned()),
            "TABLE_SCHEMA" => Some(self.view.schema.clone()),
            "TABLE_NAME" => Some(self.view.name.clone()),
            _ => None,
        }
    }

    fn of_views(&self, column: &str) -> Option<String> {
        let view = &self.view;
        Some(match column {
            "VIEW_DEFINITION" => view.definition.clone(),
            "CHECK_OPTION" => view.check.clone(),
            "IS_UPDATABLE" => "NO".to_owned(),
            "DEFINER" => view.definer.replace('`', ""),
            "SECURITY_TYPE" => if view.invoker { "INVOKER" } else { "DEFINER" }.to_owned(),
            "CHARACTER_SET_CLIENT" => Self::CHARSET.0.to_owned(),
            "COLLATION_CONNECTION" => Self::CHARSET.1.to_owned(),
            "ALGORITHM" => view.algorithm.clone(),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ty: &str, collation: &str, column: &str, expect: &str) {
        let collation = (!collation.is_empty()).then(|| collation.to_owned());
        let shown = ShownColumn { ty: ty.to_owned(), collation, ..ShownColumn::default() };
        assert_eq!(
            shown.value(column, 1, false).unwrap_or_else(|| "-".to_owned()),
            expect,
            "{ty} {column}"
        );
    }

    #[test]
    fn values_come_of_types() {
        check("varchar(20)", "utf8mb4_bin", "CHARACTER_MAXIMUM_LENGTH", "20");
        check("varchar(20)", "utf8mb4_bin", "CHARACTER_OCTET_LENGTH", "80");
        check("varchar(20)", "utf8mb4_bin", "CHARACTER_SET_NAME", "utf8mb4");
        check("text", "latin1_bin", "CHARACTER_OCTET_LENGTH", "65535");
        check("decimal(12,2)", "", "NUMERIC_PRECISION", "12");
        check("decimal(12,2)", "", "NUMERIC_SCALE", "2");
        check("bigint(20) unsigned", "", "NUMERIC_PRECISION", "20");
        check("bigint unsigned", "", "DATA_TYPE", "bigint");
        check("datetime", "", "DATETIME_PRECISION", "0");
        check("date", "", "DATETIME_PRECISION", "-");
    }
}
