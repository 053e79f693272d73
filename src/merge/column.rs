//! Stand-in until the protocol's column is there.
use mysql_common::constants::{ColumnFlags, ColumnType};
#[derive(Debug, Clone)]
pub struct Column {
    pub ty: ColumnType,
    pub charset: u16,
    pub flags: ColumnFlags,
    pub decimals: u8,
}
use bytes::{BufMut, BytesMut};
pub(super) fn put_lenenc(out: &mut BytesMut, number: u64) {
    match number {
        0..=0xfa => out.put_u8(number as u8),
        0xfb..=0xffff => {
            out.put_u8(0xfc);
            out.put_u16_le(number as u16);
        }
        0x1_0000..=0xff_ffff => {
            out.put_u8(0xfd);
            out.put_slice(&(number as u32).to_le_bytes()[..3]);
        }
        0x100_0000.. => {
            out.put_u8(0xfe);
            out.put_u64_le(number);
        }
    }
}
pub(super) fn put_lenenc_bytes(out: &mut BytesMut, bytes: &[u8]) {
    put_lenenc(out, bytes.len() as u64);
    out.put_slice(bytes);
}
impl Column {
    pub fn unsigned(&self) -> bool {
        self.flags.contains(ColumnFlags::UNSIGNED_FLAG)
    }
}
