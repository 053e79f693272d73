use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::timeout;

use super::*;

const LIMIT: usize = 1 << 26;

/// Both ends of a connection: the client's bare, the server's as a stream.
async fn connect() -> (TcpStream, ClientStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (client, ClientStream::new(listener.accept().await.unwrap().0))
}

fn packet(seq: u8, payload: &[u8]) -> BytesMut {
    let mut out = BytesMut::new();
    put_packet(&mut out, &mut { seq }, payload);
    out
}

#[tokio::test]
async fn commands_and_replies() {
    let (mut client, mut stream) = connect().await;
    // Two commands in one write, as pipelining clients send them.
    let both = [packet(0, b"\x0e"), packet(0, b"\x03SELECT 1")].concat();
    client.write_all(&both).await.unwrap();
    assert_eq!(stream.read_command(LIMIT).await.unwrap(), &b"\x0e"[..]);
    assert_eq!(stream.next_seq(), 1);
    stream.put(b"ok");
    stream.put_with(|out| out.put_slice(b"more"));
    stream.put_framed(b"\x01\0\0\x63a");
    stream.put_frames(BytesMut::from(&b"\0\0\0\x04"[..]), 5);
    stream.flush().await.unwrap();
    let mut reply = [0; 23];
    client.read_exact(&mut reply).await.unwrap();
    assert_eq!(&reply, b"\x02\0\0\x01ok\x04\0\0\x02more\x01\0\0\x03a\0\0\0\x04");
    assert_eq!(stream.read_command(LIMIT).await.unwrap(), &b"\x03SELECT 1"[..]);
    assert_eq!(stream.next_seq(), 1);
}

#[tokio::test]
async fn an_exchange_counts_on() {
    let (mut client, mut stream) = connect().await;
    client.write_all(&packet(0, b"\x03LOAD")).await.unwrap();
    stream.read_command(LIMIT).await.unwrap();
    stream.put(b"\xfbfile");
    stream.expect_answer();
    stream.flush().await.unwrap();
    client.write_all(&packet(2, b"line")).await.unwrap();
    assert_eq!(stream.read_packet(LIMIT).await.unwrap(), &b"line"[..]);
    assert_eq!(stream.next_seq(), 3);
    client.write_all(&packet(9, b"\x0e")).await.unwrap();
    let error = stream.read_command(LIMIT).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn a_read_given_up_loses_nothing() {
    let (mut client, mut stream) = connect().await;
    let wire = packet(0, &vec![7; 17 << 20]);
    let send = tokio::spawn(async move {
        for part in wire.chunks(1 << 20) {
            client.write_all(part).await.unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        client
    });
    let payload = loop {
        match timeout(Duration::from_millis(1), stream.read_command(LIMIT)).await {
            Ok(payload) => break payload.unwrap(),
            Err(_) => continue,
        }
    };
    assert!(payload == vec![7; 17 << 20]);
    drop(payload);
    drop(send.await.unwrap());
    let error = stream.read_command(LIMIT).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::ClientGone);
}

#[tokio::test]
async fn limits() {
    let (mut client, mut stream) = connect().await;
    client.write_all(&packet(0, b"12345")).await.unwrap();
    let error = stream.read_command(4).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::PacketTooLarge);
}

/// Frames of `lens` bytes go out in order with a packet in front of and behind each.
async fn check_frames(lens: &[usize]) {
    let (mut client, mut stream) = connect().await;
    let mut expect = Vec::new();
    let mut seq = 0;
    let mut put = |payload: &[u8], seq: &mut u8| {
        let framed = packet(*seq, payload);
        *seq = seq.wrapping_add((payload.len() / 0xff_ffff + 1) as u8);
        expect.extend_from_slice(&framed);
        framed
    };
    let read = tokio::spawn(async move {
        let mut all = Vec::new();
        client.read_to_end(&mut all).await.unwrap();
        all
    });
    for &len in lens {
        put(b"before", &mut seq);
        stream.put(b"before");
        let frames = put(&vec![len as u8; len], &mut seq);
        stream.put_frames(frames, seq);
        put(b"behind", &mut seq);
        stream.put(b"behind");
        assert_eq!(stream.next_seq(), seq);
        stream.relieve().await.unwrap();
    }
    stream.close().await;
    assert!(read.await.unwrap() == expect, "{lens:?}");
}

#[tokio::test]
async fn frames_between_packets() {
    check_frames(&[10, 20]).await;
    check_frames(&[3000, 3000, 10, 5000]).await;
    check_frames(&[40_000, 10, 20_000, 60_000, 100]).await;
    check_frames(&[17 << 20, 5 << 20, 1]).await;
}

#[tokio::test]
async fn a_slow_client_holds_the_writer_back() {
    let (mut client, mut stream) = connect().await;
    let row = vec![1; 10_000];
    let mut sent = 0;
    while timeout(Duration::from_millis(200), stream.write(&row)).await.is_ok() {
        sent += 1;
    }
    // The flush that is held back may have sent a part, so what is left may be under the mark again.
    let left = stream.out.len();
    assert!(
        sent > 6 && (1..2 * OUT_LEN_MAX).contains(&left),
        "{sent} rows sent, {left} bytes left"
    );
    let total = (sent + 1) * (row.len() + HEADER_LEN);
    let read = async {
        let mut all = vec![0; total];
        client.read_exact(&mut all).await.unwrap();
        all
    };
    let (all, flushed) = tokio::join!(read, stream.flush());
    flushed.unwrap();
    let (mut all, mut assembler) = (BytesMut::from(&all[..]), Assembler::of_client(LIMIT));
    for _ in 0..=sent {
        assert!(assembler.next(&mut all).unwrap().unwrap() == row);
    }
}

#[tokio::test]
async fn a_client_that_leaves_is_seen() {
    let (mut client, mut stream) = connect().await;
    client.write_all(&packet(0, b"\x0e")).await.unwrap();
    assert!(timeout(Duration::from_millis(20), stream.gone()).await.is_err());
    drop(client);
    assert_eq!(*stream.gone().await.kind(), ErrorKind::ClientGone);
    assert_eq!(stream.read_command(LIMIT).await.unwrap(), &b"\x0e"[..]);
    stream.release_buffers();
    assert_eq!(stream.input.capacity() + stream.out.capacity(), 0);
}

#[tokio::test]
async fn an_idle_connection_ends_with_an_answer_to_the_next_command() {
    let (mut client, mut stream) = connect().await;
    client.write_all(&packet(0, b"\x0e")).await.unwrap();
    stream.read_command(LIMIT).await.unwrap();
    stream.put_ok(&OkPacket::default(), CapabilityFlags::empty());
    stream.answer_ahead();
    let error = Error::new(ErrorKind::ShuttingDown, "down");
    stream.put_error(&error, CapabilityFlags::CLIENT_PROTOCOL_41);
    stream.close().await;
    let mut all = Vec::new();
    client.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, b"\x07\0\0\x01\0\0\0\0\0\0\0\x0d\0\0\x01\xff\x1d\x04#08S01down");
}
