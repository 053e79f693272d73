//! Plans of shapes: a statement that runs by the plan of another one with other values runs as if it had
//! been planned itself.
//!
//! Statements are made of those of the golden plans and of some with traps in them: literals are
//! exchanged for others, slots or not. Whatever has the shape of the statement that it was made of then
//! has the same tree, and by the plan of that statement it gets the same targets, texts and refusals.
//! `MARGAY_TEST_PLANS` says how many statements are compared.

use margay::plan::Plan;
use margay::plan::facts::{Facts, Stop};
use margay::plan::ids;
use margay::plan::key::Run;
use margay::plan::known::{Hidden, Known};
use margay::plan::planner::{Context, plan};
use margay::plan::render::{Rendered, render, render_insert};
use margay::plan::resolve::{insert_targets, limited, targets, write_targets};
use margay::plan::template::Target;
use margay::plan::types::Insert;
use margay::sql::expr::Literal;
use margay::sql::hide::hide;
use margay::sql::scanner::scan;
use margay::sql::shape::{Shape, alike};
use margay::sql::token::TokenKind;
use margay::sql::{Mode, parse};

use super::plan::{Case, Fixture, directory, fixture};

/// Forms whose literals mean more than a value, and plain ones beside them.
const TRAPS: &[&str] = &[
    "SELECT id, 5, 'x' FROM orders WHERE user_id = 5 ORDER BY 1 LIMIT 5, 10",
    "SELECT user_id = 5, 'a' 'b' FROM orders WHERE user_id = 7 GROUP BY 1, 2",
    "SELECT id FROM orders WHERE user_id = 5 AND note = 'a' 'b'",
    "SELECT id FROM orders WHERE user_id = -5 AND id > - 7 AND total < +3",
    "SELECT id FROM orders WHERE user_id = 2 + 2 AND id = 3",
    "SELECT id FROM orders WHERE user_id = (5) OR user_id IN (1, 2, 3) OR (user_id = 4 AND 1 = 0)",
    "SELECT id FROM orders WHERE user_id <=> 5 AND id <=> 6",
    "SELECT id FROM orders WHERE user_id IN (1, '2', 3.0, NULL, -4) AND note IN ('a', 'b')",
    "SELECT id FROM orders WHERE (user_id, id) IN ((1, 2), (3, 4)) AND 1",
    "SELECT id FROM orders WHERE user_id BETWEEN 5 AND 5 AND id BETWEEN 1 AND 10 + 5",
    "SELECT id FROM orders WHERE NOT user_id <> 5 AND note LIKE 'a%' AND note NOT LIKE 'b' ESCAPE '|'",
    "SELECT id FROM orders WHERE user_id = 5 AND total > 3 * 2 AND id % 2 = 1 AND id + 1 = 7",
    "SELECT id FROM orders WHERE user_id = 0x05 OR user_id = b'101' OR note = _latin1'x' OR note = N'y'",
    "SELECT /*+ MAX_EXECUTION_TIME(1000) */ id FROM orders /* 5 */ WHERE user_id = 5 -- 7",
    "SELECT id FROM orders WHERE user_id = TRUE AND id = FALSE AND note = 'x\\'y' AND total = 1e0",
    "SELECT id FROM orders AS o WHERE o.user_id = 5 AND EXISTS (SELECT 1 FROM regions WHERE id = 3)",
    "SELECT a.id FROM orders a JOIN orders b ON a.user_id = b.user_id AND b.user_id = 5 WHERE a.id = 3",
    "SELECT id FROM orders WHERE user_id = CASE WHEN id = 1 THEN 2 ELSE 3 END AND user_id = 5",
    "SELECT COUNT(*) FROM orders WHERE user_id = 5 HAVING COUNT(*) > 3",
    "SELECT id FROM orders WHERE user_id = 5 UNION ALL SELECT id FROM orders WHERE user_id = 6 LIMIT 3",
    "UPDATE orders SET note = 'a', total = total + 5, id = -3 WHERE user_id = 5 AND id = 3 LIMIT 1",
    "DELETE FROM orders WHERE user_id = 5 AND id IN (1, 2) ORDER BY id LIMIT 2",
    "INSERT INTO orders (id, user_id, note) VALUES (1, 5, 'x')",
    "INSERT INTO orders (id, user_id, note) VALUES (1, 5, 'x'), (2, 6, CONCAT('a', 'b')), (-3, 7, NULL)",
    "INSERT INTO orders SET id = 1, user_id = 5, note = 'x'",
    "INSERT INTO orders (id, user_id, note) VALUES (1, 2 + 2, 'x') ON DUPLICATE KEY UPDATE note = 'y'",
    "REPLACE INTO orders (id, user_id) VALUES (1, 5)",
    "INSERT INTO regions (id) VALUES (1)",
    "SELECT * FROM payments WHERE paid_at = '2026-01-02 10:00:00' AND user_id = 5",
    "SELECT * FROM payments WHERE paid_at BETWEEN '2026-01-01' AND '2026-01-02' AND user_id = 5",
];

