//! Clients that send anything: cut, too long, out of order, random, slow. The proxy serves the others as
//! before, in the same memory.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use margay::cli::demo::flavor::Flavor;

use crate::client::transport::Packing;
use crate::client::value::Value;
use crate::client::{Client, Login, command};
use crate::fixture::{PASSWORD, Shop, wanted};

/// How many connections of each kind.
const ROUNDS: u64 = 60;

#[test]
fn hostile_mysql() {
    run(Flavor::MySql);
}

#[test]
fn hostile_mariadb() {
    run(Flavor::MariaDb);
}

fn run(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let shop = Shop::start(flavor, 2);
    let mut witness = shop.client();
    assert_eq!(witness.value("SELECT 1"), "1");
    let login = shop.proxy.login();
    for seed in 0..ROUNDS {
        let mut random = Random(seed * 7919 + 1);
        greeting_answered(&login, &mut random);
        switch_answered(&login, &mut random);
        commands(&login, &mut random);
        executes(&login, &mut random);
        compressed(&login, &mut random);
    }
    assert_eq!(witness.value("SELECT 2"), "2");
    assert_eq!(shop.client().value("SELECT 3"), "3");
    let peak = shop.proxy.memory_kib("VmHWM");
    eprintln!("{flavor}: at most {peak} KiB");
    assert!(peak < 400 << 10, "{peak} KiB");
    byte_by_byte(&shop);
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }

    /// Damages bytes: cuts them, changes some, puts some in, or does nothing.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        match self.below(5) {
            0 => bytes.truncate(self.below(bytes.len() + 1)),
            1 => {
                for _ in 0..=self.below(4) {
                    let (at, byte) = (self.below(bytes.len()), self.next() as u8);
                    if let Some(place) = bytes.get_mut(at) {
                        *place = byte;
                    }
                }
            }
            2 => {
                let at = self.below(bytes.len() + 1);
                let length = self.below(40);
                let more = self.bytes(length);
                bytes.splice(at..at, more);
            }
            3 => {
                let length = self.below(300);
                *bytes = self.bytes(length);
            }
            _ => {}
        }
    }
}

/// A frame whose length or number may be wrong.
fn frame(random: &mut Random, number: u8, payload: &[u8]) -> Vec<u8> {
    let mut length = payload.len() as u32;
    let mut number = number;
    match random.below(6) {
        0 => length = length.wrapping_add(random.below(9) as u32).wrapping_sub(4),
        1 => length = 0xff_ffff,
        2 => number = random.next() as u8,
        _ => {}
    }
    let [a, b, c, _] = length.to_le_bytes();
    [&[a, b, c, number], payload].concat()
}

/// Sends bytes, hears the answer out for a moment, and leaves.
fn say(mut socket: TcpStream, bytes: &[u8]) {
    let _ = socket.set_read_timeout(Some(Duration::from_millis(300)));
    let _ = socket.write_all(bytes);
    let _ = socket.shutdown(Shutdown::Write);
    let mut answer = [0; 4096];
    while matches!(socket.read(&mut answer), Ok(1..)) {}
}

/// A response to the greeting, as most clients send it, but for its proof.
fn response(random: &mut Random) -> Vec<u8> {
    let flags = 0x019f_a685_u32 | if random.below(2) == 0 { 1 << 11 } else { 0 };
    let mut payload = flags.to_le_bytes().to_vec();
    payload.extend_from_slice(b"\0\0\0\x01\x2d");
    payload.extend_from_slice(&[0; 23]);
    payload.extend_from_slice(b"app\0\x14");
    payload.extend_from_slice(&random.bytes(20));
    payload.extend_from_slice(b"shop\0mysql_native_password\0\x0c\x03_os\x07GNU/Lin");
    payload
}

fn greeting_answered(login: &Login, random: &mut Random) {
    let socket = TcpStream::connect(&login.address).expect("the proxy listens");
    let mut payload = response(random);
    random.damage(&mut payload);
    let bytes = frame(random, 1, &payload);
    say(socket, &bytes);
}

