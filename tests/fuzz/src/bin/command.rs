//! Commands of clients, in frames and out of them, with the parameters of prepared statements.

#![no_main]

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use margay::protocol::capability::CapabilityFlags;
use margay::protocol::command::Command;
use margay::protocol::packet::Assembler;
use margay::protocol::params::{Bound, parse_execute};

fuzz_target!(|data: &[u8]| {
    let (flags, data) = margay_fuzz::flags(data);
    parse(data, flags);
    let mut assembler = Assembler::of_client(1 << 16);
    let mut input = BytesMut::from(data);
    while let Ok(Some(payload)) = assembler.next(&mut input) {
        parse(&payload, flags);
        assembler.set_next_seq(0);
    }
});

fn parse(payload: &[u8], flags: CapabilityFlags) {
    let Ok(Command::Execute(_)) = Command::parse(payload, flags) else { return };
    let payload = Bytes::copy_from_slice(payload);
    let long = BTreeMap::from([(1_u16, Bytes::from_static(b"long"))]);
    for count in [0, 1, 2, 9, 65_535] {
        let bound = Bound { count, types: &[], long: &long };
        if let Ok(params) = parse_execute(&payload, &bound, flags) {
            assert_eq!(params.len(), count);
        }
    }
}
