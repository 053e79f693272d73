//! What others ask of a session: to end its statement or itself.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Poll;

use futures_util::task::AtomicWaker;

use super::registry::Kill;

/// Set by any task, awaited by the one of the session. Looking costs two atomic operations and no lock,
/// since every statement looks several times.
#[derive(Default)]
pub(super) struct Signal {
    asked: AtomicU8,
    waker: AtomicWaker,
}

const STATEMENT: u8 = 1;
const CONNECTION: u8 = 2;
/// No more statements are taken.
const LEAVE: u8 = 4;

/// What a session that waits for its client hears of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Kill(Kill),
    /// The program stops: leave once no transaction is open.
    Leave,
}

impl Signal {
    pub(super) fn kill(&self, kill: Kill) {
        self.ask(match kill {
            Kill::Statement => STATEMENT,
            Kill::Connection => CONNECTION,
        });
    }

    pub(super) fn leave(&self) {
        self.ask(LEAVE);
    }

    /// Takes a KILL QUERY back.
    pub(super) fn forget_statement(&self) {
        // Most often there is nothing to write.
        if self.asked.load(Ordering::Acquire) & STATEMENT != 0 {
            self.asked.fetch_and(!STATEMENT, Ordering::AcqRel);
        }
    }

    /// Waits for a kill, or with `leaves` for the end of the program.
    pub(super) async fn wait(&self, leaves: bool) -> Asked {
        poll_fn(|context| {
            // Registered before it is looked at, so that nothing asked in between is missed.
            self.waker.register(context.waker());
            let asked = self.asked.load(Ordering::Acquire);
            if asked & CONNECTION != 0 {
                Poll::Ready(Asked::Kill(Kill::Connection))
            } else if asked & STATEMENT != 0 {
                Poll::Ready(Asked::Kill(Kill::Statement))
            } else if leaves && asked & LEAVE != 0 {
                Poll::Ready(Asked::Leave)
            } else {
                Poll::Pending
            }
        })
        .await
    }

    fn ask(&self, bit: u8) {
        self.asked.fetch_or(bit, Ordering::AcqRel);
        self.waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn check(signal: &Signal, leaves: bool, expect: Option<Asked>) {
        assert_eq!(signal.wait(leaves).now_or_never(), expect);
    }

    #[test]
    fn a_kill_stays_until_it_is_forgotten() {
        let signal = Signal::default();
        check(&signal, true, None);
        signal.kill(Kill::Statement);
        check(&signal, true, Some(Asked::Kill(Kill::Statement)));
        signal.forget_statement();
        check(&signal, true, None);
        signal.kill(Kill::Connection);
        signal.kill(Kill::Statement);
        signal.forget_statement();
        check(&signal, false, Some(Asked::Kill(Kill::Connection)));
    }

    #[test]
    fn leaving_is_heard_by_those_who_may() {
        let signal = Signal::default();
        signal.leave();
        check(&signal, false, None);
        check(&signal, true, Some(Asked::Leave));
    }

    #[tokio::test]
    async fn a_waiter_is_woken() {
        let signal = std::sync::Arc::new(Signal::default());
        let other = signal.clone();
        let waiter = tokio::spawn(async move { other.wait(false).await });
        tokio::task::yield_now().await;
        signal.kill(Kill::Connection);
        assert_eq!(waiter.await.unwrap(), Asked::Kill(Kill::Connection));
    }
}
