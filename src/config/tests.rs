//! Whole rule files.

use std::path::Path;

use super::*;

fn env(name: &str) -> Option<String> {
    (name == "PORT").then(|| "3399".to_owned())
}

fn parse_text(text: &str) -> Checked {
    parse(&[Source { name: "f.yaml".into(), text: text.into() }], &env)
}

/// The rules around a table, so that tests write only the table. It begins in column 7 of line 6.
fn with_table(table: &str) -> String {
    format!(
        "clusters:\n  c0: {{primary: 'h:1', user: u}}\n  c1: {{primary: 'h:2', user: u}}\n\
         schemas:\n  shop: {{default_shard: c0/shop, tables: {{\n      {table}\n      }}}}\n"
    )
}

/// The problems or warnings of a table, one a line.
fn check(table: &str, expect: &[&str]) {
    let found = match parse_text(&with_table(table)) {
        Ok((_, warnings)) => warnings,
        Err(problems) => problems,
    };
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    let expect: Vec<String> = expect.iter().map(|line| format!("f.yaml:{line}")).collect();
    assert_eq!(found, expect, "{table}");
}

/// The checked form of a table.
fn table(text: &str) -> Table {
    let (config, warnings) = parse_text(&with_table(text)).unwrap();
    assert_eq!(warnings, []);
    config.schemas["shop"].tables.values().next_back().unwrap().clone()
}

#[test]
fn example_rules_are_right() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let (config, warnings) = load(&path, &|_| None).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(config.clusters.len(), 2);
    assert_eq!(config.schemas["shop"].tables.len(), 11);
    assert_eq!(config.settings.limits.max_allowed_packet, Size(64 << 20));
    let Table::Sharded(orders) = &config.schemas["shop"].tables["orders"] else { panic!() };
    let names: Vec<&str> = orders.shards.iter().map(|shard| shard.name.as_str()).collect();
    assert_eq!(names[..5], ["c0/shop_0", "c0/shop_1", "c0/shop_2", "c0/shop_3", "c1/shop_0"]);
}

#[test]
fn defaults() {
    let (config, _) = parse_text(&with_table("t: {single: c1/x}")).unwrap();
    let settings = &config.settings;
    assert_eq!(settings.listen.to_string(), "127.0.0.1:3307");
    assert_eq!(settings.reads, Reads::Session);
    assert_eq!(settings.limits.scatter_streams, 256);
    assert_eq!(settings.health.lag_limit, std::time::Duration::from_secs(5));
    assert_eq!(settings.limits.statement_timeout, None);
}