const INTEGERS: &[&str] =
    &["0", "1", "2", "3", "5", "6", "007", "4294967296", "18446744073709551616"];
const DECIMALS: &[&str] = &["1.0", "2.50", "0.4", "5."];
const FLOATS: &[&str] = &["1e0", "5E+1", "1.5e-3", "1e400"];
const TEXTS: &[&str] = &[
    "''",
    "'a'",
    "'A '",
    "'it''s'",
    "'x\\'y'",
    "'\\\\'",
    "\"q\"",
    "'5'",
    "'5x'",
    "'é'",
    "'2026-01-02 10:00:00'",
    "'2026-01-01'",
];
const OTHERS: &[&str] =
    &["NULL", "TRUE", "0x05", "X'41'", "b'1'", "N'z'", "-1", "?", "(5)", "5 + 1"];

/// What a statement does.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// What each target is sent, and what is made of the answers.
    Sent(Vec<(Target, Rendered)>, String),
    Refused(String),
    /// By a plan of another kind.
    Other,
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((mixed ^ (mixed >> 27)) >> 16) as usize
    }

    fn pick<'t>(&mut self, list: &[&'t str]) -> &'t str {
        list[self.next() % list.len()]
    }
}

/// The statement with some of its literals exchanged.
fn varied(text: &str, mode: Mode, random: &mut Random) -> Option<String> {
    let scan = scan(text.as_bytes(), &mode).ok()?;
    let mut out = String::new();
    let mut done = 0;
    for token in scan.tokens {
        let own = match token.kind {
            TokenKind::Integer => INTEGERS,
            TokenKind::Decimal => DECIMALS,
            TokenKind::Float => FLOATS,
            TokenKind::String => TEXTS,
            _ => continue,
        };
        let new = match random.next() % 32 {
            0 => random.pick(OTHERS),
            1 => random.pick(TEXTS),
            2..=20 => random.pick(own),
            _ => continue,
        };
        let span = token.span.range();
        out += &text[done..span.start];
        out += new;
        done = span.end;
    }
    Some(out + &text[done..])
}

/// The tree without the places where things stand.
fn tree(statement: &margay::sql::Statement) -> String {
    let all = format!("{statement:?}");
    let mut out = String::with_capacity(all.len());
    let mut rest = all.as_str();
    while let Some(at) = rest.find("_at: ").into_iter().chain(rest.find("Span {")).min() {
        let end = rest[at..].find([',', '}']).map_or(rest.len(), |end| at + end);
        out += &rest[..at];
        rest = match rest[at..].starts_with("Span") {
            true => &rest[at + rest[at..].find('}').expect("a span has an end") + 1..],
            false => &rest[end..],
        };
    }
    out + rest
}

struct Bench {
    fixture: Fixture,
    facts: Facts,
    mode: Mode,
}

impl Bench {
    fn context(&self) -> Context<'_> {
        Context {
            catalog: &self.fixture.catalog,
            facts: &self.facts,
            schema: Some("shop"),
            mode: self.mode,
            temporaries: &[],
            anywhere: false,
        }
    }

    /// Asks until no fact is missing.
    fn settled<T>(&mut self, step: impl Fn(&Self) -> Result<T, Stop>) -> Result<T, String> {
        loop {
            match step(self) {
                Ok(done) => return Ok(done),
                Err(Stop::Error(error)) => return Err(error.to_string()),
                Err(Stop::Need(need)) => {
                    let mut facts = std::mem::take(&mut self.facts);
                    self.fixture.fetch(need, &mut facts);
                    self.facts = facts;
                }
            }
        }
    }

    fn outcome(&mut self, plan: &Plan, hidden: Option<Hidden<'_>>, params: usize) -> Outcome {
        let params = vec![Literal::Integer("5".into()); params];
        let done = self.settled(|bench| {
            let run = Run {
                catalog: &bench.fixture.catalog,
                facts: &bench.facts,
                params: &params,
                charset: "utf8mb4",
                cluster: None,
                hidden,
            };
            sent(plan, &run)
        });
        match done {
            Ok(Some((sent, merge))) => Outcome::Sent(sent, merge),
            Ok(None) => Outcome::Other,
            Err(message) => Outcome::Refused(message),
        }
    }
}

type Sent = (Vec<(Target, Rendered)>, String);