fn switch_answered(login: &Login, random: &mut Random) {
    let mut socket = TcpStream::connect(&login.address).expect("the proxy listens");
    let _ = socket.set_read_timeout(Some(Duration::from_secs(5)));
    let mut payload = response(random);
    // A plugin that the proxy does not speak makes it ask for another.
    let text = b"mysql_native_password";
    if let Some(at) = payload.windows(text.len()).position(|part| part == text) {
        payload[at] = b'M';
        payload[1] &= !0x08;
    }
    let whole = [&(payload.len() as u32).to_le_bytes()[..3], &[1], &payload].concat();
    let _ = socket.write_all(&whole);
    let mut heard = [0; 512];
    let _ = socket.read(&mut heard);
    let length = random.below(40);
    let mut proof = random.bytes(length);
    random.damage(&mut proof);
    let bytes = frame(random, 3, &proof);
    say(socket, &bytes);
}

fn commands(login: &Login, random: &mut Random) {
    let texts: [&[u8]; 6] = [
        b"\x03SELECT 1 + 1",
        b"\x16SELECT ?, ?",
        b"\x11app\0\x00shop\0\x2d\0mysql_native_password\0",
        b"\x04users\0%",
        b"\x02shop",
        b"\x1b\0\0",
    ];
    let mut client = Client::open(login);
    let _ = client.limit_waits(Duration::from_millis(300));
    let mut bytes = Vec::new();
    for _ in 0..=random.below(4) {
        let mut payload = texts[random.below(texts.len())].to_vec();
        random.damage(&mut payload);
        bytes.extend_from_slice(&frame(random, 0, &payload));
    }
    let _ = client.write_raw(&bytes);
    while client.read_packet().is_ok() {}
}

fn executes(login: &Login, random: &mut Random) {
    let mut client = Client::open(login);
    let _ = client.limit_waits(Duration::from_millis(300));
    let statement = client.prepare("SELECT ?, ?, ?, ?").unwrap().unwrap();
    for _ in 0..5 {
        let mut body = statement.id.to_le_bytes().to_vec();
        body.extend_from_slice(&[0, 1, 0, 0, 0]);
        let types: Vec<u8> = (0..8).map(|_| random.next() as u8).collect();
        body.extend_from_slice(&[0, 1]);
        body.extend_from_slice(&types);
        let length = random.below(60);
        body.extend_from_slice(&random.bytes(length));
        random.damage(&mut body);
        if client.command(command::STMT_EXECUTE, &body).is_err() || client.read_replies().is_err() {
            return;
        }
    }
    let values = [Value::Int(1), Value::Null, Value::text("x"), Value::Double(0.5)];
    // What was sent before may have been several commands' worth, so that this one may be out of order.
    let _ = client.execute(&statement, &values);
}

fn compressed(login: &Login, random: &mut Random) {
    let packing = if random.below(2) == 0 { Packing::Zlib } else { Packing::Zstd(3) };
    let mut client = Client::open(&login.clone().packing(packing));
    let _ = client.limit_waits(Duration::from_millis(300));
    // A true beginning of zlib, or of zstd.
    let starts: [&[u8]; 3] = [b"\x78\x9c", b"\x28\xb5\x2f\xfd", b""];
    let length = random.below(200);
    let content = [starts[random.below(3)], &random.bytes(length)].concat();
    let unpacked = [0, 1, 50, 70_000, 0xff_ffff][random.below(5)] as u32;
    let mut packet = frame(random, 0, b"");
    packet.truncate(4);
    packet[..3].copy_from_slice(&(content.len() as u32).to_le_bytes()[..3]);
    packet.extend_from_slice(&unpacked.to_le_bytes()[..3]);
    packet.extend_from_slice(&content);
    random.damage(&mut packet);
    let _ = client.write_raw(&packet);
    while client.read_packet().is_ok() {}
}

/// Packets that come in pieces of one byte are whole in the end.
fn byte_by_byte(shop: &Shop) {
    let mut client = Client::open(&Login::new(shop.proxy.address.clone(), "app", PASSWORD));
    for sql in ["SELECT 41 + 1", "SELECT 'abc'"] {
        let bytes = [&[(sql.len() + 1) as u8, 0, 0, 0, 3], sql.as_bytes()].concat();
        for byte in bytes {
            client.write_raw(&[byte]).unwrap();
            std::thread::sleep(Duration::from_millis(2));
        }
        client.expect_number(1);
        assert_eq!(client.read_replies().unwrap().len(), 1);
    }
}