#[test]
fn algorithms() {
    let shards = "shards: 'c{0..1}/s', key: k";
    check(
        &format!("t: {{{shards}, algorithm: hsh}}"),
        &["6:51: unknown algorithm `hsh`; did you mean `hash`?"],
    );
    check(
        &format!("t: {{{shards}, algorithm: {{hash: {{nul: c0/s}}}}}}"),
        &["6:59: unknown key `nul`; did you mean `null`?"],
    );
    check(
        &format!("t: {{{shards}, algorithm: {{modulo: {{count: 4}}}}}}"),
        &["6:68: `count` is 4, but the table has 2 shards; write 2"],
    );
    check(
        &format!(
            "t: {{{shards}, algorithm: {{range: {{ranges: [{{below: 5, to: c0/s}}, {{below: 5, to: c2/s}}]}}}}}}"
        ),
        &[
            "6:99: `5` does not come after `5`; write the ranges in rising order",
            "6:106: `c2/s` is no shard of this table; did you mean `c0/s`?",
        ],
    );
    check(
        &format!(
            "t: {{{shards}, algorithm: {{list: {{values: {{c0/s: [1, eu, 1]}}, default: other}}}}}}"
        ),
        &[
            "6:82: the value `1` is already listed at f.yaml:6:75",
            "6:96: `other` is no shard of this table; known are `c0/s`, `c1/s`",
        ],
    );
    check(
        &format!("t: {{{shards}, algorithm: {{time: {{unit: mnth, from: x, keep: 5d}}}}}}"),
        &[
            "6:65: unknown unit `mnth`; did you mean `month`?",
            "6:77: `x` is no moment; write `2024-01-01` or `2024-01-01 00:00:00`",
            "6:86: `keep` is for physical tables; remove it, or move the rule to `tables`",
        ],
    );
    check(&format!("t: {{{shards}, algorithm: {{consistent_hash: {{replicas: 65535}}}}}}"), &[]);
    check(
        "t: {shards: 'c0/s_{0..99}', key: k, algorithm: {consistent_hash: {replicas: 65535}}}",
        &["6:54: a ring of 6553500 points is too large; use at most 10000 `replicas`"],
    );
    check(&format!("t: {{{shards}, algorithm: {{time: {{unit: day, from: 2024-01-01}}}}}}"), &[]);
    check(
        &format!("t: {{{shards}, algorithm: {{list: {{values: {{c0/s: [7], c1/s: ['007']}}}}}}}}"),
        &["6:86: to a column of numbers, `007` is the value listed at f.yaml:6:75"],
    );
    check(
        &format!("t: {{{shards}, algorithm: {{list: {{values: {{c0/s: [1]}}}}}}}}"),
        &["6:51: no value goes to the shard `c1/s`"],
    );
}

#[test]
fn kinds() {
    check("t: {broadcast: []}", &["6:22: the list is empty; name at least one shard"]);
    check(
        "t: {}",
        &[
            "6:10: what kind of table is it? write one of `single`, `broadcast`, `shards`, `colocated_with`",
        ],
    );
    check(
        "t: {single: c0/s, key: k}",
        &["6:30: `key` cannot stand beside `single`; remove one of them"],
    );
    check(
        "t: {single: shop}",
        &["6:19: `shop` is not a shard; write cluster and database, such as `c0/shop`"],
    );
    check("t: {single: c9/s}", &["6:19: unknown cluster `c9` in `c9/s`; did you mean `c0`?"]);
    check("t: {broadcast: [c0/s, 'c{0..1}/s']}", &["6:29: shard `c0/s` is listed twice"]);
    check(
        "t: {shards: 'c{0..1}/s'}",
        &[
            "6:10: `key` is missing: a table over shards needs it",
            "6:10: `algorithm` is missing: a table over shards needs it",
        ],
    );
    check(
        "t: {single: c0/s, id: {column: id}}",
        &["6:29: a table on one shard needs no `id`: its server counts AUTO_INCREMENT columns"],
    );
    check(
        "t: {broadcast: c0/s, id: {column: id}}",
        &[
            "6:32: a broadcast table takes no `id`: every copy gets the text of an INSERT as it is, with the \
             ids that are in it; give them there, or make it a table over shards",
        ],
    );
    check(
        "t: {shards: c0/s, key: k, algorithm: hash, id: {column: id, generator: uuid}}",
        &["6:78: unknown value `uuid`; known are `auto`, `snowflake`, `segment`"],
    );
}

#[test]
fn children() {
    let orders = "orders: {shards: 'c{0..1}/s', key: u, algorithm: hash},\n      ";
    check(
        &format!("{orders}items: {{colocated_with: ordrs, key: k}}"),
        &["7:31: unknown table `ordrs`; did you mean `orders`?"],
    );
    check(
        &format!("{orders}items: {{colocated_with: orders}}"),
        &["7:14: `key` is missing: a table over shards needs it"],
    );
    check(
        &format!("{orders}a: {{colocated_with: b, key: k}}, b: {{colocated_with: orders, key: k}}"),
        &["7:27: `b` follows `orders` itself; name that table"],
    );
    check(
        "p: {single: c0/s}, t: {colocated_with: p, key: k}",
        &["6:46: `p` is not spread over shards; only such a table can be followed"],
    );
}

