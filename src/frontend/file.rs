//! The file of LOAD DATA LOCAL: asked of the client, and handed to the statement as it comes.

use std::pin::Pin;
use std::time::Duration;

use bytes::{BufMut, Bytes};

use super::stream::ClientStream;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::Reply;
use crate::execute::file::Request;
use crate::protocol::reply::LOCAL_INFILE;
use crate::session::registry::{Kill, KillSignal};

/// What is asked of a client that sends a file.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// How long it may send nothing.
    pub(super) wait: Duration,
    /// Bytes of a packet.
    pub(super) packet: usize,
}

/// How a statement ended, or why it did not.
type Outcome = Result<Result<Reply>, Kill>;

/// Asks for the file and hands it to `work`, the statement, until that ends. A statement that ends before
/// the file, or is killed, leaves the rest of it to be read and dropped: the client answers to nothing before
/// it has sent all.
///
/// # Errors
/// The client went away.
pub(super) async fn send<W>(
    stream: &mut ClientStream,
    kill: &KillSignal,
    request: Request,
    limits: Limits,
    mut work: Pin<&mut W>,
) -> Result<Outcome>
where
    W: Future<Output = Result<Reply>>,
{
    stream.put_with(|out| {
        out.put_u8(LOCAL_INFILE);
        out.put_slice(&request.name);
    });
    stream.expect_answer();
    within(limits.wait, stream.flush()).await?;
    let outcome = tokio::select! {
        biased;
        reply = &mut work => Some(Ok(reply)),
        kill = kill.wait() => Some(Err(kill)),
        ended = hand_over(stream, request, limits) => {
            ended?;
            None
        }
    };
    match outcome {
        Some(Err(Kill::Connection)) => Ok(Err(Kill::Connection)),
        Some(outcome) => {
            while !within(limits.wait, stream.read_packet(limits.packet)).await?.is_empty() {}
            Ok(outcome)
        }
        None => tokio::select! {
            biased;
            reply = work => Ok(Ok(reply)),
            kill = kill.wait() => Ok(Err(kill)),
            gone = stream.gone() => Err(gone),
        },
    }
}

/// Reads the file to its end, as fast as the statement takes it. Cancel-safe, but for the piece at hand.
async fn hand_over(stream: &mut ClientStream, request: Request, limits: Limits) -> Result<()> {
    loop {
        let piece: Bytes = within(limits.wait, stream.read_packet(limits.packet)).await?;
        if piece.is_empty() {
            return Ok(());
        }
        if request.pieces.send(piece).await.is_err() {
            // The statement has enough of it, and is about to say so.
            std::future::pending::<()>().await;
        }
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout(limit, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::new(
            ErrorKind::ClientGone,
            format!("the client sent nothing of its file for `limits.write_timeout` ({limit:?})"),
        )),
    }
}
