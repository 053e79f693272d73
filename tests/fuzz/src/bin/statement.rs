//! Statements in every mode and character set: spans lie inside the text and do not overlap.

#![no_main]

use libfuzzer_sys::fuzz_target;
use margay::sql::charset::Charset;
use margay::sql::scanner::scan;
use margay::sql::{Mode, parse};

const SETS: [&str; 6] = ["utf8mb4", "latin1", "gbk", "big5", "sjis", "gb18030"];

fuzz_target!(|data: &[u8]| {
    let Some((&choice, text)) = data.split_first() else { return };
    let mode = Mode {
        ansi_quotes: choice & 1 != 0,
        no_backslash_escapes: choice & 2 != 0,
        pipes_as_concat: choice & 4 != 0,
        charset: Charset::of(SETS[usize::from(choice >> 3) % SETS.len()]),
        ..Mode::default()
    };
    let Ok(scanned) = scan(text, &mode) else { return };
    let mut end = 0;
    for token in &scanned.tokens {
        assert!(token.span.start >= end && token.span.end >= token.span.start);
        end = token.span.end;
    }
    assert_eq!(end as usize, text.len().max(end as usize));
    // Nested parentheses cost a parser much; the scanner alone sees longer texts.
    if text.len() < 2000 {
        let _ = parse(text, &mode);
    }
});
