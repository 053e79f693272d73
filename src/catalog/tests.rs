//! Properties of all algorithms.

use std::ops::Bound;

use proptest::prelude::*;

use super::*;
use crate::config::Unit;

fn algorithm(rule: Rule, targets: usize) -> Algorithm {
    Algorithm { rule, targets, null: None }
}

fn ring(count: usize) -> Ring {
    let names: Vec<String> = (0..count).map(|index| format!("c{index}/shop")).collect();
    Ring::new(&names, 160)
}

fn consistent(count: usize) -> Algorithm {
    algorithm(Rule::Consistent { ring: ring(count), seed: 0 }, count)
}

fn ranges(bounds: &[&str], open: bool, default: Option<usize>) -> Algorithm {
    let mut spans: Vec<RangeSpan> = bounds
        .iter()
        .enumerate()
        .map(|(target, text)| RangeSpan { below: Some(Literal::new(*text)), target })
        .collect();
    if open {
        spans.push(RangeSpan { below: None, target: bounds.len() });
    }
    let targets = spans.len() + 1;
    algorithm(Rule::Range(Ranges { spans, default }), targets)
}

fn list(default: Option<usize>) -> Algorithm {
    let entries = [("1", 0), ("2", 0), ("3", 1), ("eu", 1)]
        .map(|(text, target)| (Literal::new(text), target));
    algorithm(Rule::List(List::new(entries.to_vec(), default)), 3)
}

fn months(default: Option<usize>) -> Algorithm {
    let from = "2024-01-01".parse().unwrap();
    algorithm(Rule::Time(Periods { unit: Unit::Month, from, default }), 13)
}

fn hashes(count: usize) -> [Algorithm; 3] {
    [
        algorithm(Rule::Hash { seed: 0 }, count),
        algorithm(Rule::Jump { seed: 0 }, count),
        consistent(count),
    ]
}

/// The target, or `!` and a word of the error.
fn check(algorithm: &Algorithm, key: Key, expect: &str) {
    let found = match algorithm.locate(&key, &Weights::Binary) {
        Ok(target) => target.to_string(),
        Err(error) => format!("!{error}"),
    };
    let matches = match expect.strip_prefix('!') {
        Some(part) => found.starts_with('!') && found.contains(part),
        None => found == expect,
    };
    assert!(matches, "{key}: {found}, expected {expect}");
}

fn text(text: &str) -> Key {
    Key::Bytes(text.as_bytes().to_vec())
}

fn time(text: &str) -> Key {
    Key::time(text).unwrap()
}

#[test]
fn modulo() {
    let modulo = algorithm(Rule::Modulo, 4);
    check(&modulo, Key::Int(7), "3");
    check(&modulo, Key::Int(-1), "3");
    check(&modulo, text("7"), "3");
    check(&modulo, text("seven"), "!use hash");
    check(&modulo, Key::number("7.5").unwrap(), "!whole numbers");
    check(&modulo, Key::Null, "!set `null`");
    check(&Algorithm { null: Some(2), ..modulo }, Key::Null, "2");
}

#[test]
fn range() {
    let rule = ranges(&["0", "1000", "2000.5"], false, None);
    check(&rule, Key::Int(-5), "0");
    check(&rule, Key::Int(0), "1");
    check(&rule, Key::Int(2000), "2");
    check(&rule, Key::number("2000.5").unwrap(), "!set `default`");
    check(&rule, time("2024-01-01"), "!of different types");
    check(&ranges(&["0"], true, None), Key::Int(5), "1");
    check(&ranges(&["0"], false, Some(1)), Key::Int(5), "1");
    let names = ranges(&["h", "p"], true, None);
    check(&names, text("apple"), "0");
    check(&names, text("h"), "1");
    check(&names, text("zoo"), "2");
    let days = ranges(&["2024-01-01", "2025-01-01"], true, None);
    check(&days, time("2024-12-31 23:59:59"), "1");
}