#[test]
fn children_inherit_physical_tables() {
    let text = "a: {shards: 'c{0..1}/s', key: k, algorithm: hash, tables: {names: 'a_{0..1}', \
                key: k, algorithm: hash}}, b: {colocated_with: a, key: a_k}";
    let Table::Sharded(sharded) = table(text) else { panic!() };
    let parts = sharded.parts.unwrap();
    assert_eq!(parts.key, "a_k");
    let PartsKind::Fixed { names, .. } = parts.kind else { panic!() };
    assert_eq!(names, ["b_0", "b_1"]);
    let other = text.replace("'a_{0..1}', key: k", "'a_{0..1}', key: other");
    let Table::Sharded(sharded) = table(&other) else { panic!() };
    assert_eq!(sharded.parts, None);
}

#[test]
fn physical_tables() {
    let time = |rule: &str| {
        format!("t: {{single: c0/s, tables: {{key: d, algorithm: {{time: {{{rule}}}}}}}}}")
    };
    check(&time("unit: day, suffix: '_%Y%m%d'"), &[]);
    check(
        &time("unit: day, suffix: '_%Y%m'"),
        &["6:80: the suffix of one table per day is made of %Y%m%d, or %Y%j"],
    );
    check(
        &time("unit: day"),
        &["6:53: `suffix` is missing; write `suffix: \"_%Y%m%d\"` for one table a day"],
    );
    check(
        &time("unit: day, suffix: '_%Y%m%d', default: t, keep: 5"),
        &[
            "6:109: expected a duration over zero with its unit (ms, s, m, h, d, w), such as `5s` or `200ms`, found the number 5",
        ],
    );
    check(
        &time("unit: day, suffix: '_%Y%m%d', default: t"),
        &[
            "6:100: `t` is the pattern that new tables are made like, and holds no rows; name another table",
        ],
    );
    check(
        "t: {single: c0/s, tables: {key: d, algorithm: modulo}}",
        &["6:33: `names` is missing; write `names: \"t_{0..3}\"`"],
    );
    check(
        "t: {single: c0/s, tables: {names: 'x_{0..1}', key: d, algorithm: modulo}},
      u: {single: c0/s, tables: {names: x_1, key: d, algorithm: modulo}}",
        &["7:7: the physical table `x_1` belongs to `t` already"],
    );
    check(
        "t: {shards: 'c{0..1}/s_{0..3}', key: k, algorithm: modulo, tables: {names: 't_{0..3}', key: k, algorithm: modulo}}",
        &[
            "6:74: shards and physical tables are both chosen by `k` modulo 8 and modulo 4, which have the \
           common divisor 4: 24 of 32 physical tables stay empty; use hash, or counts without a common divisor",
        ],
    );
}

#[test]
fn bookkeeping_is_in_a_database_that_can_be() {
    let check = |name: &str, expect: Option<&str>| {
        let text = format!(
            "clusters: {{c0: {{primary: 'h:1', user: u}}}}\nschemas: {{shop: {{default_shard: c0/shop}}}}\n\
             transactions: {{database: '{name}'}}\n"
        );
        let found = parse_text(&text).map(drop).map_err(|problems| problems[0].to_string());
        match (found, expect) {
            (Ok(()), None) => {}
            (Err(found), Some(expect)) => assert!(found.contains(expect), "{name}: {found}"),
            (found, expect) => panic!("{name}: {found:?}, expected {expect:?}"),
        }
    };
    check("margay", None);
    check("mysql", Some("`transactions.database`: `mysql` is MySQL's own; use another name"));
    check("ends ", Some("`transactions.database`: `ends ` is no name of a database in MySQL"));
    check(&"n".repeat(65), Some("is no name of a database in MySQL, which has 1 to 64 characters"));
}

