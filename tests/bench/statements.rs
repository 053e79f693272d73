//! What Margay's own work on a statement costs: reading it, planning it, merging its rows.
//!
//! `cargo bench --bench statements`. Each part is what one statement, or one row, takes.

use std::hint::black_box;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use margay::catalog::Catalog;
use margay::config::{Source, parse as parse_rules};
use margay::merge::{
    ColumnRef, Fold, FoldKind, Input, Limits, Merge, OrderKey, RowFormat, Spec, Step,
};
use margay::plan::Plan;
use margay::plan::facts::{Column, ColumnClass, Columns, Facts, TableId};
use margay::plan::key::Run;
use margay::plan::known::{Hidden, Known};
use margay::plan::planner::{Context, plan};
use margay::plan::render::{Rendered, render, render_insert};
use margay::plan::resolve::{insert_targets, targets, write_targets};
use margay::protocol::capability::ColumnType;
use margay::protocol::column;
use margay::protocol::write::put_lenenc_bytes;
use margay::sql::shape::Shape;
use margay::sql::{Mode, parse, scanner};

const RULES: &str = "
clusters:
  c0: {primary: '127.0.0.1:3311', user: margay, password: x}
users:
  app: {password: x, schemas: {shop: [read, write]}}
schemas:
  shop:
    default_shard: c0/shop
    tables:
      sbtest1: {shards: 'c0/shop_{0..7}', key: id, algorithm: hash}
";

/// What the benchmarks of sysbench send, and what an ORM does.
const STATEMENTS: &[(&str, &str)] = &[
    ("point", "SELECT c FROM sbtest1 WHERE id=5001"),
    (
        "orm",
        "SELECT `s`.`id`, `s`.`k`, `s`.`c`, `s`.`pad` FROM `sbtest1` AS `s` WHERE `s`.`id` = 123456 \
         AND `s`.`c` = 'active' LIMIT 1",
    ),
    ("list", "SELECT c FROM sbtest1 WHERE id IN (5001, 4993, 5025, 4981, 5013, 5007, 4999, 5020)"),
    ("single", "SELECT c FROM elsewhere WHERE id=5001"),
    ("update", "UPDATE sbtest1 SET k=k+1, pad='22195207048-70116052123' WHERE id=4985"),
    (
        "insert",
        "INSERT INTO sbtest1 (id, k, c, pad) VALUES (5001, 4993, '83868641912-28773972837-6073612', \
         '67847967377-48000963322-62604785301')",
    ),
];

fn facts() -> Facts {
    let column = |(name, class): (&str, ColumnClass)| Column {
        name: name.into(),
        class,
        declared: String::new(),
        nullable: false,
        auto_increment: false,
        invisible: false,
        primary: name == "id",
        generated: false,
    };
    let integer = ColumnClass::Integer { unsigned: false };
    let text = ColumnClass::Text { collation: "utf8mb4_0900_ai_ci".into(), fixed: true };
    let columns = [("id", integer.clone()), ("k", integer), ("c", text.clone()), ("pad", text)];
    let columns = columns.into_iter().map(column).collect();
    let mut facts = Facts::default();
    let id = TableId { schema: "shop".into(), table: "sbtest1".into() };
    facts.columns.insert(id, Some(Arc::new(Columns { columns, rows: 0, unique: None })));
    facts
}

/// What is sent.
fn sent(plan: &Plan, run: &Run<'_>) -> Rendered {
    let place = |target, template| render(template, target, run).expect("it can be rendered");
    match plan {
        Plan::Select(select) => {
            place(&targets(&select.place, run).expect("it has targets")[0], &select.route)
        }
        Plan::Write(write) => {
            place(&write_targets(write, run).expect("it has targets")[0], &write.template)
        }
        Plan::Insert(insert) => {
            let placed = insert_targets(insert, run).expect("it has targets");
            let (target, rows) = &placed[0];
            render_insert(insert, target, rows, run).unwrap_or_else(|_| panic!("it has all facts"))
        }
        Plan::Feed(_) | Plan::Load(_) | Plan::Ddl(_) => panic!("no statement of the benchmark"),
    }
}

fn run<'r>(catalog: &'r Catalog, hidden: Option<Hidden<'r>>, facts: &'r Facts) -> Run<'r> {
    Run { catalog, facts, params: &[], charset: "utf8mb4", cluster: None, hidden }
}

