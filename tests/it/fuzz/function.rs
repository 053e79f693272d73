//! Templates of expressions, by the class of what they give.
//!
//! `{int}`, `{text}` and so on stand for values of a class, `{xtext}` for text whose equal values are the
//! same, `{c}` for a value of the class of the template, `{cond}` for a condition, `{n}` for a small
//! literal over 0, `{jcol}` for a JSON column. `mysql:` in front: not for MariaDB.

use super::class::Class;

/// For any class.
pub(super) const GENERIC: &[&str] = &[
    "COALESCE({c}, {c})",
    "IFNULL({c}, {c})",
    "CASE WHEN {cond} THEN {c} ELSE {c} END",
    "CASE WHEN {cond} THEN {c} END",
    "CASE {int} WHEN {int} THEN {c} WHEN {n} THEN {c} ELSE {c} END",
    "IF({cond}, {c}, {c})",
];

/// For classes with an order.
pub(super) const SORTED: &[&str] =
    &["NULLIF({c}, {c})", "GREATEST({c}, {c})", "LEAST({c}, {c}, {c})"];

pub(super) const CONDITION: &[&str] = &[
    "{cond} AND {cond}",
    "{cond} AND {cond}",
    "{cond} OR {cond}",
    "NOT ({cond})",
    "({cond}) IS TRUE",
    "({cond}) IS NOT TRUE",
    "({cond}) IS FALSE",
    "({cond}) IS UNKNOWN",
    "({cond}) XOR ({cond})",
    "{text} LIKE '%a%'",
    "{text} LIKE 'a%'",
    "{text} NOT LIKE '_'",
    "{text} LIKE 'x!_%' ESCAPE '!'",
    "{text} REGEXP '^[a-c]'",
    "{text} = _latin1'abc'",
    "{text} IN ('a', 'abc', '10')",
    "{int}",
    "{bits} = {n}",
    "{int} = {dec}",
    "{int} < {wide}",
    "{dbl} > {dec}",
    "{date} <= {moment}",
    "{text} = {n}",
    "ISNULL({text})",
    "{date} BETWEEN '2024-01-01' AND '2024-02-29'",
    "{date} = '2024-02-29'",
    "{moment} >= '2024-01-15'",
    "JSON_CONTAINS({json}, '1')",
    "JSON_VALID({text})",
    "mysql:{int} MEMBER OF ('[1, 2, 3, 10]')",
    "mysql:{jcol} -> '$.a' = 1",
];

const INT: &[&str] = &[
    "({int} + {int})",
    "({int} - {int})",
    "(({int} % 97) * ({int} % 89))",
    "({int} DIV {int})",
    "({int} % {n})",
    "MOD({int}, {int})",
    "(-{int})",
    "ABS({int})",
    "SIGN({dec})",
    "LENGTH({text})",
    "CHAR_LENGTH({text})",
    "OCTET_LENGTH({bytes})",
    "ASCII({text})",
    "LOCATE('a', {text})",
    "INSTR({text}, 'b')",
    "POSITION('b' IN {text})",
    "FIND_IN_SET('a', {text})",
    "MONTH({moment})",
    "DAYOFWEEK({date})",
    "DAYOFYEAR({date})",
    "WEEK({date}, 3)",
    "QUARTER({date})",
    "EXTRACT(DAY FROM {date})",
    "EXTRACT(YEAR_MONTH FROM {moment})",
    "DATEDIFF({date}, {moment})",
    "TIMESTAMPDIFF(HOUR, {date}, {moment})",
    "HOUR({time})",
    "MINUTE({moment})",
    "TO_DAYS({date})",
    "CAST({text} AS SIGNED)",
    "CAST({dec} AS SIGNED)",
    "ISNULL({text})",
    "({cond})",
    "({text} = {text})",
    "({int} <=> {int})",
    "({date} < {date})",
    "INTERVAL({int}, 0, 10, 100)",
    "FIELD({text}, 'a', 'abc', 'b')",
    "STRCMP({text}, {text})",
    "BIT_COUNT({int})",
    "JSON_LENGTH({json})",
    "JSON_DEPTH({json})",
    "ROUND({int}, -1)",
    "({n} IN ({int}, {int}, {n}))",
];

const WIDE: &[&str] = &[
    "YEAR({date})",
    "({int} & {int})",
    "({int} | {int})",
    "({int} ^ {n})",
    "(~{int})",
    "({n} << {n})",
    "({wide} >> {n})",
    "CAST({int} AS UNSIGNED)",
    "CRC32({text})",
    "({bits} + 0)",
    "ABS({int})",
];

const DECIMAL: &[&str] = &[
    "({dec} + {dec})",
    "({dec} - {int})",
    "({dec} * 1.10)",
    "(({int} % 1000) * {dec})",
    "({int} / {int})",
    "({dec} / {n})",
    "ROUND({dec}, 1)",
    "TRUNCATE({dec}, 1)",
    "CEILING({dec})",
    "FLOOR({dec})",
    "ABS({dec})",
    "(-{dec})",
    "CAST({int} AS DECIMAL(20,4))",
    "CAST({wide} AS DECIMAL(30,0))",
    "CAST({text} AS DECIMAL(10,2))",
    "({dec} % 7)",
    "ROUND({dec})",
];

