//! Mistakes in rule files: where, what, and what to write instead.

use std::fmt;
use std::sync::Arc;

/// A place in a rule file. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub file: Arc<str>,
    pub line: u64,
    pub column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        Ok(())
    }
}

/// A mistake, or as a warning something that works but is hardly meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub place: Place,
    /// Lower case, without a final stop.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// Everything wrong that was found so far, in the order of the checks.
#[derive(Debug, Default)]
pub(super) struct Problems {
    found: Vec<Problem>,
    warnings: Vec<Problem>,
    /// Places with values that cannot be used: what else is wrong with them is only a consequence.
    spoiled: Vec<Place>,
}

impl Problems {
    /// Adds the one problem that is to be reported of the value at `place`.
    pub(super) fn spoil(&mut self, place: &Place, message: impl Into<String>) {
        self.add(place, message);
        self.spoiled.push(place.clone());
    }

    pub(super) fn add(&mut self, place: &Place, message: impl Into<String>) {
        let problem = Problem { place: place.clone(), message: message.into() };
        if !self.found.contains(&problem) && !self.spoiled.contains(place) {
            self.found.push(problem);
        }
    }

    pub(super) fn none(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn warn(&mut self, place: &Place, message: impl Into<String>) {
        self.warnings.push(Problem { place: place.clone(), message: message.into() });
    }

    /// The value and the warnings if nothing was wrong, else all problems by file and line.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<(T, Vec<Problem>), Vec<Problem>> {
        match value {
            Some(value) if self.found.is_empty() => Ok((value, sorted(self.warnings))),
            Some(_) | None => Err(sorted(self.found)),
        }
    }
}

fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|a, b| {
        let order = |problem: &Problem| (problem.place.line, problem.place.column);
        (&a.place.file, order(a)).cmp(&(&b.place.file, order(b)))
    });
    problems
}

/// `; did you mean ...` if a known name is close to `name`, else `; known are ...`, else nothing.
pub(super) fn suggestion<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let lower = name.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&lower, &known.to_lowercase());
    let near = known
        .iter()
        .map(|known| (distance(known), *known))
        .filter(|(distance, known)| *distance <= (known.chars().count() / 3).max(1))
        .min();
    match near {
        Some((_, near)) => format!("; did you mean `{near}`?"),
        None if known.is_empty() || known.len() > 20 => String::new(),
        None => format!("; known are {}", names(known)),
    }
}

/// `` `a`, `b` ``.
pub(super) fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, known: &[&str], expect: &str) {
        assert_eq!(suggestion(name, known.iter().copied()), expect);
    }

    #[test]
    fn suggestions() {
        check("hsh", &["hash", "list"], "; did you mean `hash`?");
        check("Hash", &["hash", "list"], "; did you mean `hash`?");
        check("mod", &["hash", "list"], "; known are `hash`, `list`");
        check("mod", &[], "");
    }
}