/// Everything that is wrong shows at once, in the order of the file.
#[test]
fn all_problems_at_once() {
    let text = "\
listn: 127.0.0.1:3307
limits: {max_connections: many, sort_bytes: 64}
clusters:
  c0: {primary: localhost, user: u, password: 12, tls: on}
  c1: {primary: 'h:${PORT}', user: '${NOBODY}', replicas: ['h:3399']}
users:
  app: {password: p, schemas: {shp: [read, writ]}, default_schema: shop}
schemas:
  shop:
    default_shard: c1/shop
    tables:
      a: {single: c5/shop}
      a: {single: c1/shop}
";
    let found: Vec<String> =
        parse_text(text).unwrap_err().iter().map(ToString::to_string).collect();
    let expect = [
        "1:1: unknown key `listn`; did you mean `listen`?",
        "2:27: expected a whole number from 1 to 4294967295, found the text `many`",
        "2:45: expected a size over zero with its unit (B, KiB, MiB, GiB, KB, MB, GB), such as `64MiB`, found the number 64",
        "4:17: expected an address such as `127.0.0.1:3306`, found the text `localhost`",
        "4:47: expected a password in quotes, such as '...'",
        "4:56: unknown value `on`; known are `disabled`, `preferred`, `required`, `verify_ca`, `verify_identity`",
        "5:36: environment variable `NOBODY` is not set; set it, or write `${NOBODY:-default}`",
        "7:32: unknown schema `shp`; did you mean `shop`?",
        "7:44: unknown value `writ`; did you mean `write`?",
        "7:68: the user has no grant in `shop`; add it to `schemas`",
        "12:19: unknown cluster `c5` in `c5/shop`; did you mean `c0`?",
        "13:7: `a` is already defined at f.yaml:12:7",
    ]
    .map(|line| format!("f.yaml:{line}"));
    assert_eq!(found, expect);
}

#[test]
fn clusters() {
    let text = "clusters: {c0: {primary: 'h:1', user: u, replicas: [{address: 'h:1'}], tls: verify_ca}}\n\
                schemas: {a: {default_shard: c0/a}}\n";
    let found: Vec<String> =
        parse_text(text).unwrap_err().iter().map(ToString::to_string).collect();
    let expect = [
        "f.yaml:1:12: `tls_ca` is missing: the `verify` modes need it",
        "f.yaml:1:53: the server h:1 is already in use above",
    ];
    assert_eq!(found, expect);
}

#[test]
fn encryption_and_compression() {
    let text = "clusters:\n  \
        c0: {primary: 'h:1', user: u, tls_cert: a.pem}\n  \
        c1: {primary: 'h:2', user: u, compression: zlib, compression_level: 10}\n  \
        c2: {primary: 'h:3', user: u, compression: zstd, compression_level: 22}\n\
        users: {app: {password: a, schemas: {s: [read]}, tls_subject: /CN=app}}\n\
        schemas: {s: {default_shard: c0/s}}\n";
    let problems = parse_text(text).unwrap_err();
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "f.yaml:2:3: `tls_cert` and `tls_key` need each other",
            "f.yaml:3:3: `compression_level` must be from 1 to 9",
            "f.yaml:5:9: the user needs a certificate; set `tls.ca` to check it by",
        ]
    );
    let right = "tls: {cert: a, key: b, ca: c}\n".to_owned()
        + &text.replace("cert: a.pem", "cert: a.pem, tls_key: b.pem").replace("10", "9");
    let (config, _) = parse_text(&right).unwrap();
    let found = config.clusters.iter().map(|it| (it.compression, it.compression_level));
    let expect = [(None, 1), (Some(Compression::Zlib), 9), (Some(Compression::Zstd), 22)];
    assert_eq!(found.collect::<Vec<_>>(), expect);
    assert_eq!(config.users["app"].tls, UserTls::Certificate);
}

