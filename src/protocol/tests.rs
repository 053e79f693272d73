//! Properties of all parsers: none panics on any bytes, and what is written is read back.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::auth::{Salt, reveal};
use super::capability::{CapabilityFlags, ColumnFlags, ColumnType, StatusFlags};
use super::column::Column;
use super::command::Command;
use super::handshake::{Greeting, HandshakeResponse, SslRequest};
use super::login::{AuthReply, AuthSwitch, ChangeUser};
use super::packet::{Assembler, put_packet};
use super::params::{Bound, Param, ParamType, ParamValue, parse_execute, put_execute};
use super::reply::{EofPacket, OkPacket, ReplyHead, RowPacket, parse_err, put_err};
use super::row::{BinaryRow, BinaryValues, TextValues, put_text_value, truncate_text};
use super::stmt::PrepareOk;
use super::track::parse_session_changes;
use crate::error::ServerError;

fn capabilities() -> impl Strategy<Value = CapabilityFlags> {
    any::<u32>().prop_map(CapabilityFlags::from_bits_retain)
}

fn blob(len_max: usize) -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..=len_max).prop_map(Bytes::from)
}

fn wire_type() -> impl Strategy<Value = ColumnType> {
    use ColumnType as T;
    prop::sample::select(vec![
        T::MYSQL_TYPE_TINY,
        T::MYSQL_TYPE_SHORT,
        T::MYSQL_TYPE_LONG,
        T::MYSQL_TYPE_LONGLONG,
        T::MYSQL_TYPE_DOUBLE,
        T::MYSQL_TYPE_DATETIME,
        T::MYSQL_TYPE_TIME,
        T::MYSQL_TYPE_NEWDECIMAL,
        T::MYSQL_TYPE_BLOB,
        T::MYSQL_TYPE_VAR_STRING,
    ])
}

/// A value of a type as its bare bytes.
fn value(ty: ColumnType) -> BoxedStrategy<Vec<u8>> {
    match super::value::layout(ty).unwrap() {
        super::value::Layout::Fixed(len) => prop::collection::vec(any::<u8>(), len).boxed(),
        super::value::Layout::Temporal => prop::sample::select(vec![0, 4, 7, 11])
            .prop_flat_map(|len| prop::collection::vec(any::<u8>(), len))
            .boxed(),
        super::value::Layout::LenEnc => prop::collection::vec(any::<u8>(), 0..300).boxed(),
    }
}

fn typed_value() -> impl Strategy<Value = (ColumnType, Option<Vec<u8>>)> {
    wire_type().prop_flat_map(|ty| (Just(ty), prop::option::of(value(ty))))
}