fn statements(criterion: &mut Criterion) {
    let source = Source { name: "rules.yaml".into(), text: RULES.into() };
    let config = parse_rules(&[source], &|_| None).expect("the rules are right").0;
    let catalog = Catalog::new(&config).expect("the rules are right");
    let known_facts = facts();
    let mode = Mode::default();
    let reading = (Some("shop"), 1);
    let context = Context {
        catalog: &catalog,
        facts: &known_facts,
        schema: Some("shop"),
        mode,
        temporaries: &[],
        anywhere: true,
    };
    let nothing = Facts::default();
    for (name, text) in STATEMENTS {
        let text = text.as_bytes();
        let scan = scanner::scan(text, &mode).expect("it can be scanned");
        let shape = Shape::of(text, &scan, mode, reading).expect("it has a shape");
        let statement = parse(text, &mode).expect("it can be parsed");
        let known = Known::new(text, statement, &shape.slots, &context);
        let known = known.ok().flatten().expect("its plan can be kept");
        criterion.bench_function(&format!("{name}/scan and shape"), |bench| {
            bench.iter(|| {
                let scan = scanner::scan(black_box(text), &mode).expect("it can be scanned");
                Shape::of(text, &scan, mode, reading)
            })
        });
        criterion.bench_function(&format!("{name}/by a kept plan"), |bench| {
            bench.iter(|| {
                let scan = scanner::scan(black_box(text), &mode).expect("it can be scanned");
                let shape = Shape::of(text, &scan, mode, reading).expect("it has a shape");
                assert!(known.fits(text, &shape.slots, Some("shop"), mode));
                let values =
                    known.values(text, &shape.slots, |_| Ok(None)).expect("there are none");
                let hidden = Hidden::new(text, &shape.slots, &values);
                sent(&known.plan, &run(&catalog, Some(hidden), &nothing))
            })
        });
        criterion.bench_function(&format!("{name}/planned"), |bench| {
            bench.iter(|| {
                let statement = parse(black_box(text), &mode).expect("it can be parsed");
                let plan = plan(&statement, text, &context);
                let plan = plan.unwrap_or_else(|_| panic!("it can be planned"));
                sent(&plan, &run(&catalog, None, &known_facts))
            })
        });
    }
}

const INPUTS: usize = 8;
const ROWS: u64 = 10_000;

/// Rows of a number and a text, in the order of the number, which `every` rows of each input share.
fn rows(every: u64) -> Vec<Bytes> {
    let row = |index: u64| {
        let number = (index / every).to_string();
        let mut row = BytesMut::new();
        put_lenenc_bytes(&mut row, number.as_bytes());
        put_lenenc_bytes(&mut row, b"83868641912-28773972837-60736120486-75162659906");
        row.freeze()
    };
    (0..ROWS / INPUTS as u64).map(row).collect()
}

fn merged(spec: &Spec, columns: &[column::Column], inputs: &[Vec<Bytes>]) -> u64 {
    let shards: Vec<Input<'_>> =
        inputs.iter().map(|_| Input { name: "c0/shop", columns }).collect();
    let limits = Limits { sort_rows: u64::MAX, sort_bytes: u64::MAX };
    let mut merge = Merge::new(spec, &shards, RowFormat::Text, limits).expect("it can be merged");
    let mut streams: Vec<_> = inputs.iter().map(|rows| rows.iter()).collect();
    let mut count = 0;
    loop {
        match merge.step().expect("the rows are in order") {
            Step::Need(input) => {
                let row = streams[input].next().cloned();
                merge.feed(input, row).expect("the row is right");
            }
            Step::NeedAny => panic!("the merge has keys"),
            Step::Row(row) => count += black_box(row).len() as u64,
            Step::Done => return count,
        }
    }
}

fn merges(criterion: &mut Criterion) {
    let columns = [
        column::Column::computed("k", ColumnType::MYSQL_TYPE_LONGLONG, 63),
        column::Column::computed("c", ColumnType::MYSQL_TYPE_VAR_STRING, 255),
    ];
    let key = OrderKey { value: ColumnRef::Visible(0), weight: None, pad: None, descending: false };
    let order = Spec { order: vec![key], ..Spec::default() };
    let smallest = Fold { column: ColumnRef::Visible(0), kind: FoldKind::Sum };
    let group = Spec { order: vec![key], group: Some(vec![smallest]), ..Spec::default() };
    let distinct = Spec { order: vec![key], distinct: true, ..Spec::default() };
    let mut group_of = criterion.benchmark_group("merge 8 inputs");
    group_of.throughput(Throughput::Elements(ROWS));
    for (name, spec, every) in
        [("order by", &order, 1), ("group by", &group, 8), ("distinct", &distinct, 8)]
    {
        let inputs = vec![rows(every); INPUTS];
        group_of.bench_function(name, |bench| bench.iter(|| merged(spec, &columns, &inputs)));
    }
    group_of.finish();
}

criterion_group!(benches, statements, merges);
criterion_main!(benches);
