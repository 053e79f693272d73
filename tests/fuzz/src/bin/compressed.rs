//! Compressed packets: whatever comes, no more comes out than their headers say; and what is packed comes
//! out again.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use margay::protocol::compress::{Algorithm, Compression, Layer};

const LIMIT: usize = 1 << 16;
/// What a header may ask for beyond the limit.
const SLACK: usize = 1 << 16;

fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else { return };
    let algorithm = if choice & 1 == 0 { Algorithm::Zlib } else { Algorithm::Zstd };
    let compression = Compression { algorithm, level: 1 };
    let received = BytesMut::from(data);
    let mut layer = match choice & 2 {
        0 => Layer::of_client(compression, received),
        _ => Layer::of_server(compression, received),
    };
    let mut out = BytesMut::new();
    while let Ok(true) = layer.unpack(&mut out, LIMIT) {
        assert!(out.len() <= LIMIT + SLACK);
        out.clear();
    }
    let mut from = Layer::of_client(compression, BytesMut::new());
    from.pack(data).expect("all can be packed");
    let mut to = Layer::of_client(compression, from.packed);
    while to.unpack(&mut out, data.len()).expect("what was packed is unpacked") {}
    assert_eq!(out, data);
});