proptest! {
    #[test]
    fn parsers_never_panic(payload in blob(200), caps in capabilities(), count in 0usize..20) {
        let _ = Greeting::parse(&payload);
        let _ = HandshakeResponse::parse(&payload);
        let _ = SslRequest::parse(&payload);
        let _ = AuthSwitch::parse(&payload);
        let _ = AuthReply::parse(&payload, caps);
        let _ = ChangeUser::parse(&payload, caps);
        let _ = Command::parse(&payload, caps);
        let _ = OkPacket::parse(&payload, caps);
        let _ = EofPacket::parse(&payload);
        let _ = parse_err(&payload);
        let _ = ReplyHead::parse(&payload, caps);
        let _ = RowPacket::parse(&payload, caps);
        let _ = parse_session_changes(&payload);
        let _ = Column::parse_with_default(&payload);
        let _ = PrepareOk::parse(&payload);
        let _ = TextValues::new(&payload).count();
        let _ = truncate_text(&payload, count);
        let _ = reveal(&payload, &Salt::default());
        let long = BTreeMap::new();
        let bound = Bound { count, types: &[], long: &long };
        for param in parse_execute(&payload, &bound, caps).into_iter().flatten() {
            let _ = param.scalar();
        }
    }

    #[test]
    fn parsers_never_panic_behind_the_first_byte(
        first in prop::sample::select(vec![0u8, 1, 3, 4, 10, 0x11, 0x17, 0xfb, 0xfe, 0xff]),
        tail in blob(100),
        caps in capabilities(),
    ) {
        let payload = Bytes::from([&[first], &tail[..]].concat());
        let _ = Greeting::parse(&payload);
        let _ = AuthReply::parse(&payload, caps);
        let _ = ChangeUser::parse(&payload, caps);
        let _ = Command::parse(&payload, caps);
        let _ = ReplyHead::parse(&payload, caps);
        if let Ok(ok) = OkPacket::parse(&payload, caps) {
            let _ = ok.session_changes();
        }
    }

    #[test]
    fn assembler_never_panics(bytes in blob(100), limit in 0usize..100) {
        let mut assembler = Assembler::of_client(limit);
        let mut buf = BytesMut::from(&bytes[..]);
        while let Ok(Some(payload)) = assembler.next(&mut buf) {
            prop_assert!(payload.len() <= limit);
        }
    }

    #[test]
    fn packets_come_back_whatever_the_cuts(
        payloads in prop::collection::vec(blob(50), 1..5),
        cut in 1usize..20,
        start: u8,
    ) {
        let (mut wire, mut seq) = (BytesMut::new(), start);
        payloads.iter().for_each(|payload| put_packet(&mut wire, &mut seq, payload));
        let mut assembler = Assembler::of_server(50);
        assembler.set_next_seq(start);
        let (mut buf, mut found) = (BytesMut::new(), Vec::new());
        for chunk in wire.chunks(cut) {
            buf.extend_from_slice(chunk);
            while let Some(payload) = assembler.next(&mut buf).unwrap() {
                found.push(payload);
            }
        }
        prop_assert_eq!(found, payloads);
        prop_assert_eq!(assembler.next_seq(), seq);
    }

    #[test]
    fn greetings_come_back(
        version in "[ -~]{1,20}", id: u32, salt: Salt, bits: u32, collation: u8, status: u16,
        plugin in "[a-z_]{1,20}",
    ) {
        let capabilities = CapabilityFlags::from_bits_retain(bits)
            | CapabilityFlags::CLIENT_PROTOCOL_41 | CapabilityFlags::CLIENT_PLUGIN_AUTH;
        let greeting = Greeting {
            server_version: version, connection_id: id, salt, capabilities, collation,
            status: StatusFlags::from_bits_retain(status), plugin,
        };
        let mut out = BytesMut::new();
        greeting.put(&mut out);
        prop_assert_eq!(Greeting::parse(&out).unwrap(), greeting);
    }

    #[test]
    fn handshake_responses_come_back(
        caps in capabilities(), user in "[^\0]{0,20}",
        auth in prop::collection::vec(1u8.., 1..60),
        schema in "[^\0]{1,20}", plugin in "[a-z_]{1,20}",
        attributes in prop::collection::vec((".{0,9}", ".{0,9}"), 0..4),
        level: u8,
    ) {
        let capabilities = caps | CapabilityFlags::CLIENT_PROTOCOL_41;
        let has = |flag| capabilities.contains(flag);
        let response = HandshakeResponse {
            capabilities, packet_max: 1 << 24, collation: 45, user, auth_response: auth,
            schema: has(CapabilityFlags::CLIENT_CONNECT_WITH_DB).then_some(schema),
            plugin: has(CapabilityFlags::CLIENT_PLUGIN_AUTH).then_some(plugin),
            attributes: if has(CapabilityFlags::CLIENT_CONNECT_ATTRS) { attributes } else { vec![] },
            zstd_level: has(CapabilityFlags::CLIENT_ZSTD_COMPRESSION_ALGORITHM).then_some(level),
        };
        let mut out = BytesMut::new();
        response.put(&mut out);
        prop_assert_eq!(HandshakeResponse::parse(&out).unwrap(), response);
    }

    #[test]
    fn ok_packets_come_back(
        caps in capabilities(), affected_rows: u64, last_insert_id: u64, status: u16,
        warnings: u16, info in blob(300), state in blob(300),
    ) {
        let tracked = caps.contains(CapabilityFlags::CLIENT_SESSION_TRACK);
        let session_state = if tracked { state } else { Bytes::new() };
        let mut status = StatusFlags::from_bits_retain(status);
        status.set(StatusFlags::SERVER_SESSION_STATE_CHANGED, !session_state.is_empty());
        let ok = OkPacket { affected_rows, last_insert_id, status, warnings, info, session_state };
        let mut out = BytesMut::new();
        ok.put(&mut out, caps);
        prop_assert_eq!(OkPacket::parse(&out.freeze(), caps).unwrap(), ok.clone());
        let mut out = BytesMut::new();
        ok.put_end(&mut out, caps);
        let RowPacket::End(end) = RowPacket::parse(&out.freeze(), caps).unwrap() else {
            return Err(TestCaseError::fail("not an end"));
        };
        if caps.contains(CapabilityFlags::CLIENT_DEPRECATE_EOF) {
            prop_assert_eq!(end, ok);
        } else {
            prop_assert_eq!(end.warnings, ok.warnings);
        }
    }

    #[test]
    fn errors_come_back(code: u16, state in "[0-9A-Z]{5}", message in blob(300)) {
        let mut error = ServerError { code, state: *b"HY000", message: message.to_vec() };
        error.state.copy_from_slice(state.as_bytes());
        let mut out = BytesMut::new();
        put_err(&mut out, &error, CapabilityFlags::CLIENT_PROTOCOL_41);
        prop_assert_eq!(parse_err(&out).unwrap(), error);
    }

    #[test]
    fn columns_come_back(
        names in prop::collection::vec(blob(300), 6), charset: u16, length: u32,
        ty in wire_type(), flags: u16, decimals: u8,
    ) {
        let mut names = names.into_iter();
        let mut name = || names.next().unwrap();
        let column = Column {
            catalog: name(), schema: name(), table: name(), org_table: name(), name: name(),
            org_name: name(), charset, length, ty, flags: ColumnFlags::from_bits_retain(flags),
            decimals,
        };
        let mut out = BytesMut::new();
        column.put(&mut out);
        prop_assert_eq!(Column::parse(&out.freeze()).unwrap(), column);
    }

    #[test]
    fn rows_come_back(values in prop::collection::vec(typed_value(), 1..20)) {
        let (types, values): (Vec<_>, Vec<_>) = values.into_iter().unzip();
        let expect: Vec<_> = values.iter().map(Option::as_deref).collect();
        let mut text = BytesMut::new();
        expect.iter().for_each(|value| put_text_value(&mut text, *value));
        let found: Vec<_> = TextValues::new(&text).map(Result::unwrap).collect();
        prop_assert_eq!(&found, &expect);

        let columns: Vec<_> = types.iter().map(|&ty| Column::computed("c", ty, 63)).collect();
        let mut binary = BytesMut::new();
        let mut builder = BinaryRow::start(&mut binary, columns.len());
        for (&ty, value) in types.iter().zip(&expect) {
            match value {
                Some(value) => builder.push(ty, value).unwrap(),
                None => builder.push_null(),
            }
        }
        let found: Vec<_> =
            BinaryValues::new(&binary, &columns).unwrap().map(Result::unwrap).collect();
        prop_assert_eq!(&found, &expect);
        let types: Vec<_> = columns.iter().map(|column| column.ty).collect();
        check_params(&types, &expect)?;
    }

    #[test]
    fn binary_rows_never_panic(types in prop::collection::vec(wire_type(), 0..20), row in blob(200)) {
        let columns: Vec<_> = types.iter().map(|&ty| Column::computed("c", ty, 63)).collect();
        if let Ok(values) = BinaryValues::new(&row, &columns) {
            prop_assert!(values.count() <= columns.len());
        }
        let _ = super::row::truncate_binary(&row, &columns, types.len() / 2, &mut BytesMut::new());
    }
}

