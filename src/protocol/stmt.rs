//! The answer to COM_STMT_PREPARE.

use bytes::{BufMut, BytesMut};

use super::read::Reader;
use crate::error::{Error, Result};

/// A prepared statement as the server knows it. Definitions of the parameters follow, then of the
/// columns, each group ended by an EOF packet unless `CLIENT_DEPRECATE_EOF` is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrepareOk {
    pub statement: u32,
    pub columns: u16,
    pub params: u16,
    pub warnings: u16,
}

impl PrepareOk {
    pub fn put(&self, out: &mut BytesMut) {
        out.put_u8(0);
        out.put_u32_le(self.statement);
        out.put_u16_le(self.columns);
        out.put_u16_le(self.params);
        out.put_u8(0);
        out.put_u16_le(self.warnings);
    }

    /// Parses the answer. An ERR packet may come instead: look for its first byte `0xff` first.
    pub fn parse(payload: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(payload);
        if reader.u8()? != 0 {
            return Err(Error::protocol("malformed packet: not the reply to COM_STMT_PREPARE"));
        }
        let statement = reader.u32()?;
        let columns = reader.u16()?;
        let params = reader.u16()?;
        // Old servers end here.
        let warnings = reader.skip(1).and_then(|()| reader.u16()).unwrap_or(0);
        Ok(Self { statement, columns, params, warnings })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_the_wire() {
        let payload = b"\0\x01\0\0\0\x02\0\x03\0\0\x04\0";
        let parsed = PrepareOk::parse(payload).unwrap();
        assert_eq!(parsed, PrepareOk { statement: 1, columns: 2, params: 3, warnings: 4 });
        let mut out = BytesMut::new();
        parsed.put(&mut out);
        assert_eq!(&out[..], payload);
        assert_eq!(PrepareOk::parse(&payload[..9]).unwrap(), PrepareOk { warnings: 0, ..parsed });
        assert!(PrepareOk::parse(&payload[..8]).is_err());
        assert!(PrepareOk::parse(b"\x03").is_err());
    }
}
