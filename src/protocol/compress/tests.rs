use super::*;

fn layer(algorithm: Algorithm) -> Layer {
    let compression = Compression { algorithm, level: algorithm.level_default() };
    Layer::of_client(compression, BytesMut::new())
}

/// Text that can be compressed, but not to nothing.
fn text(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b'a' + (state >> 28) as u8
    };
    (0..len).map(|_| next()).collect()
}

fn check(algorithm: Algorithm, part: &[u8], packets: u8) -> usize {
    let (mut from, mut to) = (layer(algorithm), layer(algorithm));
    from.pack(part).unwrap();
    assert_eq!(from.seq, packets);
    let wire = from.packed.len();
    let mut out = BytesMut::from(&b"before"[..]);
    // Nothing comes out before a packet is whole.
    let last = from.packed.split_off(wire.saturating_sub(1));
    to.received = from.packed;
    while to.unpack(&mut out, PAYLOAD_MAX).unwrap() {}
    assert_eq!(to.missing(), 1);
    to.received.unsplit(last);
    assert!(to.unpack(&mut out, PAYLOAD_MAX).unwrap());
    assert!(out[6..] == *part);
    assert_eq!((to.due, to.received.len()), (packets, 0));
    wire
}

#[test]
fn there_and_back() {
    for algorithm in [Algorithm::Zlib, Algorithm::Zstd] {
        assert_eq!(check(algorithm, &text(1), 1), 8);
        assert_eq!(check(algorithm, &[b'x'; 49], 1), 56, "too short to compress");
        assert!(check(algorithm, &[b'x'; 50], 1) < 50);
        assert!(check(algorithm, &text(100_000), 1) < 70_000);
        let random: Vec<u8> = (0..64_u8).map(|i| i.wrapping_mul(167)).collect();
        assert_eq!(check(algorithm, &random, 1), 71, "cannot be compressed");
        assert!(check(algorithm, &vec![7; PAYLOAD_MAX], 1) < 100_000);
        assert!(check(algorithm, &vec![7; PAYLOAD_MAX + 1], 2) < 100_000);
        assert!(check(algorithm, &vec![7; 2 * PAYLOAD_MAX + 3], 3) < 100_000);
    }
}

#[test]
fn one_context_serves_many_packets() {
    for algorithm in [Algorithm::Zlib, Algorithm::Zstd] {
        let (mut from, mut to) = (layer(algorithm), layer(algorithm));
        let mut out = BytesMut::new();
        for len in (0..600).rev().chain(0..600) {
            let part = text(len);
            from.pack(&part).unwrap();
            to.received.extend_from_slice(&from.packed.split());
            while to.unpack(&mut out, 1000).unwrap() {}
            assert!(out == part, "{len}");
            out.clear();
            if len % 100 == 0 {
                from.rest();
                to.rest();
            }
        }
    }
}

#[test]
fn numbers_count_on_from_what_was_read() {
    let (mut client, mut server) = (layer(Algorithm::Zlib), layer(Algorithm::Zlib));
    let number = |layer: &mut Layer| {
        let number = layer.packed[3];
        layer.packed.clear();
        number
    };
    client.pack(b"command").unwrap();
    client.settle();
    server.received = client.packed.split();
    assert!(server.unpack(&mut BytesMut::new(), 100).unwrap());
    server.begin_answer();
    server.pack(b"answer").unwrap();
    assert_eq!(number(&mut server), 1);
    server.expect_answer();
    server.pack(b"question").unwrap();
    server.settle();
    assert_eq!((number(&mut server), server.due), (2, 3));
    client.begin_command();
    client.pack(b"command").unwrap();
    assert_eq!(number(&mut client), 0);
}

fn refused(algorithm: Algorithm, wire: &[u8], max: usize) -> Error {
    let mut layer = layer(algorithm);
    layer.received.extend_from_slice(wire);
    let mut out = BytesMut::from(&b"kept"[..]);
    let error = layer.unpack(&mut out, max).unwrap_err();
    assert_eq!(&out[..], b"kept");
    error
}

#[test]
fn what_is_not_as_declared_is_refused() {
    for algorithm in [Algorithm::Zlib, Algorithm::Zstd] {
        let mut packed = layer(algorithm);
        packed.pack(&text(1000)).unwrap();
        let wire = packed.packed;
        for declared in [999_u16, 1001, 1, 60_000] {
            let mut wrong = wire.clone();
            wrong[4..6].copy_from_slice(&declared.to_le_bytes());
            let message = format!("it does not hold {declared} bytes by {}", algorithm.name());
            let error = refused(algorithm, &wrong, 100_000);
            assert_eq!(*error.kind(), ErrorKind::Protocol);
            assert!(error.message().ends_with(&message), "{error}");
        }
        let mut damaged = wire.clone();
        damaged[HEADER_LEN + 20..HEADER_LEN + 30].fill(0xff);
        refused(algorithm, &damaged, 100_000);
        let mut longer = wire.clone();
        longer[..2].copy_from_slice(&((wire.len() - HEADER_LEN + 1) as u16).to_le_bytes());
        longer.put_u8(0);
        refused(algorithm, &longer, 100_000);
    }
}

#[test]
fn sizes_are_refused_by_the_header() {
    for header in [[0xff, 0xff, 0xff, 0, 0, 0, 0], [1, 0, 0, 0, 0xff, 0xff, 0xff]] {
        let error = refused(Algorithm::Zlib, &header, 1 << 20);
        assert_eq!(*error.kind(), ErrorKind::PacketTooLarge);
        let expect =
            "compressed packet of 16777215 bytes is over limits.max_allowed_packet = 1048576";
        assert_eq!(error.message(), expect);
    }
}

#[test]
fn order_is_checked_of_clients_alone() {
    let wire = [1, 0, 0, 5, 0, 0, 0, b'x'];
    let error = refused(Algorithm::Zlib, &wire, 100);
    assert_eq!(error.message(), "packets out of order: compressed packet 5 where 0 was due");
    let compression = Compression { algorithm: Algorithm::Zlib, level: 6 };
    let mut server = Layer::of_server(compression, BytesMut::from(&wire[..]));
    let mut out = BytesMut::new();
    assert!(server.unpack(&mut out, 100).unwrap());
    assert_eq!(&out[..], b"x");
}
