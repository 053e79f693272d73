//! Rows of a file as LOAD DATA reads them: where one ends, and what some of its fields mean.
//!
//! Bytes are looked at one by one, so the character set must be one in which no byte of a longer character
//! looks like an ASCII one.

use std::ops::Range;

use super::load::Format;

/// What ends and encloses fields and rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delimiters {
    field: Vec<u8>,
    enclosed: Option<u8>,
    escape: Option<u8>,
    start: Vec<u8>,
    line: Vec<u8>,
}

/// Why rows of a format are not told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// More than one byte encloses or escapes; servers say so themselves.
    Malformed,
    /// Nothing ends a field or a line, or the same does both.
    Open,
    /// A delimiter is not ASCII.
    Wide,
}

/// The next row of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    Row(Row),
    /// The row may go on behind what has come of the file.
    More,
    /// There are no more rows.
    End,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its bytes, with what ends it.
    pub len: usize,
    /// Where its first field begins.
    pub body: usize,
    /// Those that were asked for. None: it has fewer.
    pub fields: Vec<Option<Field>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its bytes in the row, with what encloses it.
    pub raw: Range<usize>,
    /// What it means; None is NULL.
    pub value: Option<Vec<u8>>,
}

/// More of the file is needed.
struct More;

/// How a field ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Field,
    Line,
    File,
}

impl Delimiters {
    /// # Errors
    /// Why rows of the format cannot be told apart.
    pub fn new(format: &Format) -> Result<Self, Trouble> {
        let Format { fields, enclosed, escaped, starting, lines } = format;
        if enclosed.len() > 1 || escaped.len() > 1 {
            return Err(Trouble::Malformed);
        }
        if fields.is_empty() || lines.is_empty() || fields == lines {
            return Err(Trouble::Open);
        }
        if [fields, enclosed, escaped, starting, lines].iter().any(|text| !text.is_ascii()) {
            return Err(Trouble::Wide);
        }
        Ok(Self {
            field: fields.clone(),
            enclosed: enclosed.first().copied(),
            escape: escaped.first().copied(),
            start: starting.clone(),
            line: lines.clone(),
        })
    }

    /// The number as a field of its own. None: it would be read as something else.
    pub fn number(&self, number: u64) -> Option<Vec<u8>> {
        let firsts = [self.field.first(), self.line.first()].into_iter().flatten();
        let special = firsts.chain(&self.enclosed).chain(&self.escape);
        let clashes = special.into_iter().any(u8::is_ascii_digit);
        (!clashes).then(|| number.to_string().into_bytes())
    }

    /// What ends a field.
    pub fn field_end(&self) -> &[u8] {
        &self.field
    }

    /// The length of the line at the front of `text`, which is passed over. `whole`: nothing follows it.
    /// None: more is needed.
    pub fn line(&self, text: &[u8], whole: bool) -> Option<usize> {
        let mut scan = Scan { text, at: 0, whole };
        match self.rest_of_line(&mut scan) {
            Ok(()) => Some(scan.at),
            Err(More) => None,
        }
    }

    /// The row of `count` fields at the front of `text`, and the fields of these indexes, which rise.
    /// `whole`: nothing follows `text`.
    pub fn next(&self, text: &[u8], whole: bool, count: usize, wanted: &[usize]) -> Next {
        let mut scan = Scan { text, at: 0, whole };
        match self.row(&mut scan, count, wanted) {
            Ok(Some(row)) => Next::Row(row),
            Ok(None) => Next::End,
            Err(More) => Next::More,
        }
    }

    fn row(
        &self,
        scan: &mut Scan<'_>,
        count: usize,
        wanted: &[usize],
    ) -> Result<Option<Row>, More> {
        if !self.start.is_empty() && !scan.find(&self.start)? {
            return Ok(None);
        }
        let body = scan.at;
        let mut fields = Vec::with_capacity(wanted.len());
        let mut last = End::Field;
        for index in 0..count {
            let mut value = Value { keep: wanted.contains(&index), ..Value::default() };
            let start = scan.at;
            let Some(end) = self.field(scan, &mut value)? else {
                if index == 0 {
                    return Ok(None);
                }
                last = End::File;
                break;
            };
            if value.keep {
                let length = match end {
                    End::Field => self.field.len(),
                    End::Line => self.line.len(),
                    End::File => 0,
                };
                let raw = start..scan.at - length;
                fields.push(Some(Field { raw, value: value.meaning(self.enclosed.is_some()) }));
            }
            last = end;
            if end != End::Field {
                break;
            }
        }
        if last == End::Field {
            self.rest_of_line(scan)?;
        }
        fields.resize(wanted.len(), None);
        Ok(Some(Row { len: scan.at, body, fields }))
    }

