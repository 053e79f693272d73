//! `/*margay: ... */` comments.

use crate::error::{Error, ErrorKind, Result};

use super::statement::{Consistency, Hints};

/// Reads the content of a comment into `hints` if it is addressed to Margay.
///
/// Errors: an unknown hint or a malformed value, since a misspelt hint must not be dropped silently.
pub(super) fn read(comment: &[u8], hints: &mut Hints) -> Result<()> {
    let Some(content) = comment.trim_ascii_start().strip_prefix(b"margay:") else {
        return Ok(());
    };
    let content = std::str::from_utf8(content)
        .map_err(|_| Error::new(ErrorKind::Syntax, "margay hint is not valid UTF-8"))?;
    let words = content.split(|c: char| c == ',' || c.is_ascii_whitespace());
    for word in words.filter(|word| !word.is_empty()) {
        match word.split_once('=') {
            None if word == "primary" => hints.primary = true,
            Some(("shard", shard)) if !shard.is_empty() => hints.shard = Some(shard.to_owned()),
            Some(("read", level)) => hints.read = Some(consistency(level)?),
            Some(("timeout", time)) => hints.timeout_ms = Some(milliseconds(time)?),
            _ => return Err(unknown(word)),
        }
    }
    Ok(())
}

fn unknown(word: &str) -> Error {
    Error::new(
        ErrorKind::Syntax,
        format!(
            "unknown margay hint `{word}`; write `primary`, `shard=<cluster>/<database>`, \
             `read=<level>` such as `read=strong`, or `timeout=<time>` such as `timeout=5s`"
        ),
    )
}

fn consistency(level: &str) -> Result<Consistency> {
    match level {
        "eventual" => Ok(Consistency::Eventual),
        "session" => Ok(Consistency::Session),
        "strong" => Ok(Consistency::Strong),
        _ => Err(Error::new(
            ErrorKind::Syntax,
            format!(
                "margay hint `read={level}` is no level; write `eventual`, `session` or `strong`"
            ),
        )),
    }
}

/// `5s`, `250ms`, `2m`.
fn milliseconds(time: &str) -> Result<u64> {
    let digits = time.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match &time[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => 0,
    };
    match digits.parse::<u64>().ok().and_then(|number| number.checked_mul(scale)) {
        Some(ms) if ms > 0 => Ok(ms),
        _ => Err(Error::new(
            ErrorKind::Syntax,
            format!("margay hint `timeout={time}` is not a time; write `250ms`, `5s` or `2m`"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(comment: &str, expect: Result<Hints, &str>) {
        let mut hints = Hints::default();
        match (read(comment.as_bytes(), &mut hints), expect) {
            (Ok(()), Ok(expect)) => assert_eq!(hints, expect, "{comment}"),
            (Err(error), Err(expect)) => assert!(error.message().contains(expect), "{error}"),
            (result, _) => panic!("{comment}: {result:?}"),
        }
    }

    #[test]
    fn reads_hints() {
        let primary = Hints { primary: true, ..Hints::default() };
        check(" anything else ", Ok(Hints::default()));
        check("margay: primary ", Ok(primary.clone()));
        check(" margay:primary", Ok(primary.clone()));
        check(
            "margay: primary, shard=c0/shop_1 timeout=5s",
            Ok(Hints { shard: Some("c0/shop_1".into()), timeout_ms: Some(5000), ..primary }),
        );
        check("margay: timeout=250ms", Ok(Hints { timeout_ms: Some(250), ..Hints::default() }));
        let strong = Hints { read: Some(Consistency::Strong), ..Hints::default() };
        check("margay: read=strong", Ok(strong));
        check("margay: read=weak", Err("`read=weak` is no level"));
        check("margay: primry", Err("unknown margay hint `primry`"));
        check("margay: shard=", Err("unknown margay hint `shard=`"));
        check("margay: timeout=5", Err("not a time"));
        check("margay: timeout=0s", Err("not a time"));
        check("margay: timeout=99999999999999999999s", Err("not a time"));
    }
}
