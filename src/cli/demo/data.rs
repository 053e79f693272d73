//! Sample rows for the tables of `rules/shop.sql`, the same at each run but for their times.

use jiff::ToSpan as _;
use jiff::civil::DateTime;
use mysql_async::Value;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

const SEED: u64 = 3307;
/// Payments lie in the hourly tables of the last hours.
pub(super) const PAYMENT_HOURS: u32 = 6;
const PRODUCTS: u32 = 40;
const REGIONS: [&str; 5] = ["Africa", "Americas", "Asia", "Europe", "Oceania"];
const COUNTRIES: [&str; 9] = ["de", "fr", "it", "es", "us", "ca", "mx", "jp", "br"];
const STATUSES: [&str; 4] = ["new", "paid", "shipped", "returned"];
const METHODS: [&str; 3] = ["card", "transfer", "wallet"];
const EVENTS: [&str; 4] = ["login", "search", "checkout", "logout"];
const ACTIONS: [&str; 3] = ["price changed", "refund granted", "user blocked"];
const FIRST_NAMES: [&str; 12] = [
    "Ada", "Björn", "Chiara", "Dmitri", "Elif", "Fatou", "Grace", "Hiro", "Inés", "Jan", "Kofi",
    "Lena",
];
const LAST_NAMES: [&str; 10] = [
    "Almeida", "Brandt", "Çelik", "Diallo", "Eriksen", "Fontaine", "García", "Hopper", "Ito",
    "Novák",
];
const KINDS: [&str; 5] = ["lamp", "chair", "kettle", "backpack", "notebook"];
const LOOKS: [&str; 8] = ["red", "blue", "green", "black", "white", "small", "large", "folding"];
const OPINIONS: [&str; 5] = ["Broke at once", "Not for me", "It's all right", "Good", "Love it"];

/// Rows for one table.
pub(super) struct Rows {
    pub table: &'static str,
    pub columns: &'static [&'static str],
    pub rows: Vec<Vec<Value>>,
}

/// Makes rows for `users` users and what they do, up to the local time `now`.
pub(super) fn generate(users: u32, now: DateTime) -> Vec<Rows> {
    let mut maker = Maker { random: StdRng::seed_from_u64(SEED), users: users.max(1), now };
    let (orders, order_items) = maker.orders();
    vec![
        regions(),
        maker.products(),
        maker.users(),
        maker.comments(),
        orders,
        order_items,
        maker.customers(),
        maker.invoices(),
        maker.audit_log(),
        maker.events(),
        maker.payments(),
    ]
}

fn regions() -> Rows {
    let rows = (1..).zip(REGIONS).map(|(id, name): (u32, _)| vec![id.into(), name.into()]);
    Rows { table: "regions", columns: &["id", "name"], rows: rows.collect() }
}

struct Maker {
    random: StdRng,
    users: u32,
    now: DateTime,
}

impl Maker {
    fn products(&mut self) -> Rows {
        let names = KINDS.iter().flat_map(|kind| LOOKS.iter().map(move |look| (look, kind)));
        let rows = (1..=PRODUCTS).zip(names).map(|(id, (look, kind))| {
            vec![id.into(), format!("{look} {kind}").into(), price(id).into()]
        });
        Rows { table: "products", columns: &["id", "name", "price"], rows: rows.collect() }
    }

    fn users(&mut self) -> Rows {
        let rows = (1..=self.users).map(|id| {
            let (first, last) = (self.pick(&FIRST_NAMES), self.pick(&LAST_NAMES));
            let region = self.random.random_range(1..=REGIONS.len());
            vec![
                id.into(),
                format!("{first} {last}").into(),
                format!("user{id}@example.com").into(),
                region.into(),
                self.moment_within(60 * 24 * 365),
            ]
        });
        let rows = rows.collect();
        let columns = &["id", "name", "email", "region_id", "created_at"];
        Rows { table: "users", columns, rows }
    }

    fn comments(&mut self) -> Rows {
        let rows = (1..=self.users.saturating_mul(2)).map(|id| {
            let stars = self.random.random_range(1..=OPINIONS.len());
            let body = OPINIONS.get(stars - 1).copied().unwrap_or_default();
            vec![id.into(), self.product().into(), self.user(), stars.into(), body.into()]
        });
        let rows = rows.collect();
        let columns = &["id", "product_id", "user_id", "stars", "body"];
        Rows { table: "comments", columns, rows }
    }

