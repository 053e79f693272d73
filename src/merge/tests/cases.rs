//! Refusals, limits and early ends.

use bytes::Bytes;

use super::model::{HIDDEN, NO_LIMITS, Value, column, columns, encode, key, run, unsigned, weigh};
use crate::error::ErrorKind;
use crate::merge::{
    ColumnRef, Fold, FoldKind, Input, Limits, Merge, OrderKey, RowFormat, Spec, Step,
};
use crate::protocol::capability::{ColumnFlags, ColumnType};
use crate::protocol::column::Column;

fn plain(at: usize) -> OrderKey {
    OrderKey { value: ColumnRef::Visible(at), weight: None, pad: None, descending: false }
}

/// One text row of numbers.
fn numbers(values: &[i64]) -> Bytes {
    let values: Vec<_> = values.iter().map(|&value| Value::Int(value)).collect();
    encode(RowFormat::Text, &[], &values)
}

fn integers(count: usize) -> Vec<Column> {
    vec![column(ColumnType::MYSQL_TYPE_LONGLONG, 63, 0); count]
}

fn check_refused(spec: &Spec, columns: &[Column], format: RowFormat, expect: &str) {
    let input = Input { name: "c0/shop", columns };
    let error = Merge::new(spec, &[input], format, NO_LIMITS).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Unsupported);
    assert!(error.message().starts_with(expect), "{}", error.message());
}

#[test]
fn columns_that_cannot_be_compared() {
    let order = Spec { order: vec![plain(0)], ..Spec::default() };
    let group = Spec { distinct: true, ..order.clone() };
    let check = |ty, charset, spec: &Spec, expect| {
        check_refused(spec, &[column(ty, charset, 31)], RowFormat::Text, expect);
    };
    check(
        ColumnType::MYSQL_TYPE_JSON,
        45,
        &order,
        "ORDER BY on JSON over several shards is not supported; order by an extracted scalar",
    );
    check(ColumnType::MYSQL_TYPE_GEOMETRY, 63, &group, "GROUP BY or DISTINCT on GEOMETRY over");
    check(ColumnType::MYSQL_TYPE_VAR_STRING, 45, &order, "ORDER BY on a character string over");
    check(ColumnType::MYSQL_TYPE_FLOAT, 63, &group, "GROUP BY or DISTINCT on FLOAT or DOUBLE(m,d)");
    let mut letters = column(ColumnType::MYSQL_TYPE_STRING, 45, 0);
    letters.flags |= ColumnFlags::ENUM_FLAG;
    check_refused(&order, &[letters], RowFormat::Text, "ORDER BY on ENUM or SET over");
    let min = Fold { column: ColumnRef::Visible(0), kind: FoldKind::Min(plain(0)) };
    let spec = Spec { group: Some(vec![min]), ..Spec::default() };
    check(ColumnType::MYSQL_TYPE_JSON, 45, &spec, "MIN or MAX on JSON over several shards");
    check(
        ColumnType::MYSQL_TYPE_BIT,
        63,
        &spec,
        "MIN or MAX on BIT over several shards is not supported; aggregate its number: column + 0",
    );
    let sum = Fold { column: ColumnRef::Visible(0), kind: FoldKind::Sum };
    let spec = Spec { group: Some(vec![sum]), ..Spec::default() };
    check(ColumnType::MYSQL_TYPE_DATE, 63, &spec, "SUM, AVG and COUNT over several shards");
}

#[test]
fn floats_are_exact_in_binary_rows() {
    let spec = Spec { order: vec![plain(0)], distinct: true, ..Spec::default() };
    let columns = [column(ColumnType::MYSQL_TYPE_FLOAT, 63, 31)];
    let input = Input { name: "c0/shop", columns: &columns };
    assert!(Merge::new(&spec, &[input], RowFormat::Binary, NO_LIMITS).is_ok());
}

