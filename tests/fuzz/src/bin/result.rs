//! Replies of servers: heads, columns, rows of both forms, ends, and what these tell of the session.

#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use margay::protocol::capability::CapabilityFlags;
use margay::protocol::column::Column;
use margay::protocol::definition::Definition;
use margay::protocol::gtid::GtidSet;
use margay::protocol::packet::Assembler;
use margay::protocol::reply::{OkPacket, ReplyHead, RowPacket, parse_end, parse_err};
use margay::protocol::row::{BinaryValues, TextValues, truncate_binary, truncate_text};
use margay::protocol::stmt::PrepareOk;
use margay::protocol::track::parse_session_changes;

fuzz_target!(|data: &[u8]| {
    let (flags, data) = margay_fuzz::flags(data);
    let mut assembler = Assembler::of_server(1 << 16);
    let mut input = BytesMut::from(data);
    let mut columns = Vec::new();
    while let Ok(Some(payload)) = assembler.next(&mut input) {
        packet(&payload, flags, &mut columns);
    }
    packet(&Bytes::copy_from_slice(data), flags, &mut columns);
});

fn packet(payload: &Bytes, flags: CapabilityFlags, columns: &mut Vec<Column>) {
    if let Ok(ok) = OkPacket::parse(payload, flags) {
        let mut out = BytesMut::new();
        ok.put(&mut out, flags);
        let _ = parse_session_changes(&ok.session_state);
    }
    let _ = ReplyHead::parse(payload, flags);
    let _ = RowPacket::parse(payload, flags);
    let _ = parse_end(payload, flags);
    let _ = parse_err(payload);
    let _ = PrepareOk::parse(payload);
    let _ = Definition::parse(payload);
    let _ = parse_session_changes(payload);
    let _ = Column::parse_with_default(payload);
    if let Ok(text) = std::str::from_utf8(payload)
        && let Ok(set) = GtidSet::parse(text)
    {
        assert_eq!(GtidSet::parse(&set.to_string()).ok().as_ref(), Some(&set));
    }
    let values = TextValues::new(payload).take_while(Result::is_ok).count();
    let cut = truncate_text(payload, values.min(3));
    assert!(cut.is_ok_and(|cut| payload.starts_with(cut)));
    if let Ok(values) = BinaryValues::new(payload, columns) {
        let count = values.take_while(Result::is_ok).count();
        assert!(count <= columns.len());
        let _ = truncate_binary(payload, columns, count, &mut BytesMut::new());
    }
    if let Ok(column) = Column::parse(payload)
        && columns.len() < 20
    {
        columns.push(column);
    }
}