#[test]
fn lists() {
    check(&list(None), Key::Int(2), "0");
    check(&list(None), text("eu"), "1");
    check(&list(None), text("us"), "!`list`");
    check(&list(Some(2)), text("us"), "2");
    let unknown = Weights::Known([("1".to_owned(), b"1".to_vec())].into());
    let error = list(Some(2)).locate(&text("eu"), &unknown).unwrap_err();
    assert!(error.message().contains("not known yet"), "{error}");
    assert_eq!(list(None).texts(), ["1", "2", "3", "eu"]);
}

#[test]
fn weights_decide_what_strings_are_equal() {
    let folded =
        ["1", "2", "3", "eu"].map(|text| (text.to_owned(), text.to_uppercase().into_bytes()));
    let weights = Weights::Known(folded.into());
    assert_eq!(list(None).locate(&text("EU"), &weights).unwrap(), 1);
}

#[test]
fn periods() {
    check(&months(None), time("2024-01-31 23:59:59"), "0");
    check(&months(None), time("2025-01-01"), "12");
    check(&months(None), time("2025-02-01"), "!set `default`");
    check(&months(Some(3)), time("2023-12-31"), "3");
    check(&months(None), Key::Int(1), "!a date or a time");
}

#[test]
fn hashes_are_even() {
    for (algorithm, tolerance) in hashes(8).into_iter().zip([0.1, 0.1, 0.35]) {
        let mut counts = [0_u32; 8];
        for value in 0..100_000 {
            counts[algorithm.locate(&Key::Int(value), &Weights::Binary).unwrap()] += 1;
        }
        let even = 12_500.0;
        for count in counts {
            assert!((f64::from(count) - even).abs() < even * tolerance, "{counts:?}");
        }
    }
}

#[test]
fn shards_and_parts_by_one_hash_are_even() {
    let (shards, parts) =
        (algorithm(Rule::Hash { seed: 0 }, 8), algorithm(Rule::Hash { seed: 1 }, 4));
    let mut counts = [0_u32; 32];
    for value in 0..32_000 {
        let key = Key::Int(value);
        let shard = shards.locate(&key, &Weights::Binary).unwrap();
        counts[shard * 4 + parts.locate(&key, &Weights::Binary).unwrap()] += 1;
    }
    assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
}

#[test]
fn one_shard_more_moves_few_keys() {
    let jumps = (algorithm(Rule::Jump { seed: 0 }, 8), algorithm(Rule::Jump { seed: 0 }, 9));
    for (before, after) in [jumps, (consistent(8), consistent(9))] {
        let mut moved = 0;
        for value in 0..20_000 {
            let key = Key::Int(value);
            let from = before.locate(&key, &Weights::Binary).unwrap();
            let to = after.locate(&key, &Weights::Binary).unwrap();
            if from != to {
                assert_eq!(to, 8, "keys move only to the new shard");
                moved += 1;
            }
        }
        assert!((1500..3000).contains(&moved), "{}: {moved}", before.name());
    }
}

#[test]
fn short_integer_ranges() {
    let modulo = algorithm(Rule::Modulo, 8);
    let (low, high) = (Key::Int(6), Key::Int(9));
    let found =
        modulo.locate_range(Bound::Included(&low), Bound::Excluded(&high), &Weights::Binary);
    assert_eq!(found, [0, 6, 7]);
    let hash = algorithm(Rule::Hash { seed: 0 }, 64);
    assert_eq!(hash.locate_integers(5, 6).len(), 2);
    assert_eq!(hash.locate_integers(5, 5_000).len(), 64);
    assert_eq!(hash.locate_integers(i128::MIN, i128::MAX).len(), 64);
    assert!(hash.locate_integers(6, 5).is_empty());
    // 5.5 may be a key of a decimal column.
    let found = hash.locate_range(Bound::Included(&low), Bound::Included(&high), &Weights::Binary);
    assert_eq!(found.len(), 64);
}

