//! A checked cursor over the bytes of a payload.

use crate::error::{Error, Result};

/// Reads MySQL's integers and strings from the front of a payload. Every method fails with kind
/// `Protocol` if the bytes run out; nothing is consumed then.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// What is left, without consuming it.
    pub fn peek_rest(&self) -> &'a [u8] {
        self.bytes
    }

    pub fn peek_u8(&self) -> Option<u8> {
        self.bytes.first().copied()
    }

    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8]> {
        let Some((head, tail)) = self.bytes.split_at_checked(count) else {
            let left = self.bytes.len();
            return Err(Error::protocol(format!(
                "malformed packet: {count} bytes expected, {left} left"
            )));
        };
        self.bytes = tail;
        Ok(head)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    pub fn skip(&mut self, count: usize) -> Result<()> {
        self.bytes(count).map(|_| ())
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }

    pub fn u8(&mut self) -> Result<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub fn u24(&mut self) -> Result<u32> {
        let [a, b, c] = self.array()?;
        Ok(u32::from_le_bytes([a, b, c, 0]))
    }

    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A length-encoded integer of one, three, four or nine bytes.
    pub fn lenenc(&mut self) -> Result<u64> {
        let start = self.bytes;
        let number = match self.u8()? {
            small @ 0..=0xfa => Ok(u64::from(small)),
            0xfc => self.u16().map(u64::from),
            0xfd => self.u24().map(u64::from),
            0xfe => self.u64(),
            marker @ (0xfb | 0xff) => Err(Error::protocol(format!(
                "malformed packet: {marker:#04x} does not start a length-encoded integer"
            ))),
        };
        if number.is_err() {
            self.bytes = start;
        }
        number
    }

    /// A string with its length, as a length-encoded integer, in front.
    pub fn lenenc_bytes(&mut self) -> Result<&'a [u8]> {
        let start = self.bytes;
        let length = self.lenenc()?;
        let found = usize::try_from(length)
            .map_err(|_| Error::protocol(format!("malformed packet: a string of {length} bytes")))
            .and_then(|length| self.bytes(length));
        if found.is_err() {
            self.bytes = start;
        }
        found
    }

    /// As [`Self::lenenc_bytes`], where the byte `0xfb` stands for NULL.
    pub fn lenenc_bytes_or_null(&mut self) -> Result<Option<&'a [u8]>> {
        if self.peek_u8() == Some(0xfb) {
            self.skip(1)?;
            return Ok(None);
        }
        self.lenenc_bytes().map(Some)
    }

    /// The bytes up to a NUL, which is consumed and left out.
    pub fn nul_bytes(&mut self) -> Result<&'a [u8]> {
        let Some(end) = self.bytes.iter().position(|&byte| byte == 0) else {
            return Err(Error::protocol("malformed packet: a string without its final NUL"));
        };
        let text = self.bytes(end)?;
        self.skip(1)?;
        Ok(text)
    }

    /// As [`Self::nul_bytes`]; where the NUL is missing, everything that is left. Some clients leave
    /// out the NUL of the last string.
    pub fn nul_bytes_or_rest(&mut self) -> &'a [u8] {
        self.nul_bytes().unwrap_or_else(|_| self.rest())
    }

    /// Fails if bytes are left.
    pub fn end(&self, what: &str) -> Result<()> {
        match self.bytes.len() {
            0 => Ok(()),
            left => Err(Error::protocol(format!("malformed {what}: {left} bytes too many"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_lenenc(bytes: &[u8], expect: Option<u64>) {
        let mut reader = Reader::new(bytes);
        assert_eq!(reader.lenenc().ok(), expect, "{bytes:x?}");
        if expect.is_none() {
            assert_eq!(reader.rest(), bytes, "a failed read consumes nothing");
        }
    }

    #[test]
    fn length_encoded_integers() {
        check_lenenc(&[0], Some(0));
        check_lenenc(&[250], Some(250));
        check_lenenc(&[0xfc, 0x34, 0x12], Some(0x1234));
        check_lenenc(&[0xfd, 1, 2, 3], Some(0x030201));
        check_lenenc(&[0xfe, 1, 0, 0, 0, 0, 0, 0, 0x80], Some(0x8000_0000_0000_0001));
        check_lenenc(&[], None);
        check_lenenc(&[0xfb], None);
        check_lenenc(&[0xff, 1], None);
        check_lenenc(&[0xfc, 1], None);
    }

    #[test]
    fn strings() {
        let mut reader = Reader::new(b"\x03abcdef\0\xfbrest");
        assert_eq!(reader.lenenc_bytes().unwrap(), b"abc");
        assert_eq!(reader.nul_bytes().unwrap(), b"def");
        assert_eq!(reader.lenenc_bytes_or_null().unwrap(), None);
        assert!(reader.clone().nul_bytes().is_err());
        assert_eq!(reader.nul_bytes_or_rest(), b"rest");
        assert!(reader.is_empty());
    }

    #[test]
    fn a_length_beyond_the_end_is_refused() {
        let mut reader = Reader::new(b"\xfe\xff\xff\xff\xff\xff\xff\xff\xffabc");
        assert!(reader.lenenc_bytes().is_err());
        assert_eq!(reader.remaining(), 12);
        let error = reader.bytes(13).unwrap_err();
        assert_eq!(error.message(), "malformed packet: 13 bytes expected, 12 left");
    }
}
