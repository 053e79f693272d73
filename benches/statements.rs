//! What Margay's own work on a statement costs.
use criterion::{Criterion, criterion_group, criterion_main};
use margay::sql::{self, Mode, scanner, shape::Shape};
use std::hint::black_box;

fn scanner(c: &mut Criterion) {
    let texts = [
        ("point", "SELECT c FROM sbtest1 WHERE id=5001"),
        (
            "orm",
            "SELECT `u`.`id`, `u`.`name`, `u`.`email` FROM `users` AS `u` WHERE `u`.`id` = 123456 AND `u`.`state` = 'active' LIMIT 1",
        ),
        (
            "insert",
            "INSERT INTO sbtest1 (id, k, c, pad) VALUES (5001, 4993, '83868641912-28773972837-60736120486', '67847967377-48000963322-62604785301')",
        ),
    ];
    for (name, text) in texts {
        let text = text.as_bytes();
        c.bench_function(&format!("scan/{name}"), |b| {
            b.iter(|| scanner::scan(black_box(text), &Mode::default()))
        });
        let scan = scanner::scan(text, &Mode::default()).unwrap();
        c.bench_function(&format!("shape/{name}"), |b| {
            b.iter(|| Shape::of(black_box(text), &scan, Mode::default(), (Some("shop"), 1)))
        });
        c.bench_function(&format!("parse/{name}"), |b| {
            b.iter(|| sql::parse(black_box(text), &Mode::default()))
        });
    }
}
criterion_group!(benches, scanner);
criterion_main!(benches);