    fn orders(&mut self) -> (Rows, Rows) {
        let (mut orders, mut items) = (Vec::new(), Vec::new());
        for id in 1..=self.users.saturating_mul(3) {
            let user = self.user();
            let mut total = 0;
            for line in 1..=self.random.random_range(1..=3_u32) {
                let (product, quantity) = (self.product(), self.random.random_range(1..=4_u32));
                let cents = cents(product);
                total += cents * quantity;
                items.push(vec![
                    id.into(),
                    line.into(),
                    user.clone(),
                    product.into(),
                    quantity.into(),
                    money(cents).into(),
                ]);
            }
            let status = self.pick(&STATUSES).into();
            let at = self.moment_within(60 * 24 * 30);
            orders.push(vec![id.into(), user, status, at, money(total).into()]);
        }
        let columns = &["id", "user_id", "status", "ordered_at", "total"];
        let orders = Rows { table: "orders", columns, rows: orders };
        let columns = &["order_id", "line", "user_id", "product_id", "quantity", "price"];
        (orders, Rows { table: "order_items", columns, rows: items })
    }

    fn customers(&mut self) -> Rows {
        let rows = (1..=self.users / 4 + 9).map(|id| {
            let country = COUNTRIES[id as usize % COUNTRIES.len()];
            let company = format!("{} & {}", self.pick(&LAST_NAMES), self.pick(&LAST_NAMES));
            vec![id.into(), country.into(), company.into()]
        });
        let rows = rows.collect();
        Rows { table: "customers", columns: &["id", "country", "company"], rows }
    }

    /// Half of the numbers are on each side of the border of the rule, one million.
    fn invoices(&mut self) -> Rows {
        let count = self.users / 2 + 10;
        let rows = (1_000_000 - count / 2..1_000_000 + count / 2).map(|number| {
            let customer = self.random.random_range(1..=self.users / 4 + 9);
            let amount = self.random.random_range(500..900_000_u32);
            let due = self.now.date().saturating_add(self.random.random_range(-20..40).days());
            let due = Value::from(due.to_string());
            vec![number.into(), customer.into(), money(amount).into(), due]
        });
        let rows = rows.collect();
        let columns = &["number", "customer_id", "amount", "due_on"];
        Rows { table: "invoices", columns, rows }
    }

    fn audit_log(&mut self) -> Rows {
        let rows = (1..=self.users / 2 + 10).map(|id| {
            let (actor, action) = (self.pick(&FIRST_NAMES), self.pick(&ACTIONS));
            vec![id.into(), actor.into(), action.into(), self.moment_within(60 * 24 * 7)]
        });
        let rows = rows.collect();
        Rows { table: "audit_log", columns: &["id", "actor", "action", "at"], rows }
    }

    fn events(&mut self) -> Rows {
        let rows = (1..=self.users.saturating_mul(2)).map(|id| {
            let at = self.moment_within(60 * 24 * 300);
            vec![id.into(), at, self.pick(&EVENTS).into(), self.user()]
        });
        let rows = rows.collect();
        Rows { table: "events", columns: &["id", "happened_at", "kind", "user_id"], rows }
    }

    fn payments(&mut self) -> Rows {
        let rows = (1..=self.users.saturating_mul(5)).map(|id| {
            let amount = self.random.random_range(100..50_000_u32);
            vec![
                id.into(),
                self.user(),
                // The present hour counts as one.
                self.moment_within(60 * (i64::from(PAYMENT_HOURS) - 1)),
                money(amount).into(),
                self.pick(&METHODS).into(),
            ]
        });
        let rows = rows.collect();
        let columns = &["id", "user_id", "paid_at", "amount", "method"];
        Rows { table: "payments", columns, rows }
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from.choose(&mut self.random).copied().unwrap_or_default()
    }

    fn user(&mut self) -> Value {
        self.random.random_range(1..=self.users).into()
    }

    fn product(&mut self) -> u32 {
        self.random.random_range(1..=PRODUCTS)
    }

    /// A time within the last `minutes`, as text without fractions.
    fn moment_within(&mut self, minutes: i64) -> Value {
        let seconds = self.random.random_range(0..minutes * 60);
        let moment = self.now.saturating_sub(seconds.seconds());
        moment.strftime("%Y-%m-%d %H:%M:%S").to_string().into()
    }
}

fn price(product: u32) -> String {
    money(cents(product))
}

fn cents(product: u32) -> u32 {
    500 + product * 137 % 4_500
}

fn money(cents: u32) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::datetime;

    #[test]
    fn fits_the_tables() {
        let now = datetime(2026, 3, 1, 12, 30, 0, 0);
        let all = generate(50, now);
        for Rows { table, columns, rows } in &all {
            assert!(!rows.is_empty(), "{table}");
            assert!(rows.iter().all(|row| row.len() == columns.len()), "{table}");
        }
        let payments = all.iter().find(|rows| rows.table == "payments").unwrap();
        let paid: Vec<String> =
            payments.rows.iter().map(|row| mysql_async::from_value(row[2].clone())).collect();
        assert!(
            paid.iter()
                .all(|at| at.as_str() >= "2026-03-01 07:30:00"
                    && at.as_str() <= "2026-03-01 12:30:00")
        );
    }

    #[test]
    fn writes_money() {
        assert_eq!(money(5), "0.05");
        assert_eq!(price(1), "6.37");
    }
}