const DOUBLE: &[&str] = &[
    "({dbl} + {dbl})",
    "({dbl} * 0.5e0)",
    "({dbl} - {int})",
    "ABS({dbl})",
    "(-{dbl})",
    "ROUND({dbl}, 1)",
    "FLOOR({dbl})",
    "({int} + 0.25e0)",
    "mysql:CAST({int} AS DOUBLE)",
];

const TEXT: &[&str] = &[
    "CONCAT({text}, {text})",
    "CONCAT({text}, '-', {int})",
    "UPPER({text})",
    "LOWER({text})",
    "SUBSTRING({text}, 2)",
    "SUBSTRING({text} FROM 1 FOR 2)",
    "LEFT({text}, 1)",
    "RIGHT({text}, 2)",
    "TRIM({text})",
    "RTRIM({text})",
    "TRIM(LEADING 'a' FROM {text})",
    "LPAD({text}, 5, 'x')",
    "RPAD({text}, 4, 'y')",
    "REPLACE({text}, 'a', 'bb')",
    "REVERSE({text})",
    "REPEAT({text}, 2)",
    "INSERT({text}, 1, 1, 'q')",
    "CONCAT_WS(',', {text}, {int}, {text})",
    "ELT({int}, {text}, 'two', {text})",
    "SUBSTRING_INDEX({text}, 'b', 1)",
    "QUOTE({text})",
    "JSON_UNQUOTE(JSON_EXTRACT({json}, '$.a'))",
    "CONVERT({text} USING utf8mb4)",
    "{text} COLLATE utf8mb4_bin",
    "CAST({text} AS CHAR(3))",
    "mysql:{jcol} ->> '$.a'",
];

/// Texts without equal values that differ.
pub(super) const EXACT_TEXT: &[&str] = &[
    "LOWER(HEX({text}))",
    "LOWER(HEX({int}))",
    "LOWER(HEX({bytes}))",
    "CONCAT({xtext}, {xtext})",
    "CONCAT({int}, '/', {dec})",
    "CAST({int} AS CHAR)",
    "CAST({dec} AS CHAR)",
    "CAST({date} AS CHAR)",
    "DATE_FORMAT({date}, '%Y-%m')",
    "DATE_FORMAT({moment}, '%W %d %H')",
    "TIME_FORMAT({time}, '%H.%i')",
    "DAYNAME({date})",
    "MONTHNAME({date})",
    "FORMAT({dec}, 2)",
    "BIN({int})",
    "mysql:JSON_TYPE({json})",
    "IF({cond}, 'yes', 'no')",
    "CONCAT_WS('+', {xtext}, {int})",
    "LPAD({int}, 6, '0')",
];

const BYTES: &[&str] = &[
    "CAST({text} AS BINARY)",
    "CONCAT({bytes}, {bytes})",
    "UNHEX(HEX({int}))",
    "SUBSTRING({bytes}, 2)",
    "CAST({text} AS BINARY(5))",
];

const BITS: &[&str] = &[];

const DATE: &[&str] = &[
    "DATE_ADD({date}, INTERVAL {n} DAY)",
    "DATE_SUB({date}, INTERVAL 1 MONTH)",
    "({date} + INTERVAL {n} WEEK)",
    "LAST_DAY({date})",
    "DATE({moment})",
    "CAST({moment} AS DATE)",
    "STR_TO_DATE('2024-01-05', '%Y-%m-%d')",
    "MAKEDATE(2024, {n})",
];

const MOMENT: &[&str] = &[
    "DATE_ADD({moment}, INTERVAL {n} HOUR)",
    "({moment} - INTERVAL {n} MINUTE)",
    "CAST({date} AS DATETIME)",
    "TIMESTAMP({date}, '12:30:00')",
    "CAST({moment} AS DATETIME(3))",
    "TIMESTAMPADD(SECOND, {n}, {moment})",
];

const TIME: &[&str] = &[
    "TIME({moment})",
    "SEC_TO_TIME({n} * 1000)",
    "ADDTIME({time}, '01:00:00')",
    "CAST({moment} AS TIME)",
];

const JSON: &[&str] = &[
    "JSON_ARRAY({int}, {text}, {dec})",
    "JSON_OBJECT('k', {int}, 'l', {text})",
    "JSON_EXTRACT({json}, '$.b')",
    "JSON_EXTRACT({json}, '$[0]')",
    "JSON_SET({json}, '$.n', {int})",
    "JSON_ARRAY({date}, {dbl}, NULL)",
    "JSON_KEYS({json})",
    "mysql:CAST({int} AS JSON)",
];

/// Templates of this class, besides those of any class.
pub(super) fn templates(class: Class) -> &'static [&'static str] {
    match class {
        Class::Int => INT,
        Class::Wide => WIDE,
        Class::Decimal => DECIMAL,
        Class::Double => DOUBLE,
        Class::Text => TEXT,
        Class::Bytes => BYTES,
        Class::Bits => BITS,
        Class::Date => DATE,
        Class::Moment => MOMENT,
        Class::Time => TIME,
        Class::Json => JSON,
    }
}