#[test]
fn inputs_that_disagree() {
    let check = |other: &[Column], format, expect: &str| {
        let columns = integers(2);
        let inputs = [
            Input { name: "c0/shop_0", columns: &columns },
            Input { name: "c1/shop_2", columns: other },
        ];
        let spec = Spec { order: vec![plain(0)], ..Spec::default() };
        let made = Merge::new(&spec, &inputs, format, NO_LIMITS);
        let message = made.err().map(|error| error.message().to_owned()).unwrap_or_default();
        assert_eq!(message, expect);
    };
    check(
        &integers(3),
        RowFormat::Text,
        "c1/shop_2 answers with 3 columns, c0/shop_0 with 2; give the tables of all shards the \
         same columns",
    );
    let text = || column(ColumnType::MYSQL_TYPE_VAR_STRING, 45, 0);
    let number = || column(ColumnType::MYSQL_TYPE_LONGLONG, 63, 0);
    check(
        &[text(), number()],
        RowFormat::Text,
        "column 1 is a character string (MYSQL_TYPE_VAR_STRING) on c1/shop_2, an integer \
         (MYSQL_TYPE_LONGLONG) on c0/shop_0; give the tables of all shards the same columns",
    );
    check(&[number(), text()], RowFormat::Text, "");
    check(
        &[number(), unsigned(number())],
        RowFormat::Binary,
        "column 2 is an integer (MYSQL_TYPE_LONGLONG unsigned) on c1/shop_2, an integer \
         (MYSQL_TYPE_LONGLONG) on c0/shop_0; give the tables of all shards the same columns",
    );
}

#[test]
fn a_limit_ends_the_merge_early() {
    let inputs: Vec<Vec<_>> =
        (0..4).map(|input| (0..100).map(|n| numbers(&[n * 4 + input])).collect()).collect();
    let spec = Spec { order: vec![plain(0)], offset: 2, limit: Some(3), ..Spec::default() };
    let outcome = run(&spec, &integers(1), RowFormat::Text, NO_LIMITS, &inputs).unwrap();
    assert_eq!(outcome.rows, [numbers(&[2]), numbers(&[3]), numbers(&[4])]);
    assert!(outcome.fed <= 9, "{} rows were read", outcome.fed);
    let none = Spec { limit: Some(0), ..spec };
    let outcome = run(&none, &integers(1), RowFormat::Text, NO_LIMITS, &inputs).unwrap();
    assert_eq!((outcome.rows.len(), outcome.fed), (0, 0));
}

#[test]
fn sorting_has_limits() {
    let inputs: Vec<Vec<_>> = vec![(0..100).map(|n| numbers(&[1000 - n])).collect()];
    let check = |limit, limits, expect: Result<usize, &str>| {
        let spec = Spec { sort: Some(vec![plain(0)]), limit, ..Spec::default() };
        let outcome = run(&spec, &integers(1), RowFormat::Text, limits, &inputs);
        let found = match &outcome {
            Ok(outcome) => Ok(outcome.rows.len()),
            Err(error) => {
                assert_eq!(*error.kind(), ErrorKind::LimitExceeded);
                Err(error.message())
            }
        };
        assert_eq!(found, expect);
    };
    let rows = Limits { sort_rows: 50, ..NO_LIMITS };
    check(
        None,
        rows,
        Err("more than 50 rows to sort (`limits.sort_rows`); raise the limit, or ask \
         for fewer rows with WHERE or LIMIT"),
    );
    check(Some(50), rows, Ok(50));
    let bytes = Limits { sort_bytes: 500, ..NO_LIMITS };
    check(
        None,
        bytes,
        Err("more than 500 bytes to sort (`limits.sort_bytes`); raise the limit, or \
         ask for fewer rows with WHERE or LIMIT"),
    );
    check(Some(10), bytes, Ok(10));
}

#[test]
fn an_input_out_of_order() {
    let inputs = [vec![numbers(&[1])], vec![numbers(&[2]), numbers(&[1])]];
    let spec = Spec { order: vec![plain(0)], ..Spec::default() };
    let error = run(&spec, &integers(1), RowFormat::Text, NO_LIMITS, &inputs).unwrap_err();
    let expect = "c1/shop: the rows of a shard are not in the order of their keys";
    assert!(error.message().starts_with(expect), "{error}");
}

#[test]
fn a_row_passes_as_it_is() {
    let columns = integers(1);
    let inputs = [Input { name: "c0/shop", columns: &columns }; 2];
    let spec = Spec { order: vec![plain(0)], ..Spec::default() };
    let mut merge = Merge::new(&spec, &inputs, RowFormat::Text, NO_LIMITS).unwrap();
    let row = numbers(&[7]);
    assert_eq!(merge.step().unwrap(), Step::Need(0));
    merge.feed(0, Some(row.clone())).unwrap();
    assert_eq!(merge.step().unwrap(), Step::Need(1));
    assert!(merge.feed(0, None).is_err(), "out of turn");
    merge.feed(1, None).unwrap();
    let Step::Row(out) = merge.step().unwrap() else { panic!("no row") };
    assert_eq!(out.as_ptr(), row.as_ptr());
    assert_eq!(merge.step().unwrap(), Step::Need(0));
    merge.feed(0, None).unwrap();
    assert_eq!(merge.step().unwrap(), Step::Done);
}

