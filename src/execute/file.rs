//! Files of a client: a statement asks for one, and whoever talks to the client hands it over piece by
//! piece.

use std::future::poll_fn;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use tokio::sync::mpsc;

/// Pieces that wait for the statement: few, since each may be as large as a packet.
const AHEAD: usize = 2;

/// Where the statements of one session ask for files, one at a time.
#[derive(Default)]
pub struct Files {
    asked: Mutex<Option<Request>>,
    waker: AtomicWaker,
}

/// A statement waits for a file.
pub struct Request {
    pub name: Vec<u8>,
    /// Where its pieces go; the file ends when this is dropped.
    pub pieces: mpsc::Sender<Bytes>,
}

/// A file on its way.
pub(super) struct Incoming(mpsc::Receiver<Bytes>);

impl Files {
    /// Asks the client for a file.
    pub(super) fn ask(&self, name: &[u8]) -> Incoming {
        let (pieces, incoming) = mpsc::channel(AHEAD);
        let request = Request { name: name.to_vec(), pieces };
        // One assignment is guarded, so a panic elsewhere broke nothing.
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(request);
        self.waker.wake();
        Incoming(incoming)
    }

    /// Waits until a statement asks for a file. One task may wait.
    pub async fn asked(&self) -> Request {
        poll_fn(|context| {
            // Registered before it is looked at, so that no request in between is missed.
            self.waker.register(context.waker());
            match self.asked.lock().unwrap_or_else(PoisonError::into_inner).take() {
                Some(request) => Poll::Ready(request),
                None => Poll::Pending,
            }
        })
        .await
    }
}

impl Incoming {
    /// The next piece, which is not empty. None: the file has ended. If the client goes away instead, the
    /// statement is dropped where it waits.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        self.0.recv().await
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_file_comes_in_pieces() {
        let files = Files::default();
        assert!(files.asked().now_or_never().is_none());
        let mut incoming = files.ask(b"a.csv");
        let request = files.asked().await;
        assert_eq!(request.name, b"a.csv");
        request.pieces.send(Bytes::from_static(b"1\n")).await.unwrap();
        drop(request);
        assert_eq!(incoming.next().await.as_deref(), Some(b"1\n".as_slice()));
        assert_eq!(incoming.next().await, None);
        assert!(files.asked().now_or_never().is_none());
    }
}