#[test]
fn ranges_prune() {
    let rule = ranges(&["0", "1000", "2000"], true, None);
    let between = |low: i128, high: i128| rule.locate_integers(low, high);
    assert_eq!(between(5, 1000), [1, 2]);
    assert_eq!(between(5, 999), [1]);
    assert_eq!(between(-9, -1), [0]);
    assert_eq!(between(3000, 4000), [3]);
    let (low, high) = (time("2024-03-05"), time("2024-05-01"));
    let found =
        months(None).locate_range(Bound::Included(&low), Bound::Excluded(&high), &Weights::Binary);
    assert_eq!(found, [2, 3]);
    let found = months(Some(0)).locate_range(
        Bound::Unbounded,
        Bound::Excluded(&time("2023-01-01")),
        &Weights::Binary,
    );
    assert_eq!(found, [0]);
}

/// The catalog of the example rules, which users copy.
fn example() -> Catalog {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let (config, _) = crate::config::load(&path, &|_| None).unwrap();
    Catalog::new(&config).unwrap()
}

#[test]
fn example_rules() {
    let catalog = example();
    let shop = catalog.schema("shop").unwrap();
    assert_eq!(shop.shards().len(), 10);
    let name = |id: ShardId| catalog.shard(id).unwrap().name.as_str();
    assert_eq!(name(shop.default_shard), "c0/shop");
    assert_eq!(catalog.shard_named("c0/shop"), Some(shop.default_shard));
    let unnamed = shop.table("carts");
    assert_eq!(unnamed.kind, TableKind::Single { shard: shop.default_shard });
    assert_eq!(name(shop.table("products").shards()[0]), "c1/shop");
    assert_eq!(shop.table("regions").shards().len(), 10);
    assert_eq!(shop.table("ORDERS").name, "orders");
    let group = |table: &str| shop.table(table).sharded().unwrap().group;
    assert_eq!(group("orders"), group("order_items"));
    assert_eq!(group("users"), group("payments"));
    assert_ne!(group("users"), group("orders"));
}

#[test]
fn example_physical_tables() {
    let catalog = example();
    let shop = catalog.schema("shop").unwrap();
    let payments = shop.table("payments");
    let Some(Parts { key, kind: PartsKind::Time(parts) }) = &payments.sharded().unwrap().parts
    else {
        panic!()
    };
    assert_eq!(key, "paid_at");
    let physical = parts.name("payments", &time("2026-03-04 05:06:07")).unwrap();
    assert_eq!(physical, "payments_2026030405");
    let audit = shop.table("audit_log");
    let audit = audit.sharded().unwrap();
    assert_eq!(audit.algorithm.locate(&Key::Null, &Weights::Binary).unwrap(), 0);
    let Some(Parts { kind: PartsKind::Fixed { names, algorithm }, .. }) = &audit.parts else {
        panic!()
    };
    let target = algorithm.locate(&Key::Int(7), &Weights::Binary).unwrap();
    assert_eq!(names[target], "audit_log_3");
}

/// Where rows lie must not change from one version to the next.
#[test]
fn placement_is_stable() {
    let catalog = example();
    let shop = catalog.schema("shop").unwrap();
    let shard = |table: &str, key: Key| {
        let table = shop.table(table);
        let sharded = table.sharded().unwrap();
        let target = sharded.algorithm.locate(&key, &Weights::Binary).unwrap();
        catalog.shard(sharded.shards[target]).unwrap().name.clone()
    };
    let users: Vec<String> = (1..=4).map(|id| shard("users", Key::Int(id))).collect();
    let orders: Vec<String> = (1..=4).map(|id| shard("orders", Key::Int(id))).collect();
    assert_eq!(users, ["c1/shop_0", "c0/shop_3", "c1/shop_0", "c0/shop_1"]);
    assert_eq!(orders, ["c1/shop_1", "c1/shop_0", "c0/shop_2", "c0/shop_2"]);
    assert_eq!(shard("customers", text("us")), "c1/shop");
    assert_eq!(shard("customers", text("jp")), "c0/shop");
    assert_eq!(shard("invoices", Key::Int(1_000_000)), "c1/shop_0");
    assert_eq!(shard("events", time("2026-08-31 23:59:59")), "c1/shop_3");
    assert_eq!(shard("events", time("2026-02-01")), "c0/shop_1");
}

