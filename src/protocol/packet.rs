//! Frames and logical packets.
//!
//! On the wire a *frame* is a header of four bytes (length, sequence number) and at most
//! [`FRAME_MAX`] bytes. A frame of exactly that size is continued by the next; all together carry one
//! logical payload.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::write::put_u24;
use crate::error::{Error, ErrorKind, Result};

/// Bytes of a frame's header.
pub const HEADER_LEN: usize = 4;
/// The most bytes of payload in one frame.
pub const FRAME_MAX: usize = 0xff_ffff;

/// A frame's header: for those who look at frames in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Bytes of payload behind the header.
    pub len: usize,
    pub seq: u8,
}

impl Header {
    /// The header at the front of `buf`; `None` until its four bytes are there.
    pub fn peek(buf: &[u8]) -> Option<Self> {
        let &[a, b, c, seq, ..] = buf else { return None };
        Some(Self { len: u32::from_le_bytes([a, b, c, 0]) as usize, seq })
    }

    /// No frame follows that carries on the same payload.
    pub fn last(self) -> bool {
        self.len < FRAME_MAX
    }
}

/// One frame, cut from the read buffer without copying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub seq: u8,
    pub payload: Bytes,
    /// No frame follows that carries on the same payload.
    pub last: bool,
}

/// Cuts frames from the front of a read buffer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Framer {
    /// What the frame of the header seen last still lacks.
    missing: usize,
}

impl Framer {
    pub fn new() -> Self {
        Self::default()
    }

    /// The next whole frame. `None` asks for more bytes; [`Self::missing`] tells how many at least.
    pub fn next(&mut self, buf: &mut BytesMut) -> Option<Frame> {
        let Some(header) = Header::peek(buf) else {
            self.missing = HEADER_LEN - buf.len();
            return None;
        };
        let whole = HEADER_LEN + header.len;
        self.missing = whole.saturating_sub(buf.len());
        if self.missing > 0 {
            return None;
        }
        buf.advance(HEADER_LEN);
        let payload = buf.split_to(header.len).freeze();
        Some(Frame { seq: header.seq, payload, last: header.last() })
    }

    /// How many bytes [`Self::next`] lacked, for reserving room; 0 after a whole frame.
    pub fn missing(&self) -> usize {
        self.missing
    }
}

/// Joins frames into logical payloads, checks sequence numbers, and refuses what is too large
/// before it is buffered.
#[derive(Debug)]
pub struct Assembler {
    framer: Framer,
    /// The number that the next frame must carry.
    seq: u8,
    /// Numbers are not checked.
    any_number: bool,
    max_allowed_packet: usize,
    /// The frames so far of a payload of several.
    parts: BytesMut,
    peer: Peer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    Client,
    /// A server that shuts down or finds the connection idle sends an ERR packet out of turn, with
    /// a sequence number of its own.
    Server,
}

impl Assembler {
    /// For what a client sends. `max_allowed_packet` bounds a logical payload, in bytes.
    pub fn of_client(max_allowed_packet: usize) -> Self {
        Self::new(max_allowed_packet, Peer::Client)
    }

    /// For what a server sends.
    pub fn of_server(max_allowed_packet: usize) -> Self {
        Self::new(max_allowed_packet, Peer::Server)
    }

    fn new(max_allowed_packet: usize, peer: Peer) -> Self {
        let (framer, parts) = (Framer::new(), BytesMut::new());
        Self { framer, seq: 0, any_number: false, max_allowed_packet, parts, peer }
    }

    /// The sequence number that the next frame must carry: 0 for a new command. Also the number of
    /// the first frame of an answer to what was read.
    pub fn next_seq(&self) -> u8 {
        self.seq
    }

    pub fn set_next_seq(&mut self, seq: u8) {
        self.seq = seq;
    }

    /// Sequence numbers count no longer: inside the compressed protocol, servers and clients do not agree
    /// on them, and those of its own packets do what they did.
    pub fn accept_any_number(&mut self) {
        self.any_number = true;
    }

    /// See [`Self::accept_any_number`].
    pub fn accepts_any_number(&self) -> bool {
        self.any_number
    }