#[test]
fn sums_leave_their_range() {
    let columns = integers(1);
    let fold = Fold { column: ColumnRef::Visible(0), kind: FoldKind::Count };
    let spec = Spec { group: Some(vec![fold]), ..Spec::default() };
    let row = || {
        let row = [Value::Int(i64::MAX)];
        vec![encode(RowFormat::Binary, &columns, &row); 2]
    };
    let error = run(&spec, &columns, RowFormat::Binary, NO_LIMITS, &[row(), row()]).unwrap_err();
    assert_eq!(error.mysql().0, 1690);
}

#[test]
fn bit_strings() {
    let check = |rows: [&[u8]; 2], kind, expect: Option<&[u8]>| {
        let columns = [column(ColumnType::MYSQL_TYPE_VAR_STRING, 63, 0)];
        let spec = Spec {
            group: Some(vec![Fold { column: ColumnRef::Visible(0), kind }]),
            ..Spec::default()
        };
        let inputs =
            rows.map(|row| vec![encode(RowFormat::Text, &[], &[Value::Bytes(row.to_vec())])]);
        let outcome = run(&spec, &columns, RowFormat::Text, NO_LIMITS, &inputs);
        let expect = expect.map(|row| encode(RowFormat::Text, &[], &[Value::Bytes(row.to_vec())]));
        assert_eq!(outcome.ok().and_then(|outcome| outcome.rows.first().cloned()), expect);
    };
    check([b"abc", b"abd"], FoldKind::BitAnd, Some(b"ab`"));
    check([b"abc", b"abd"], FoldKind::BitOr, Some(b"abg"));
    check([b"abc", b"abd"], FoldKind::BitXor, Some(b"\0\0\x07"));
    check([b"abc", b"ab"], FoldKind::BitOr, None);
}

/// The weight of the smallest text follows it, so that groups can be sorted by it.
#[test]
fn groups_sorted_by_their_smallest_text() {
    let columns = columns();
    let at = columns.len() - HIDDEN - 1;
    let row = |group: i64, text: &str| {
        let mut row = vec![Value::Null; at];
        row[0] = Value::Int(group);
        row.push(Value::Text(text.as_bytes().to_vec()));
        encode(RowFormat::Text, &columns, &weigh(row))
    };
    let min = Fold { column: ColumnRef::Visible(at), kind: FoldKind::Min(key(at, false)) };
    let spec = Spec {
        hidden: HIDDEN,
        order: vec![key(0, false)],
        group: Some(vec![min]),
        sort: Some(vec![key(at, false)]),
        ..Spec::default()
    };
    let inputs = [vec![row(1, "z"), row(2, "c")], vec![row(1, "B"), row(2, "d"), row(3, "bA")]];
    let outcome = run(&spec, &columns, RowFormat::Text, NO_LIMITS, &inputs).unwrap();
    let groups: Vec<_> = outcome.rows.iter().map(|row| row[1]).collect();
    assert_eq!(groups, b"132");
}

/// Collations whose levels are padded one by one, and values too long for a weight.
#[test]
fn weights_that_cannot_be_compared() {
    let columns = columns();
    let at = columns.len() - HIDDEN - 1;
    let check = |weight: Value, pad: Value, expect: &str| {
        let mut row = vec![Value::Null; at];
        row.extend([Value::Text(b"a".to_vec()), weight, pad]);
        let inputs = [vec![encode(RowFormat::Text, &columns, &row)]];
        let spec = Spec { hidden: HIDDEN, order: vec![key(at, false)], ..Spec::default() };
        let error = run(&spec, &columns, RowFormat::Text, NO_LIMITS, &inputs).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains(expect), "{error}");
    };
    let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
    let levels = bytes(&[2, 9, 0, 0x20, 0, 2]);
    check(bytes(&[0x20, 0x75, 0, 0x20, 0, 2]), levels, "a collation of several levels that pads");
    check(Value::Null, bytes(b" "), "raise max_allowed_packet");
}