fn bound(kind: u8, key: &Key) -> Bound<&Key> {
    match kind {
        0 => Bound::Unbounded,
        1 => Bound::Included(key),
        _ => Bound::Excluded(key),
    }
}

fn inside(low: Bound<&Key>, high: Bound<&Key>, key: &Key) -> bool {
    let above = match low {
        Bound::Unbounded => true,
        Bound::Included(low) => key >= low,
        Bound::Excluded(low) => key > low,
    };
    let below = match high {
        Bound::Unbounded => true,
        Bound::Included(high) => key <= high,
        Bound::Excluded(high) => key < high,
    };
    above && below
}

/// Whatever a range prunes, the target of each value inside remains.
fn check_range(algorithm: &Algorithm, keys: [&Key; 3], kinds: (u8, u8)) {
    let (low, high) = (bound(kinds.0, keys[0]), bound(kinds.1, keys[1]));
    if !inside(low, high, keys[2]) {
        return;
    }
    let found = algorithm.locate_range(low, high, &Weights::Binary);
    assert!(found.is_sorted());
    if let Ok(target) = algorithm.locate(keys[2], &Weights::Binary) {
        assert!(found.contains(&target), "{algorithm:?} {low:?} {high:?} {}", keys[2]);
    }
}

proptest! {
    #[test]
    fn every_key_has_one_shard(value in any::<i64>(), count in 1_usize..70) {
        let spellings = [value.to_string(), format!("{value}.0"), format!("{value}0e-1")];
        let modulo = algorithm(Rule::Modulo, count);
        for algorithm in hashes(count).into_iter().chain([modulo]) {
            let target = algorithm.locate(&Key::Int(value.into()), &Weights::Binary).unwrap();
            prop_assert!(target < count);
            for spelling in &spellings {
                let key = Key::number(spelling).unwrap();
                prop_assert_eq!(algorithm.locate(&key, &Weights::Binary).unwrap(), target);
            }
        }
    }

    #[test]
    fn pruned_numbers_keep_their_shard(
        low in -40_i128..3000, high in -40_i128..3000, inner in -40_i128..3000,
        kinds in (0_u8..3, 0_u8..3), scale in 1_i128..1000,
    ) {
        let key = |value: i128| Key::Int(value / scale);
        let (low, high, inner) = (key(low), key(high), key(inner));
        let open = ranges(&["0", "3", "1000", "2000"], true, None);
        let closed = ranges(&["0", "3", "1000"], false, Some(4));
        let rules = [open, closed, list(None), list(Some(2)), algorithm(Rule::Modulo, 7)];
        for rule in rules.into_iter().chain(hashes(5)) {
            check_range(&rule, [&low, &high, &inner], kinds);
        }
    }

    #[test]
    fn pruned_strings_keep_their_shard(
        low in "[a-f0-5]{0,3}", high in "[a-f0-5]{0,3}", inner in "[a-f0-5]{0,3}",
        kinds in (0_u8..3, 0_u8..3),
    ) {
        let (low, high, inner) = (text(&low), text(&high), text(&inner));
        // Bounds out of order, as a collation that the author did not think of may have them.
        let odd = ranges(&["c", "b", "e"], true, None);
        for rule in [odd, ranges(&["b", "ee"], false, Some(0)), list(None), list(Some(1))] {
            check_range(&rule, [&low, &high, &inner], kinds);
        }
    }

    #[test]
    fn pruned_times_keep_their_shard(
        low in 0_i64..20_000, high in 0_i64..20_000, inner in 0_i64..20_000,
        kinds in (0_u8..3, 0_u8..3),
    ) {
        use jiff::ToSpan as _;
        let start: jiff::civil::DateTime = "2023-10-01".parse().unwrap();
        let key = |hours: i64| Key::Time(start.checked_add(hours.hours()).unwrap());
        let (low, high, inner) = (key(low), key(high), key(inner));
        let days = ranges(&["2024-01-01", "2025-01-01"], true, None);
        for rule in [months(None), months(Some(4)), days] {
            check_range(&rule, [&low, &high, &inner], kinds);
        }
    }
}