fn sent(plan: &Plan, run: &Run<'_>) -> Result<Option<Sent>, Stop> {
    let mut merge = String::new();
    let (template, found) = match plan {
        Plan::Select(select) => {
            let found = targets(&select.place, run)?;
            if found.len() == 1 {
                (&select.route, found)
            } else {
                let Ok(scatter) = &select.scatter else { return Ok(None) };
                let limited = limited(&scatter.merge, scatter.limit.as_ref(), run)?;
                merge = format!("{limited:?} {:?}", scatter.columns);
                (&scatter.template, found)
            }
        }
        Plan::Write(write) => (&write.template, write_targets(write, run)?),
        Plan::Insert(insert) => return Ok(Some((inserted(insert, run)?, merge))),
        Plan::Feed(_) | Plan::Load(_) | Plan::Ddl(_) => return Ok(None),
    };
    let render = |target: Target| Ok((target.clone(), render(template, &target, run)?));
    Ok(Some((found.into_iter().map(render).collect::<Result<_, Stop>>()?, merge)))
}

fn inserted(insert: &Insert, run: &Run<'_>) -> Result<Vec<(Target, Rendered)>, Stop> {
    let numbered = match &insert.ids {
        None => insert.clone(),
        Some(given) => {
            let numbering = ids::numbering(insert, given, false, run)?;
            let number = |(index, wanted): (usize, &bool)| wanted.then_some(1000 + index as u64);
            let numbers: Vec<Option<u64>> =
                numbering.wanted.iter().enumerate().map(number).collect();
            ids::fill(insert, &numbers, None)
        }
    };
    insert_targets(&numbered, run)?
        .into_iter()
        .map(|(target, rows)| {
            let rendered = render_insert(&numbered, &target, &rows, run)?;
            Ok((target, rendered))
        })
        .collect()
}

#[derive(Debug, Default)]
struct Tally {
    /// Statements with a plan of their shape.
    kept: usize,
    /// Shapes that are planned one by one.
    never: usize,
    compared: usize,
    /// Of these, such as went where they would have gone.
    sent: usize,
    refused: usize,
}

/// Compares statements that `base` is varied to.
fn check(bench: &mut Bench, base: &str, count: usize, random: &mut Random, tally: &mut Tally) {
    let mode = bench.mode;
    let shape = |text: &str| {
        let scan = scan(text.as_bytes(), &mode).ok()?;
        Shape::of(text.as_bytes(), &scan, mode, (Some("shop"), 1))
    };
    let (Ok(statement), Some(own)) = (parse(base.as_bytes(), &mode), shape(base)) else { return };
    let text = base.as_bytes();
    let known = bench.settled(|it| Known::new(text, statement.clone(), &own.slots, &it.context()));
    // A statement that is refused when it is planned is never kept.
    let Ok(known) = known else { return };
    let Some(known) = known else {
        tally.never += 1;
        return;
    };
    tally.kept += 1;
    for _ in 0..count {
        let Some(other) = varied(base, mode, random) else { continue };
        let Some(found) = shape(&other) else { continue };
        let alike = alike((text, &own.slots), (other.as_bytes(), &found.slots));
        assert_eq!(alike, own.hash == found.hash, "{base}\n{other}");
        assert_eq!(alike, known.fits(other.as_bytes(), &found.slots, Some("shop"), mode));
        if alike {
            compare(bench, &known, (base, &other), &found, tally);
        }
    }
}

/// What a statement does by the plan of another one, and by its own.
fn outcomes(bench: &mut Bench, known: &Known, text: &str, shape: &Shape) -> (Outcome, Outcome) {
    let bytes = text.as_bytes();
    let statement = parse(bytes, &bench.mode).expect("it is a statement");
    let params = usize::from(statement.params);
    let fresh = match bench.settled(|it| plan(&statement, bytes, &it.context())) {
        Ok(plan) => bench.outcome(&plan, None, params),
        Err(message) => Outcome::Refused(message),
    };
    let given = |_| Ok(Some(Literal::Integer("5".into())));
    let values = known.values(bytes, &shape.slots, given).expect("all values are given");
    let values = Hidden::new(bytes, &shape.slots, &values);
    (bench.outcome(&known.plan, Some(values), params), fresh)
}

