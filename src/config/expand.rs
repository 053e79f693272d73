//! Patterns of names: `c{0..1}/shop_{0..3}` stands for eight shards.

/// More names than this are a slip of the pen.
const NAMES_MAX: usize = 4096;

/// Every name of a pattern. `{0..3}` counts, `{00..15}` counts with leading zeros, `{a,b}` lists. All
/// combinations are made; the rightmost braces change fastest: `c0/shop_0`, `c0/shop_1`, ...
pub(super) fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let mut names = vec![String::new()];
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        let (inside, tail) = after
            .split_once('}')
            .ok_or_else(|| format!("`{pattern}` has `{{` without `}}`; write `{{0..3}}`"))?;
        let choices = choices(inside)?;
        if names.len().saturating_mul(choices.len()) > NAMES_MAX {
            return Err(format!("`{pattern}` stands for more than {NAMES_MAX} names"));
        }
        let with = |name: &String| {
            let stem = format!("{name}{before}");
            choices.iter().map(move |choice| format!("{stem}{choice}")).collect::<Vec<_>>()
        };
        names = names.iter().flat_map(with).collect();
        rest = tail;
    }
    if rest.contains('}') {
        return Err(format!("`{pattern}` has `}}` without `{{`; write `{{0..3}}`"));
    }
    names.iter_mut().for_each(|name| name.push_str(rest));
    Ok(names)
}

fn choices(inside: &str) -> Result<Vec<String>, String> {
    let bad = || {
        format!("`{{{inside}}}` is neither a count such as `{{0..3}}` nor a list such as `{{a,b}}`")
    };
    let Some((first, last)) = inside.split_once("..") else {
        let choices: Vec<String> = inside.split(',').map(|part| part.trim().to_owned()).collect();
        let usable = choices.iter().all(|choice| !choice.is_empty() && !choice.contains('{'));
        return if usable { Ok(choices) } else { Err(bad()) };
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(first) || !digits(last) {
        return Err(bad());
    }
    let width = if first.starts_with('0') && first.len() > 1 { first.len() } else { 0 };
    let parse = |text: &str| text.parse::<u32>().map_err(|_| bad());
    let (first, last) = (parse(first)?, parse(last)?);
    if first > last {
        return Err(format!("`{{{inside}}}` counts down; write `{{{last}..{first}}}`"));
    }
    if (last - first) as usize >= NAMES_MAX {
        return Err(format!("`{{{inside}}}` stands for more than {NAMES_MAX} names"));
    }
    Ok((first..=last).map(|number| format!("{number:0width$}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, expect: &str) {
        let found =
            expand(pattern).map_or_else(|error| format!("!{error}"), |names| names.join(" "));
        assert_eq!(found, expect);
    }

    #[test]
    fn patterns() {
        check("c0/shop", "c0/shop");
        check("c{0..1}/s_{0..2}", "c0/s_0 c0/s_1 c0/s_2 c1/s_0 c1/s_1 c1/s_2");
        check("t_{08..11}", "t_08 t_09 t_10 t_11");
        check("{eu, us}_x", "eu_x us_x");
        check("c{1..0}", "!`{1..0}` counts down; write `{0..1}`");
        check("c{0..1", "!`c{0..1` has `{` without `}`; write `{0..3}`");
        check("c0..1}", "!`c0..1}` has `}` without `{`; write `{0..3}`");
        check("{}", "!`{}` is neither a count such as `{0..3}` nor a list such as `{a,b}`");
        check("{a..c}", "!`{a..c}` is neither a count such as `{0..3}` nor a list such as `{a,b}`");
        check("{0..9999}", "!`{0..9999}` stands for more than 4096 names");
        check("{0..99}{0..99}", "!`{0..99}{0..99}` stands for more than 4096 names");
    }
}