/// Parameters written come back, in the bytes of the wire.
fn check_params(types: &[ColumnType], values: &[Option<&[u8]>]) -> Result<(), TestCaseError> {
    let params: Vec<_> = types
        .iter()
        .zip(values)
        .map(|(&ty, value)| {
            let value = value.map_or(ParamValue::Null, |value| {
                let mut raw = BytesMut::new();
                match super::value::layout(ty).unwrap() {
                    super::value::Layout::Fixed(_) => raw.extend_from_slice(value),
                    _ => super::write::put_lenenc_bytes(&mut raw, value),
                }
                ParamValue::Bytes(raw.freeze())
            });
            Param { ty, unsigned: false, value }
        })
        .collect();
    let picks: Vec<_> = (0..params.len()).collect();
    let mut out = BytesMut::new();
    let execute = super::command::Execute { statement: 1, flags: 0 };
    put_execute(&mut out, execute, &params, &picks).unwrap();
    let payload = out.freeze();
    let command = Command::parse(&payload, CapabilityFlags::empty()).unwrap();
    prop_assert_eq!(command, Command::Execute(execute));
    let no_types: &[ParamType] = &[];
    let bound = Bound { count: params.len(), types: no_types, long: &BTreeMap::new() };
    let found = parse_execute(&payload, &bound, CapabilityFlags::empty()).unwrap();
    prop_assert_eq!(found, params);
    Ok(())
}
