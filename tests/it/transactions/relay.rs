//! A TCP relay between the proxy and a server, which can pull the plug at a chosen message of a commit.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// What happens at the chosen message: it is told which relay it came by.
type Plug = Box<dyn FnOnce(usize) + Send>;

/// What becomes of the chosen message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives after the plug was pulled.
    Arrives,
    /// It never arrives.
    Lost,
    /// It arrives before the plug is pulled, but its answer does not.
    Unanswered,
}

/// Counts the messages of commits over all relays.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<Watch>>);

#[derive(Default)]
struct Watch {
    /// Messages to go until the plug is pulled, and what becomes of the last of them.
    due: Option<(u32, Fate, Plug)>,
    /// How messages begin that count.
    start: &'static str,
    seen: Vec<String>,
}

/// Listens until the test process ends.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
}

impl Gate {
    /// Pulls the plug at the `count`-th message from now.
    pub(crate) fn arm(&self, count: u32, fate: Fate, plug: impl FnOnce(usize) + Send + 'static) {
        self.arm_for("", count, fate, plug);
    }

    /// Pulls the plug at the `count`-th message that begins so.
    pub(crate) fn arm_for(
        &self,
        start: &'static str,
        count: u32,
        fate: Fate,
        plug: impl FnOnce(usize) + Send + 'static,
    ) {
        let mut watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        watch.due = Some((count, fate, Box::new(plug)));
        watch.start = start;
        watch.seen.clear();
    }

    /// Forgets the plug. Gives whether it was pulled, and the messages since the gate was armed.
    pub(crate) fn disarm(&self) -> (bool, Vec<String>) {
        let mut watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (watch.due.take().is_none(), std::mem::take(&mut watch.seen))
    }

    /// Passes a message on, or pulls the plug. False: the connection is to be closed.
    fn pass(
        &self,
        relay: usize,
        packet: &[u8],
        client: &TcpStream,
        server: &mut TcpStream,
    ) -> bool {
        let Some(text) = message(packet) else { return server.write_all(packet).is_ok() };
        let mut watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        watch.seen.push(format!("{relay}: {text}"));
        if !text.starts_with(watch.start) {
            drop(watch);
            return server.write_all(packet).is_ok();
        }
        match watch.due.take() {
            Some((1, Fate::Arrives, plug)) => {
                plug(relay);
                server.write_all(packet).is_ok()
            }
            Some((1, Fate::Lost, plug)) => {
                plug(relay);
                false
            }
            Some((1, Fate::Unanswered, plug)) => {
                let _ = client.shutdown(Shutdown::Both);
                let _ = server.write_all(packet);
                thread::sleep(Duration::from_millis(100));
                plug(relay);
                false
            }
            due => {
                watch.due = due.map(|(count, fate, plug)| (count - 1, fate, plug));
                drop(watch);
                server.write_all(packet).is_ok()
            }
        }
    }
}

/// The text of a message that belongs to a commit.
fn message(packet: &[u8]) -> Option<String> {
    const QUERY: u8 = 3;
    let body = packet.get(4..)?;
    let text = std::str::from_utf8(body.get(1..)?).ok()?;
    let starts =
        ["XA END", "XA PREPARE", "XA COMMIT", "COMMIT", "INSERT INTO `margay`.`transactions`"];
    let is_ours =
        body.first() == Some(&QUERY) && starts.iter().any(|start| text.starts_with(start));
    // What recovery writes is no part of a commit.
    (is_ours && !text.contains("'abort'")).then(|| text.chars().take(60).collect())
}

impl Relay {
    pub(crate) fn start(index: usize, server: SocketAddr, gate: &Gate) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let gate = gate.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A server that is down refuses: so does its relay.
                let Ok(server) = TcpStream::connect(server) else { continue };
                let _ = client.set_nodelay(true);
                let _ = server.set_nodelay(true);
                let (Ok(from), Ok(to)) = (server.try_clone(), client.try_clone()) else { continue };
                thread::spawn(move || copy(from, to));
                let gate = gate.clone();
                thread::spawn(move || commands(index, client, server, &gate));
            }
        });
        Self { address }
    }
}

/// From the server to the proxy, as it comes.
fn copy(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
}

/// From the proxy to the server, packet by packet.
fn commands(index: usize, mut client: TcpStream, mut server: TcpStream, gate: &Gate) {
    let mut packet = Vec::new();
    loop {
        packet.resize(4, 0);
        if client.read_exact(&mut packet).is_err() {
            break;
        }
        let length =
            usize::from(packet[0]) | usize::from(packet[1]) << 8 | usize::from(packet[2]) << 16;
        packet.resize(4 + length, 0);
        if client.read_exact(&mut packet[4..]).is_err()
            || !gate.pass(index, &packet, &client, &mut server)
        {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
    let _ = client.shutdown(Shutdown::Both);
}