    /// The most bytes of a payload.
    pub fn max_allowed_packet(&self) -> usize {
        self.max_allowed_packet
    }

    /// Changes the limit, say from the small one of the handshake.
    pub fn set_max_allowed_packet(&mut self, max_allowed_packet: usize) {
        self.max_allowed_packet = max_allowed_packet;
    }

    /// How many bytes at least the frame under way lacks.
    pub fn missing(&self) -> usize {
        self.framer.missing()
    }

    /// A payload is under way: a part of it has been taken from the buffer.
    pub fn in_middle(&self) -> bool {
        !self.parts.is_empty()
    }

    /// The next whole payload. `None` asks for more bytes.
    pub fn next(&mut self, buf: &mut BytesMut) -> Result<Option<Bytes>> {
        loop {
            if let Some(header) = Header::peek(buf) {
                self.check(header, buf.get(HEADER_LEN).copied())?;
            }
            let Some(frame) = self.framer.next(buf) else { return Ok(None) };
            self.seq = frame.seq.wrapping_add(1);
            if frame.last && self.parts.is_empty() {
                return Ok(Some(frame.payload));
            }
            self.parts.extend_from_slice(&frame.payload);
            if frame.last {
                return Ok(Some(self.parts.split().freeze()));
            }
        }
    }

    fn check(&self, header: Header, first: Option<u8>) -> Result<()> {
        let total = self.parts.len() + header.len;
        if total > self.max_allowed_packet {
            let limit = self.max_allowed_packet;
            return Err(Error::new(
                ErrorKind::PacketTooLarge,
                format!(
                    "packet of {total} bytes or more is over limits.max_allowed_packet = {limit}"
                ),
            ));
        }
        if header.seq == self.seq || self.any_number {
            return Ok(());
        }
        let unsolicited = self.peer == Peer::Server && self.parts.is_empty();
        match first {
            // Not known yet: the next call looks again.
            None if unsolicited && header.len > 0 => Ok(()),
            Some(0xff) if unsolicited => Ok(()),
            _ => Err(Error::protocol(format!(
                "packets out of order: sequence number {} where {} was due",
                header.seq, self.seq
            ))),
        }
    }
}

/// Appends one frame header.
pub fn put_header(out: &mut BytesMut, len: usize, seq: u8) {
    debug_assert!(len <= FRAME_MAX);
    put_u24(out, len as u32);
    out.put_u8(seq);
}

/// Appends `payload` as one logical packet, split into frames; `seq` counts on by their number.
pub fn put_packet(out: &mut BytesMut, seq: &mut u8, payload: &[u8]) {
    out.reserve(payload.len() + HEADER_LEN * (payload.len() / FRAME_MAX + 1));
    let mut rest = payload;
    loop {
        let (frame, tail) = rest.split_at(rest.len().min(FRAME_MAX));
        put_header(out, frame.len(), *seq);
        out.put_slice(frame);
        *seq = seq.wrapping_add(1);
        if frame.len() < FRAME_MAX {
            return;
        }
        rest = tail;
    }
}

