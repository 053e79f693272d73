//! Writing MySQL's integers and strings: what [`Reader`](super::read::Reader) reads.

use bytes::{BufMut, BytesMut};

pub fn put_u24(out: &mut BytesMut, number: u32) {
    let [a, b, c, _] = number.to_le_bytes();
    out.put_slice(&[a, b, c]);
}

/// The shortest length-encoded form of `number`.
pub fn put_lenenc(out: &mut BytesMut, number: u64) {
    match number {
        0..=0xfa => out.put_u8(number as u8),
        0xfb..=0xffff => {
            out.put_u8(0xfc);
            out.put_u16_le(number as u16);
        }
        0x1_0000..=0xff_ffff => {
            out.put_u8(0xfd);
            put_u24(out, number as u32);
        }
        0x100_0000.. => {
            out.put_u8(0xfe);
            out.put_u64_le(number);
        }
    }
}

pub fn put_lenenc_bytes(out: &mut BytesMut, bytes: &[u8]) {
    put_lenenc(out, bytes.len() as u64);
    out.put_slice(bytes);
}

/// As [`put_lenenc_bytes`]; NULL is the byte `0xfb`.
pub fn put_lenenc_bytes_or_null(out: &mut BytesMut, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => put_lenenc_bytes(out, bytes),
        None => out.put_u8(0xfb),
    }
}

/// `bytes` and a NUL. A NUL inside would end the string early, so the text is cut before it.
pub fn put_nul_bytes(out: &mut BytesMut, bytes: &[u8]) {
    let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
    out.put_slice(text);
    out.put_u8(0);
}

#[cfg(test)]
mod tests {
    use super::super::read::Reader;
    use super::*;

    fn check_lenenc(number: u64, expect: &[u8]) {
        let mut out = BytesMut::new();
        put_lenenc(&mut out, number);
        assert_eq!(out, expect);
        assert_eq!(Reader::new(&out).lenenc().unwrap(), number);
    }

    #[test]
    fn length_encoded_integers_take_the_shortest_form() {
        check_lenenc(0, &[0]);
        check_lenenc(0xfa, &[0xfa]);
        check_lenenc(0xfb, &[0xfc, 0xfb, 0]);
        check_lenenc(0xffff, &[0xfc, 0xff, 0xff]);
        check_lenenc(0x1_0000, &[0xfd, 0, 0, 1]);
        check_lenenc(0xff_ffff, &[0xfd, 0xff, 0xff, 0xff]);
        check_lenenc(0x100_0000, &[0xfe, 0, 0, 0, 1, 0, 0, 0, 0]);
        check_lenenc(u64::MAX, &[0xfe, 255, 255, 255, 255, 255, 255, 255, 255]);
    }

    #[test]
    fn strings() {
        let mut out = BytesMut::new();
        put_lenenc_bytes(&mut out, b"ab");
        put_lenenc_bytes_or_null(&mut out, None);
        put_lenenc_bytes_or_null(&mut out, Some(b""));
        put_nul_bytes(&mut out, b"x\0y");
        assert_eq!(&out[..], b"\x02ab\xfb\0x\0");
    }
}