#[test]
fn servers_that_gather_rows_are_known() {
    let text = "combine: {nodes: ['h:3306', 'h:3308']}\n\
                clusters: {c0: {primary: 'h:3306', user: u}}\n\
                schemas: {a: {default_shard: c0/a}}\n";
    let found: Vec<String> =
        parse_text(text).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        ["f.yaml:1:1: `combine.nodes`: no cluster has the server `h:3308`; did you mean `h:3306`?"]
    );
}

#[test]
fn files_merge_by_name() {
    let source = |name: &str, text: &str| Source { name: name.into(), text: text.into() };
    let one = "clusters: {c0: {primary: 'h:1', user: u}}\nschemas: {a: {default_shard: c0/a}}\n";
    let two =
        "clusters: {c1: {primary: 'h:2', user: u}}\nschemas: {b: {default_shard: c1/b}}\nusers:\n";
    let (config, _) = parse(&[source("1", one), source("2", two)], &env).unwrap();
    assert_eq!((config.clusters.len(), config.schemas.len()), (2, 2));
    let found = parse(&[source("1", one), source("2", one)], &env).unwrap_err();
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        ["2:1:12: `c0` is already defined at 1:1:12", "2:2:11: `a` is already defined at 1:2:11"]
    );
}

/// A file that is no YAML hides what it defines, so nothing else is said.
#[test]
fn broken_files() {
    let check = |text: &str, expect: &str| {
        let found: Vec<String> =
            parse_text(text).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(expect), "{}", found[0]);
    };
    check("clusters:\n  c0: {primary: h\nschemas: {}\n", "f.yaml:3:8: not valid YAML: ");
    check("clusters:\n\tc0: x\n", "f.yaml:2:2: not valid YAML: tabs ");
    check("a: *x\n", "f.yaml:1:4: not valid YAML: alias ");
    check("- a\n", "f.yaml:1:1: expected a map such as `clusters: ...`, found a list");
    check("--- {}\n--- {}\n", "f.yaml:2:5: not valid YAML: a second document begins here");
}

#[test]
fn nothing_at_all() {
    let found = load(Path::new("/nowhere/rules"), &env).unwrap_err();
    assert!(found[0].to_string().starts_with("/nowhere/rules: cannot read"), "{}", found[0]);
    let found: Vec<String> = parse_text("").unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn schema_knows_every_key() {
    let schema = json_schema();
    let table = &schema["properties"]["schemas"]["additionalProperties"]["properties"]["tables"]["additionalProperties"];
    assert_eq!(table["additionalProperties"], false);
    assert!(table["properties"]["algorithm"]["anyOf"][0]["enum"].to_string().contains("hash"));
    assert_eq!(schema["properties"]["limits"]["properties"]["max_connections"]["default"], 10000);
    assert_eq!(schema["properties"]["health"]["properties"]["interval"]["default"], "1s");
}

proptest::proptest! {
    /// Damaged files make problems, never panics.
    #[test]
    fn damage_is_reported(
        at in 0_usize..4000,
        length in 0_usize..40,
        text in "[a-z{}\\[\\]:,'\"$%&*0-9 \n-]{0,6}",
    ) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/shop.yaml");
        let clusters = "clusters: {c0: {primary: 'h:1', user: u}, c1: {primary: 'h:2', user: u}}\n";
        let mut rules = format!("{clusters}{}", std::fs::read_to_string(path).unwrap());
        let from = at.min(rules.len());
        let to = (from + length).min(rules.len());
        rules.replace_range(from..to, &text);
        if let Err(problems) = parse_text(&rules) {
            assert!(!problems.is_empty());
        }
    }
}

/// The examples of algorithms in the documentation.
#[test]
fn documented_algorithms() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    let text = std::fs::read_to_string(path).unwrap();
    let examples = text.lines().filter(|line| line.starts_with("algorithm: "));
    let mut count = 0;
    for line in examples {
        let rules =
            with_table(&format!("t: {{shards: ['c{{0..1}}/shop', c1/shop_3], key: k, {line}}}"));
        parse_text(&rules).unwrap();
        count += 1;
    }
    assert!(count >= 5);
}
