//! Session changes that a server reports in its OK packets (`CLIENT_SESSION_TRACK`).

use bytes::{BufMut, Bytes, BytesMut};

use super::read::Reader;
use super::reply::slice;
use super::write::put_lenenc_bytes;
use crate::error::Result;

const VARIABLE: u8 = 0;
const SCHEMA: u8 = 1;
const STATE: u8 = 2;
const GTIDS: u8 = 3;
const CHARACTERISTICS: u8 = 4;
const TRANSACTION: u8 = 5;

/// One change of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionChange {
    /// A system variable has this value now. MariaDB reports the GTID of a commit this way, as
    /// `last_gtid`.
    Variable { name: Bytes, value: Bytes },
    /// The default schema; empty after it was dropped.
    Schema(Bytes),
    /// Something else changed (or, `false`, did not) that would be lost on another connection.
    State(bool),
    /// The GTID set that the last commit made.
    Gtids(Bytes),
    /// The statements that would start the same transaction again.
    Characteristics(Bytes),
    /// Eight letters on the transaction's state.
    Transaction(Bytes),
    /// A kind of change from a newer server.
    Other { kind: u8, data: Bytes },
}

/// Parses the raw session state of an OK packet.
pub fn parse_session_changes(raw: &Bytes) -> Result<Vec<SessionChange>> {
    let mut changes = Vec::new();
    let mut reader = Reader::new(raw);
    while !reader.is_empty() {
        let kind = reader.u8()?;
        let data = reader.lenenc_bytes()?;
        let mut inner = Reader::new(data);
        match kind {
            // MariaDB puts several pairs into one entry.
            VARIABLE => {
                while !inner.is_empty() {
                    let name = slice(raw, inner.lenenc_bytes()?);
                    let value = slice(raw, inner.lenenc_bytes()?);
                    changes.push(SessionChange::Variable { name, value });
                }
            }
            SCHEMA => changes.push(SessionChange::Schema(slice(raw, inner.lenenc_bytes()?))),
            STATE => changes.push(SessionChange::State(inner.lenenc_bytes()? == b"1")),
            GTIDS => {
                let _encoding = inner.u8()?;
                changes.push(SessionChange::Gtids(slice(raw, inner.lenenc_bytes()?)));
            }
            CHARACTERISTICS => {
                let text = slice(raw, inner.lenenc_bytes()?);
                changes.push(SessionChange::Characteristics(text));
            }
            TRANSACTION => {
                changes.push(SessionChange::Transaction(slice(raw, inner.lenenc_bytes()?)));
            }
            kind => changes.push(SessionChange::Other { kind, data: slice(raw, data) }),
        }
    }
    Ok(changes)
}

/// Appends one change in the form in which OK packets carry it.
pub fn put_session_change(out: &mut BytesMut, change: &SessionChange) {
    let mut data = BytesMut::new();
    let kind = match change {
        SessionChange::Variable { name, value } => {
            put_lenenc_bytes(&mut data, name);
            put_lenenc_bytes(&mut data, value);
            VARIABLE
        }
        SessionChange::Schema(name) => {
            put_lenenc_bytes(&mut data, name);
            SCHEMA
        }
        SessionChange::State(changed) => {
            put_lenenc_bytes(&mut data, if *changed { b"1" } else { b"0" });
            STATE
        }
        SessionChange::Gtids(set) => {
            data.put_u8(0);
            put_lenenc_bytes(&mut data, set);
            GTIDS
        }
        SessionChange::Characteristics(text) => {
            put_lenenc_bytes(&mut data, text);
            CHARACTERISTICS
        }
        SessionChange::Transaction(state) => {
            put_lenenc_bytes(&mut data, state);
            TRANSACTION
        }
        SessionChange::Other { kind, data: raw } => {
            data.put_slice(raw);
            *kind
        }
    };
    out.put_u8(kind);
    put_lenenc_bytes(out, &data);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &'static [u8], expect: &[SessionChange]) {
        let changes = parse_session_changes(&Bytes::from_static(raw)).unwrap();
        assert_eq!(changes, expect);
        let mut out = BytesMut::new();
        expect.iter().for_each(|change| put_session_change(&mut out, change));
        assert_eq!(&out[..], raw);
    }

    #[test]
    fn changes() {
        let text = Bytes::from_static;
        check(b"", &[]);
        check(
            b"\0\x0f\x0aautocommit\x03OFF\x01\x05\x04shop",
            &[
                SessionChange::Variable { name: text(b"autocommit"), value: text(b"OFF") },
                SessionChange::Schema(text(b"shop")),
            ],
        );
        check(
            b"\x03\x05\0\x03a:1\x02\x02\x011\x02\x02\x010",
            &[
                SessionChange::Gtids(text(b"a:1")),
                SessionChange::State(true),
                SessionChange::State(false),
            ],
        );
        check(
            b"\x04\x02\x01x\x05\x09\x08T_______\x09\x01z",
            &[
                SessionChange::Characteristics(text(b"x")),
                SessionChange::Transaction(text(b"T_______")),
                SessionChange::Other { kind: 9, data: text(b"z") },
            ],
        );
    }

    #[test]
    fn several_variables_in_one_entry() {
        let raw = Bytes::from_static(b"\0\x08\x01a\x01b\x01c\x01d");
        let variable = |name, value| SessionChange::Variable {
            name: Bytes::from_static(name),
            value: Bytes::from_static(value),
        };
        let changes = parse_session_changes(&raw).unwrap();
        assert_eq!(changes, [variable(b"a", b"b"), variable(b"c", b"d")]);
    }

    #[test]
    fn broken_changes_are_refused() {
        for raw in [&b"\x01"[..], b"\x01\x05", b"\0\x02\x01a", b"\x03\x01\0"] {
            assert!(parse_session_changes(&Bytes::copy_from_slice(raw)).is_err(), "{raw:x?}");
        }
    }
}
