use proptest::prelude::*;

use super::*;

/// `fields enclosed escaped starting lines`, `-` for nothing.
fn delimiters(text: &str) -> Delimiters {
    let part = |part: &str| if part == "-" { Vec::new() } else { part.as_bytes().to_vec() };
    let parts: Vec<Vec<u8>> = text.split(' ').map(part).collect();
    let [fields, enclosed, escaped, starting, lines] = parts.try_into().unwrap();
    let lines = if lines == b"n" { b"\n".to_vec() } else { lines };
    Delimiters::new(&Format { fields, enclosed, escaped, starting, lines }).unwrap()
}

const ALL: [usize; 2] = [0, 1];

/// The rows of a file of two fields: `a|b` a row, `~` for NULL, `-` for a field that is missing.
fn rows(delimiters: &Delimiters, file: &[u8]) -> Vec<String> {
    let mut rest = file;
    let mut rows = Vec::new();
    while let Next::Row(row) = delimiters.next(rest, true, 2, &ALL) {
        let word = |field: &Option<Field>| match field {
            None => "-".to_owned(),
            Some(Field { value: None, .. }) => "~".to_owned(),
            Some(Field { value: Some(value), .. }) => String::from_utf8_lossy(value).into_owned(),
        };
        rows.push(row.fields.iter().map(word).collect::<Vec<_>>().join("|"));
        rest = &rest[row.len..];
    }
    rows
}

fn check(format: &str, file: &str, expect: &[&str]) {
    assert_eq!(rows(&delimiters(format), file.as_bytes()), expect, "{format}: {file}");
}

#[test]
fn fields_and_lines() {
    check(", - \\ - n", "a,b\nc,d", &["a|b", "c|d"]);
    check(", - \\ - n", "a\n\nb,c,d\ne,", &["a|-", "|-", "b|c", "e|-"]);
    check(", - \\ - n", "a\\,b,c\\\nd\n", &["a,b|c\nd"]);
    check(", - \\ - n", "\\N,N\n\\Nx,\\\\N\n", &["~|N", "Nx|\\N"]);
    check(", - - - n", "\\N,a\\\n", &["\\N|a\\"]);
    check("|| - \\ - \r\n", "a|b||c\r\nd||e\rf\r\n", &["a|b|c", "d|e\rf"]);
}

#[test]
fn enclosed_fields() {
    check(", \" \\ - n", "\"a,b\",c\n\"d\"\"e\",\"f\ng\"\n", &["a,b|c", "d\"e|f\ng"]);
    check(", \" \\ - n", "NULL,\"NULL\"\n\"\\N\",a\"b\"\n", &["~|NULL", "~|a\"b\""]);
    check(", \" \\ - n", "\"a\"b\",\"c\n", &["a\"b|\"c\n"]);
    check(", \" \" - n", "\"a\"\"b\",\"\\N\"\n\"\",c\n", &["a\"b|\\N", "|c"]);
}

#[test]
fn lines_with_a_start() {
    check(", - \\ xx n", "a,b\nno xxc,d\nxxe\nrest", &["c|d", "e|-"]);
    let row = delimiters(", - \\ xx n").next(b"..xxa,b\n", true, 2, &[1]);
    let field = Field { raw: 6..7, value: Some(b"b".to_vec()) };
    assert_eq!(row, Next::Row(Row { len: 8, body: 4, fields: vec![Some(field)] }));
}

#[test]
fn lines_passed_over() {
    let found = delimiters(", \" \\ - n");
    assert_eq!(found.line(b"\"a\nb\"\n", true), Some(3));
    assert_eq!(found.line(b"a\\\nb\nc", true), Some(5));
    assert_eq!(found.line(b"ab", false), None);
    assert_eq!(found.line(b"ab", true), Some(2));
}

#[test]
fn numbers_of_their_own() {
    assert_eq!(delimiters(", \" \\ - n").number(12).as_deref(), Some(b"12".as_slice()));
    assert_eq!(delimiters("1 \" \\ - n").number(12), None);
}

#[test]
fn troubles() {
    let check = |fields: &str, enclosed: &str, lines: &str, expect| {
        let mut format = Format::new(true);
        format.fields = fields.into();
        format.enclosed = enclosed.into();
        format.lines = lines.into();
        assert_eq!(Delimiters::new(&format).unwrap_err(), expect);
    };
    check("", "", "\n", Trouble::Open);
    check(",", "", "", Trouble::Open);
    check("\n", "", "\n", Trouble::Open);
    check(",", "ab", "\n", Trouble::Malformed);
    check("ä", "", "\n", Trouble::Wide);
}

fn formats() -> impl Strategy<Value = Delimiters> {
    let formats = [
        ", - \\ - n",
        ", \" \\ - n",
        ", \" \" - n",
        "|| ' \\ - \r\n",
        "ab - - xy yx",
        ", , \\ - n",
        "aa a \\ ab ba",
    ];
    proptest::sample::select(formats.to_vec()).prop_map(delimiters)
}

fn files() -> impl Strategy<Value = Vec<u8>> {
    let letters = b",\"'\\\n\r|abxyN\0\x80".to_vec();
    proptest::collection::vec(proptest::sample::select(letters), 0..40)
}

proptest! {
    /// What has come of a file never makes another row of it than the whole file does.
    #[test]
    fn a_row_does_not_depend_on_where_the_file_is_cut(format in formats(), file in files()) {
        let mut rest = file.as_slice();
        loop {
            let whole = format.next(rest, true, 2, &ALL);
            for cut in 0..=rest.len() {
                match format.next(&rest[..cut], false, 2, &ALL) {
                    Next::More => {}
                    Next::End => prop_assert!(false, "an end before the end"),
                    found @ Next::Row(_) => prop_assert_eq!(&found, &whole),
                }
            }
            match whole {
                Next::Row(row) => {
                    prop_assert!(row.len > 0);
                    rest = &rest[row.len..];
                }
                Next::End | Next::More => break,
            }
        }
    }

    /// A row reads alone as it does in its file: the last one may lack its end.
    #[test]
    fn a_row_reads_alike_alone(format in formats(), file in files()) {
        let mut rest = file.as_slice();
        while let Next::Row(row) = format.next(rest, true, 2, &ALL) {
            let alone = format.next(&rest[..row.len], true, 2, &ALL);
            prop_assert_eq!(alone, Next::Row(row.clone()));
            rest = &rest[row.len..];
        }
    }
}
