//! Samples to a table.

use std::fmt::Write as _;

use super::run::Sample;

/// The samples of a cell, by target, in the order of rounds.
pub(super) struct Row {
    /// Such as `point text 16`.
    pub(super) cell: String,
    pub(super) targets: Vec<(&'static str, Vec<Sample>)>,
}

/// The target that the others are compared with, and the one that has no proxy.
const PEER: &str = "haproxy";
const DIRECT: &str = "direct";

/// The heading of all rows, as Markdown.
pub(super) fn heading() -> String {
    let columns = [
        "cell",
        "target",
        "statements/s",
        "p95 ms",
        "CPU us",
        "of it user",
        "CPU : HAProxy",
        "user : HAProxy",
        "p95 : HAProxy",
        "statements/s : direct",
        "CPU : servers",
    ];
    format!("| {} |\n|{}", columns.join(" | "), "---|".repeat(columns.len()))
}

impl Row {
    /// A line for each target. Behind a median stand the least and the greatest value.
    pub(super) fn lines(&self) -> String {
        let mut lines = String::new();
        for (name, samples) in &self.targets {
            let cpu = |it: &Sample| it.user + it.system;
            let _ = write!(
                lines,
                "| {} | {name} | {} | {} | {} | {} |",
                self.cell,
                spread(samples, |it| it.rate, 0),
                spread(samples, |it| it.p95, 2),
                spread(samples, cpu, 1),
                spread(samples, |it| it.user, 1),
            );
            let ratios = [
                self.ratio(samples, PEER, cpu),
                self.ratio(samples, PEER, |it| it.user),
                self.ratio(samples, PEER, |it| it.p95),
                self.ratio(samples, DIRECT, |it| it.rate),
                format!("{:.3}", median(samples, cpu) / median(samples, |it| it.server)),
            ];
            let shown = ratios.map(|ratio| if *name == DIRECT { String::new() } else { ratio });
            let _ = writeln!(lines, " {} |", shown.join(" | "));
        }
        lines
    }

    /// The ratio of medians to another target.
    fn ratio(&self, samples: &[Sample], other: &str, value: impl Fn(&Sample) -> f64) -> String {
        let other = self.targets.iter().find(|(name, _)| *name == other);
        match other.map(|(_, others)| median(others, &value)) {
            Some(base) if base > 0.0 => format!("{:.2}", median(samples, &value) / base),
            Some(_) | None => String::new(),
        }
    }
}

fn sorted(samples: &[Sample], value: impl Fn(&Sample) -> f64) -> Vec<f64> {
    let mut values: Vec<f64> = samples.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(samples: &[Sample], value: impl Fn(&Sample) -> f64) -> f64 {
    let values = sorted(samples, value);
    let middle = values.len() / 2;
    match (values.get(middle.wrapping_sub(1)), values.get(middle)) {
        (Some(low), Some(high)) if values.len().is_multiple_of(2) => (low + high) / 2.0,
        (_, Some(value)) => *value,
        (_, None) => f64::NAN,
    }
}

fn spread(samples: &[Sample], value: impl Fn(&Sample) -> f64, digits: usize) -> String {
    let values = sorted(samples, &value);
    match (values.first(), values.last()) {
        (Some(least), Some(most)) if samples.len() > 1 => {
            let median = median(samples, &value);
            format!("{median:.digits$} ({least:.digits$}-{most:.digits$})")
        }
        (Some(only), _) => format!("{only:.digits$}"),
        (None, _) => "none".to_owned(),
    }
}

#[test]
fn a_row() {
    let sample = |rate, user| Sample { rate, p95: 2.0, user, system: 10.0, server: 40.0 };
    let row = Row {
        cell: "point".to_owned(),
        targets: vec![
            ("haproxy", vec![sample(100.0, 2.0)]),
            ("margay", vec![sample(50.0, 2.0), sample(200.0, 8.0), sample(60.0, 4.0)]),
        ],
    };
    let expect = "| point | haproxy | 100 | 2.00 | 12.0 | 2.0 | 1.00 | 1.00 | 1.00 |  | 0.300 |\n\
                  | point | margay | 60 (50-200) | 2.00 (2.00-2.00) | 14.0 (12.0-18.0) | 4.0 (2.0-8.0) \
                  | 1.17 | 2.00 | 1.00 |  | 0.350 |\n";
    assert_eq!(row.lines(), expect);
}
