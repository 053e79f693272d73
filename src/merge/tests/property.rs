//! Merging what was split gives what was there: sorted, grouped, distinct, cut.

use bytes::Bytes;
use proptest::prelude::*;

use super::model::{
    HIDDEN, NO_LIMITS, Value, column, columns, compare, compare_rows, encode, key, run, unsigned,
    weigh,
};
use crate::merge::{ColumnRef, Fold, FoldKind, OrderKey, RowFormat, Spec};
use crate::protocol::capability::ColumnType;
use crate::protocol::column::Column;

fn nullable(value: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Value> {
    prop_oneof![1 => Just(Value::Null), 5 => value].boxed()
}

/// A visible row of [`columns`]. Few different values, so that many are equal.
fn row() -> impl Strategy<Value = Vec<Value>> {
    const DAY: u64 = 86_400_000_000;
    // Long equal beginnings, so that keys of several chunks are compared.
    let letters = || {
        let tail = prop::collection::vec(prop::sample::select(&b"\t aAbB"[..]), 0..5);
        (any::<bool>(), tail).prop_map(|(long, tail)| {
            let start = if long { &b"aaaaaaaaaaaa"[..] } else { &b""[..] };
            [start, &tail].concat()
        })
    };
    let doubles = [-1e300, -2.5, -0.0, 0.0, 1e-300, 2.5, 1e15, 1e300];
    (
        nullable(prop::sample::select(vec![-70_000_i64, -1, 0, 1, 70_000]).prop_map(Value::Int)),
        nullable(
            prop::sample::select(vec![0, 1, u64::MAX - 1, u64::MAX]).prop_map(Value::Unsigned),
        ),
        nullable((-300_i64..300).prop_map(|number| Value::Decimal(number * 37))),
        nullable(prop::sample::select(doubles.to_vec()).prop_map(Value::Double)),
        nullable((0..6 * DAY).prop_map(Value::Moment)),
        nullable((-9..9_i64).prop_map(|time| Value::Time(time * 11 * 3_600_000_001))),
        nullable(prop::collection::vec(0_u8..2, 0..12).prop_map(Value::Bytes)),
        nullable(letters().prop_map(Value::Text)),
    )
        .prop_map(|(a, b, c, d, e, f, g, h)| vec![a, b, c, d, e, f, g, h])
}

fn keys() -> impl Strategy<Value = Vec<OrderKey>> {
    let one = (0..columns().len() - HIDDEN, any::<bool>());
    prop::collection::vec(one.prop_map(|(at, descending)| key(at, descending)), 1..4)
}

fn format() -> impl Strategy<Value = RowFormat> {
    prop_oneof![Just(RowFormat::Text), Just(RowFormat::Binary)]
}

/// Rows and the input that each lies on.
fn placed() -> impl Strategy<Value = Vec<(usize, Vec<Value>)>> {
    prop::collection::vec((0_usize..5, row()), 0..40)
}

fn window() -> impl Strategy<Value = (u64, Option<u64>)> {
    (prop_oneof![Just(0), 0_u64..10], prop::option::of(0_u64..20))
}

/// Splits rows over five inputs, each sorted; and all rows in the order of a merge.
fn split(
    placed: &[(usize, Vec<Value>)],
    keys: &[OrderKey],
) -> (Vec<Vec<Vec<Value>>>, Vec<Vec<Value>>) {
    let mut inputs = vec![Vec::new(); 5];
    for (input, row) in placed {
        inputs[*input].push(row.clone());
    }
    for rows in &mut inputs {
        rows.sort_by(|a, b| compare_rows(keys, a, b));
    }
    let mut all = inputs.concat();
    all.sort_by(|a, b| compare_rows(keys, a, b));
    (inputs, all)
}

fn cut<T>(rows: Vec<T>, (offset, limit): (u64, Option<u64>)) -> Vec<T> {
    let limit = limit.map_or(usize::MAX, |limit| limit as usize);
    rows.into_iter().skip(offset as usize).take(limit).collect()
}

fn encode_inputs(
    format: RowFormat,
    columns: &[Column],
    inputs: &[Vec<Vec<Value>>],
) -> Vec<Vec<Bytes>> {
    let encode_all =
        |rows: &Vec<Vec<Value>>| rows.iter().map(|row| encode(format, columns, row)).collect();
    inputs.iter().map(encode_all).collect()
}

fn check(
    spec: &Spec,
    format: RowFormat,
    inputs: &[Vec<Vec<Value>>],
    expect: &[Vec<Value>],
) -> Result<(), TestCaseError> {
    let columns = columns();
    let weighed: Vec<Vec<_>> =
        inputs.iter().map(|rows| rows.iter().cloned().map(weigh).collect()).collect();
    let inputs = encode_inputs(format, &columns, &weighed);
    let outcome = run(spec, &columns, format, NO_LIMITS, &inputs).unwrap();
    let visible = &columns[..columns.len() - HIDDEN];
    let expect: Vec<_> = expect.iter().map(|row| encode(format, visible, row)).collect();
    prop_assert_eq!(outcome.rows, expect);
    Ok(())
}

proptest! {
    #[test]
    fn sorted(placed in placed(), keys in keys(), format in format(), window in window()) {
        let (inputs, all) = split(&placed, &keys);
        let (offset, limit) = window;
        let spec = Spec { hidden: HIDDEN, order: keys, offset, limit, ..Spec::default() };
        check(&spec, format, &inputs, &cut(all, window))?;
    }

    #[test]
    fn distinct(placed in placed(), keys in keys(), format in format(), window in window()) {
        let (inputs, mut all) = split(&placed, &keys);
        all.dedup_by(|b, a| compare_rows(&keys, a, b).is_eq());
        let (offset, limit) = window;
        let spec = Spec { hidden: HIDDEN, order: keys, distinct: true, ..Spec::default() };
        let spec = Spec { offset, limit, ..spec };
        check(&spec, format, &inputs, &cut(all, window))?;
    }

    #[test]
    fn concatenated(placed in placed(), format in format(), window in window()) {
        let (inputs, _) = split(&placed, &[]);
        let (offset, limit) = window;
        let spec = Spec { hidden: HIDDEN, offset, limit, ..Spec::default() };
        check(&spec, format, &inputs, &cut(inputs.concat(), window))?;
    }

    #[test]
    fn sorted_again(placed in placed(), keys in keys(), format in format(), window in window()) {
        let (inputs, _) = split(&placed, &[]);
        let mut all = inputs.concat();
        all.sort_by(|a, b| compare_rows(&keys, a, b));
        let (offset, limit) = window;
        let spec = Spec { hidden: HIDDEN, sort: Some(keys), offset, limit, ..Spec::default() };
        check(&spec, format, &inputs, &cut(all, window))?;
    }
}

/// `k, SUM(d), COUNT(*), MIN(m), MAX(x), AVG(d), BIT_XOR(b)`, and hidden `SUM(d), COUNT(d)`.
fn grouped_columns() -> Vec<Column> {
    let decimal = |decimals| column(ColumnType::MYSQL_TYPE_NEWDECIMAL, 63, decimals);
    let count = || column(ColumnType::MYSQL_TYPE_LONGLONG, 63, 0);
    vec![
        column(ColumnType::MYSQL_TYPE_LONG, 63, 0),
        decimal(2),
        count(),
        column(ColumnType::MYSQL_TYPE_DATETIME, 63, 6),
        column(ColumnType::MYSQL_TYPE_DOUBLE, 63, 31),
        decimal(2),
        unsigned(count()),
        decimal(2),
        count(),
    ]
}

fn folds() -> Vec<Fold> {
    let plain =
        |at| OrderKey { value: ColumnRef::Visible(at), weight: None, pad: None, descending: true };
    let average = FoldKind::Avg { sum: ColumnRef::Hidden(0), count: ColumnRef::Hidden(1) };
    let kinds = [
        FoldKind::Sum,
        FoldKind::Count,
        FoldKind::Min(plain(3)),
        FoldKind::Max(plain(4)),
        average,
        FoldKind::BitXor,
    ];
    let fold = |(at, kind)| Fold { column: ColumnRef::Visible(at + 1), kind };
    kinds.into_iter().enumerate().map(fold).collect()
}

/// What a shard says about one of its rows, as a group of one row.
fn partial(row: &[Value]) -> Vec<Value> {
    let [k, bits, decimal, double, moment, ..] = row else { panic!("a short row") };
    let count = Value::Int(i64::from(*decimal != Value::Null));
    let bits = if *bits == Value::Null { Value::Unsigned(0) } else { bits.clone() };
    let one = Value::Int(1);
    let (k, moment, double) = (k.clone(), moment.clone(), double.clone());
    let sum = decimal.clone();
    vec![k, sum.clone(), one, moment, double, sum.clone(), bits, sum, count]
}

/// The slow way to fold rows of [`partial`].
fn fold(rows: &[Vec<Value>]) -> Vec<Value> {
    if let [row] = rows {
        return row[..7].to_vec();
    }
    let decimals: Vec<i64> = rows
        .iter()
        .filter_map(|row| if let Value::Decimal(number) = row[1] { Some(number) } else { None })
        .collect();
    let sum: i64 = decimals.iter().sum();
    let average = match decimals.len() as i64 {
        0 => Value::Null,
        count => {
            let (magnitude, sign) = (sum.abs(), sum.signum());
            Value::Decimal((magnitude * 2 + count) / (2 * count) * sign)
        }
    };
    let sum = if decimals.is_empty() { Value::Null } else { Value::Decimal(sum) };
    let best = |at: usize, largest: bool| {
        let values = rows.iter().map(|row| &row[at]).filter(|value| **value != Value::Null);
        let first = values.reduce(|a, b| {
            let order = if largest { compare(a, b) } else { compare(b, a) };
            if order.is_lt() { b } else { a }
        });
        first.cloned().unwrap_or(Value::Null)
    };
    let bits = rows.iter().fold(0, |bits, row| match row[6] {
        Value::Unsigned(number) => bits ^ number,
        _ => bits,
    });
    let count = Value::Int(rows.len() as i64);
    vec![
        rows[0][0].clone(),
        sum,
        count,
        best(3, false),
        best(4, true),
        average,
        Value::Unsigned(bits),
    ]
}

proptest! {
    #[test]
    fn grouped(placed in placed(), format in format(), window in window(), again in any::<bool>()) {
        let by = [key(0, false)];
        let (inputs, all) = split(&placed, &by);
        let columns = grouped_columns();
        let partials: Vec<Vec<_>> =
            inputs.iter().map(|rows| rows.iter().map(|row| partial(row)).collect()).collect();
        let all: Vec<_> = all.iter().map(|row| partial(row)).collect();
        let mut expect: Vec<_> =
            all.chunk_by(|a, b| compare_rows(&by, a, b).is_eq()).map(fold).collect();
        let sort = [key(2, true), key(1, false)];
        if again {
            expect.sort_by(|a, b| compare_rows(&sort, a, b));
        }
        let (offset, limit) = window;
        let spec = Spec {
            hidden: 2,
            order: by.to_vec(),
            group: Some(folds()),
            sort: again.then(|| sort.to_vec()),
            offset,
            limit,
            ..Spec::default()
        };
        let inputs = encode_inputs(format, &columns, &partials);
        let outcome = run(&spec, &columns, format, NO_LIMITS, &inputs).unwrap();
        let expect = cut(expect, window);
        let expect: Vec<_> = expect.iter().map(|row| encode(format, &columns[..7], row)).collect();
        prop_assert_eq!(outcome.rows, expect);
    }

    #[test]
    fn folded_to_one_row(placed in placed(), format in format()) {
        let (inputs, _) = split(&placed, &[]);
        let columns = grouped_columns();
        let partials: Vec<Vec<_>> =
            inputs.iter().map(|rows| rows.iter().map(|row| partial(row)).collect()).collect();
        let all = partials.concat();
        let spec = Spec { hidden: 2, group: Some(folds()), ..Spec::default() };
        let inputs = encode_inputs(format, &columns, &partials);
        let outcome = run(&spec, &columns, format, NO_LIMITS, &inputs).unwrap();
        let expect: Vec<_> = if all.is_empty() { vec![] } else { vec![fold(&all)] };
        let expect: Vec<_> = expect.iter().map(|row| encode(format, &columns[..7], row)).collect();
        prop_assert_eq!(outcome.rows, expect);
    }

    /// Bytes that are no row give an error, whatever they are.
    #[test]
    fn garbage(
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        format in format(),
        keys in keys(),
    ) {
        let spec = Spec { hidden: HIDDEN, order: keys, ..Spec::default() };
        let _ = run(&spec, &columns(), format, NO_LIMITS, &[vec![bytes.clone().into()]]);
        let spec = Spec { hidden: 2, group: Some(folds()), ..Spec::default() };
        let row = Bytes::from(bytes);
        let _ = run(&spec, &grouped_columns(), format, NO_LIMITS, &[vec![row.clone(), row]]);
    }
}