fn compare(
    bench: &mut Bench,
    known: &Known,
    (base, text): (&str, &str),
    shape: &Shape,
    tally: &mut Tally,
) {
    tally.compared += 1;
    let bytes = text.as_bytes();
    let told = || format!("by the plan of: {base}\n            this: {text}");
    let statement = parse(bytes, &bench.mode).unwrap_or_else(|e| panic!("{e}\n{}", told()));
    let mut hidden = statement;
    hide(&mut hidden, bytes, &shape.slots, bench.mode).unwrap_or_else(|| panic!("{}", told()));
    assert_eq!(tree(&hidden), tree(&known.statement), "{}", told());
    let (kept, fresh) = outcomes(bench, known, text, shape);
    let is_insert = matches!(known.plan, Plan::Insert(_));
    match kept {
        Outcome::Sent(..) => {
            tally.sent += 1;
            assert_eq!(kept, fresh, "{}", told());
        }
        // Another plan is made.
        Outcome::Other => {}
        Outcome::Refused(_) if !is_insert => {}
        Outcome::Refused(_) => {
            tally.refused += 1;
            assert_eq!(kept, fresh, "{}", told());
        }
    }
}

#[test]
fn kept_plans_are_those_of_each_statement() {
    let wanted = std::env::var("MARGAY_TEST_PLANS").ok().and_then(|text| text.parse().ok());
    let wanted: usize = wanted.unwrap_or(100_000);
    let mut bases: Vec<String> = TRAPS.iter().map(|text| (*text).to_owned()).collect();
    for entry in std::fs::read_dir(directory()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let cases: Vec<Case> =
                serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
            bases.extend(cases.into_iter().map(|case| case.sql));
        }
    }
    bases.sort();
    let plain = Mode::default();
    let modes = [
        plain,
        Mode { no_backslash_escapes: true, ..plain },
        Mode { ansi_quotes: true, ..plain },
        Mode { pipes_as_concat: true, high_not_precedence: true, ignore_space: true, ..plain },
    ];
    let mut random = Random(7);
    let mut tally = Tally::default();
    let mut round = 0;
    while tally.compared < wanted {
        let mode = modes[round % modes.len()];
        let mut bench = Bench { fixture: fixture(), facts: Facts::default(), mode };
        for base in &bases {
            // After one round in each mode the plans are made of other statements, too.
            let other = varied(base, mode, &mut random).filter(|_| round >= modes.len());
            check(&mut bench, other.as_ref().unwrap_or(base), 8, &mut random, &mut tally);
        }
        round += 1;
    }
    assert!(tally.sent * 2 > tally.compared, "{tally:?}");
}

/// What would come of a plan for another shape: the comparison sees it.
#[test]
fn plans_of_other_shapes_are_found_out() {
    let mut bench = Bench { fixture: fixture(), facts: Facts::default(), mode: Mode::default() };
    for (one, other) in [
        ("SELECT id FROM orders WHERE id = 1 ORDER BY 1 LIMIT 5", "LIMIT 6"),
        ("SELECT id FROM orders WHERE id = 1 ORDER BY 1, user_id", "ORDER BY 2, user_id"),
        ("SELECT id FROM orders WHERE user_id IN (1, 2)", "IN (1, 2, 3)"),
        ("SELECT id FROM orders WHERE user_id = 5", "user_id = -5"),
        ("SELECT id FROM orders WHERE user_id = 5 OR 1 = 0", "OR 1 = 1"),
        ("UPDATE orders SET note = 'a' WHERE user_id <=> 1", "user_id <=> NULL"),
        ("INSERT INTO orders (id, user_id) VALUES (1, 5)", "VALUES (1, 5), (2, 6)"),
    ] {
        let head = match other.split_once(' ').unwrap().0 {
            "LIMIT" => one.rsplit_once(" LIMIT").unwrap().0,
            "ORDER" => one.rsplit_once(" ORDER").unwrap().0,
            "OR" => one.rsplit_once(" OR").unwrap().0,
            "IN" => one.rsplit_once(" IN").unwrap().0,
            "VALUES" => one.rsplit_once(" VALUES").unwrap().0,
            _ => one.rsplit_once(" user_id").unwrap().0,
        };
        let text = format!("{head} {other}");
        let shape = |text: &str| {
            let scan = scan(text.as_bytes(), &bench.mode).unwrap();
            Shape::of(text.as_bytes(), &scan, bench.mode, (Some("shop"), 1)).unwrap()
        };
        let (own, found) = (shape(one), shape(&text));
        let statement = parse(one.as_bytes(), &bench.mode).unwrap();
        let known = bench
            .settled(|it| Known::new(one.as_bytes(), statement.clone(), &own.slots, &it.context()));
        let known = known.unwrap().unwrap_or_else(|| panic!("{one}"));
        assert!(!known.fits(text.as_bytes(), &found.slots, Some("shop"), bench.mode), "{text}");
        let (kept, fresh) = outcomes(&mut bench, &known, &text, &found);
        assert_ne!(kept, fresh, "{one} | {text}");
    }
}