/// Appends a packet whose payload `build` writes in place, without a buffer of its own.
pub fn put_packet_with(out: &mut BytesMut, seq: &mut u8, build: impl FnOnce(&mut BytesMut)) {
    let start = out.len();
    put_header(out, 0, *seq);
    build(out);
    let len = out.len() - start - HEADER_LEN;
    if len < FRAME_MAX {
        let [a, b, c, _] = (len as u32).to_le_bytes();
        if let Some(header) = out.get_mut(start..start + 3) {
            header.copy_from_slice(&[a, b, c]);
        }
        *seq = seq.wrapping_add(1);
        return;
    }
    let large = out.split_off(start + HEADER_LEN);
    out.truncate(start);
    put_packet(out, seq, &large);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(seq: u8, payload: &[u8]) -> BytesMut {
        let mut out = BytesMut::new();
        put_packet(&mut out, &mut { seq }, payload);
        out
    }

    #[test]
    fn a_frame_comes_out_once_it_is_whole() {
        let whole = [3, 0, 0, 7, b'a', b'b', b'c', 0xee];
        let mut framer = Framer::new();
        for (len, missing) in [(0, 4), (3, 1), (4, 3), (6, 1)] {
            let mut buf = BytesMut::from(&whole[..len]);
            assert_eq!(framer.next(&mut buf), None);
            assert_eq!((framer.missing(), buf.len()), (missing, len));
        }
        let mut buf = BytesMut::from(&whole[..]);
        let frame = framer.next(&mut buf).unwrap();
        assert_eq!(frame, Frame { seq: 7, payload: Bytes::from_static(b"abc"), last: true });
        assert_eq!(&buf[..], [0xee]);
    }

    #[test]
    fn packets_on_the_wire() {
        assert_eq!(&packet(0, b"\x0e")[..], [1, 0, 0, 0, 0x0e]);
        assert_eq!(&packet(255, b"")[..], [0, 0, 0, 255]);
        let mut out = BytesMut::new();
        let mut seq = 255;
        put_packet(&mut out, &mut seq, b"a");
        put_packet_with(&mut out, &mut seq, |out| out.put_slice(b"bc"));
        assert_eq!(&out[..], b"\x01\0\0\xffa\x02\0\0\0bc");
        assert_eq!(seq, 1);
    }

    fn check_large(len: usize, frames: &[usize]) {
        let payload: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
        let mut wire = packet(9, &payload);
        let mut seq = 9;
        let mut built = BytesMut::from(&b"before"[..]);
        put_packet_with(&mut built, &mut seq, |out| out.put_slice(&payload));
        assert!(built[6..] == wire[..]);
        assert_eq!(usize::from(seq), 9 + frames.len());

        let mut assembler = Assembler::of_client(len);
        assembler.set_next_seq(9);
        let (mut whole, mut framer) = (wire.clone(), Framer::new());
        assert!(assembler.next(&mut whole).unwrap().unwrap() == payload);
        assert_eq!(assembler.next_seq(), seq);
        let cut = std::iter::from_fn(|| framer.next(&mut wire));
        assert_eq!(cut.map(|frame| frame.payload.len()).collect::<Vec<_>>(), frames);
    }

    #[test]
    fn large_payloads_split_and_join() {
        check_large(FRAME_MAX - 1, &[FRAME_MAX - 1]);
        check_large(FRAME_MAX, &[FRAME_MAX, 0]);
        check_large(FRAME_MAX + 1, &[FRAME_MAX, 1]);
        check_large(2 * FRAME_MAX, &[FRAME_MAX, FRAME_MAX, 0]);
    }

    #[test]
    fn a_payload_over_the_limit_is_refused_by_its_header() {
        let mut assembler = Assembler::of_client(10);
        let error = assembler.next(&mut BytesMut::from(&[11, 0, 0, 0][..])).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::PacketTooLarge);
        assert_eq!(
            error.message(),
            "packet of 11 bytes or more is over limits.max_allowed_packet = 10"
        );
        let mut assembler = Assembler::of_client(FRAME_MAX + 10);
        let mut wire = packet(0, &vec![0; FRAME_MAX + 11]);
        assert_eq!(*assembler.next(&mut wire).unwrap_err().kind(), ErrorKind::PacketTooLarge);
    }

    #[test]
    fn sequence_numbers_are_checked() {
        let mut client = Assembler::of_client(100);
        let error = client.next(&mut packet(1, b"\xffab")).unwrap_err();
        assert_eq!(error.message(), "packets out of order: sequence number 1 where 0 was due");
        let mut server = Assembler::of_server(100);
        server.set_next_seq(1);
        assert!(server.next(&mut packet(0, b"\x00ab")).is_err());
        // The ERR packet of a server that closes the connection.
        let mut early = packet(0, b"\xff\xbf\x0f");
        let mut head = early.split_to(HEADER_LEN);
        assert_eq!(server.next(&mut head).unwrap(), None);
        head.unsplit(early);
        assert_eq!(server.next(&mut head).unwrap().unwrap(), &b"\xff\xbf\x0f"[..]);
    }
}