    /// Reads one field. None: the file ends in front of it.
    fn field(&self, scan: &mut Scan<'_>, value: &mut Value) -> Result<Option<End>, More> {
        let Some(first) = scan.get()? else { return Ok(None) };
        let quote = self.enclosed.filter(|enclosed| *enclosed == first);
        match quote {
            Some(quote) => value.push(quote),
            None => scan.at -= 1,
        }
        loop {
            let Some(byte) = scan.get()? else { return Ok(Some(End::File)) };
            if Some(byte) == self.escape {
                match scan.get()? {
                    None => {
                        value.push(byte);
                        return Ok(Some(End::File));
                    }
                    // Doubled, if the same byte encloses.
                    Some(next) if self.escape != self.enclosed || next == byte => {
                        value.push_escaped(next);
                        continue;
                    }
                    Some(_) => scan.at -= 1,
                }
            }
            match quote {
                Some(quote) if quote == byte => match scan.get()? {
                    Some(next) if next == quote => {
                        value.push(quote);
                        continue;
                    }
                    None => {
                        value.enclosed = true;
                        return Ok(Some(End::File));
                    }
                    Some(next) => {
                        if let Some(end) = self.end(next, scan)? {
                            value.enclosed = true;
                            return Ok(Some(end));
                        }
                        scan.at -= 1;
                    }
                },
                Some(_) => {}
                None => {
                    if let Some(end) = self.end(byte, scan)? {
                        return Ok(Some(end));
                    }
                }
            }
            value.push(byte);
        }
    }

    /// What ends behind `byte`, if anything does.
    fn end(&self, byte: u8, scan: &mut Scan<'_>) -> Result<Option<End>, More> {
        for (delimiter, end) in [(&self.line, End::Line), (&self.field, End::Field)] {
            if let Some((first, rest)) = delimiter.split_first()
                && *first == byte
                && scan.accept(rest)?
            {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    /// Passes over the rest of a line, in which nothing is enclosed.
    fn rest_of_line(&self, scan: &mut Scan<'_>) -> Result<(), More> {
        while let Some(byte) = scan.get()? {
            if Some(byte) == self.escape {
                scan.get()?;
            } else if let Some((first, rest)) = self.line.split_first()
                && *first == byte
                && scan.accept(rest)?
            {
                break;
            }
        }
        Ok(())
    }
}

/// A place in what has come of a file.
struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    /// Nothing follows.
    whole: bool,
}

impl Scan<'_> {
    /// The next byte. None: the file ends here.
    fn get(&mut self) -> Result<Option<u8>, More> {
        match self.text.get(self.at) {
            Some(byte) => {
                self.at += 1;
                Ok(Some(*byte))
            }
            None if self.whole => Ok(None),
            None => Err(More),
        }
    }

    /// Passes over `wanted` if it is next.
    fn accept(&mut self, wanted: &[u8]) -> Result<bool, More> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.starts_with(wanted) {
            self.at += wanted.len();
            return Ok(true);
        }
        if !self.whole && wanted.starts_with(rest) {
            return Err(More);
        }
        Ok(false)
    }

    /// Goes behind the next `wanted`. False: there is none.
    fn find(&mut self, wanted: &[u8]) -> Result<bool, More> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        match rest.windows(wanted.len()).position(|window| window == wanted) {
            Some(found) => {
                self.at += found + wanted.len();
                Ok(true)
            }
            None if self.whole => Ok(false),
            None => Err(More),
        }
    }
}

/// A field as far as it was read.
#[derive(Default)]
struct Value {
    keep: bool,
    /// With the byte that encloses it at the front.
    bytes: Vec<u8>,
    enclosed: bool,
    /// An escaped N was in it.
    null: bool,
}

impl Value {
    fn push(&mut self, byte: u8) {
        if self.keep {
            self.bytes.push(byte);
        }
    }

    fn push_escaped(&mut self, letter: u8) {
        self.null |= letter == b'N';
        self.push(match letter {
            b'0' => 0,
            b'b' => 0x08,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'Z' => 0x1a,
            other => other,
        });
    }

    /// `encloses`: the format has a byte that encloses fields, so that the word NULL is none.
    fn meaning(mut self, encloses: bool) -> Option<Vec<u8>> {
        if self.enclosed && !self.bytes.is_empty() {
            self.bytes.remove(0);
        }
        let is_word = encloses && !self.enclosed && self.bytes == b"NULL";
        let is_null = is_word || (self.null && self.bytes.len() == 1);
        (!is_null).then_some(self.bytes)
    }
}

#[cfg(test)]
mod tests;
