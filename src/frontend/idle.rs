//! How long a client has sent nothing.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// One timer for the life of a client. Setting and unsetting one for each command would cost more than
/// many a command, so it is set again only once it has run out: then it is seen how long it still takes.
pub(super) struct IdleTimer {
    since: Instant,
    rests_after: Duration,
    /// It has been told once that the client rests.
    rests: bool,
    timer: Pin<Box<Sleep>>,
}

impl IdleTimer {
    /// A client rests that has been idle for `rests_after`.
    pub(super) fn new(rests_after: Duration) -> Self {
        let timer = Box::pin(sleep(rests_after));
        Self { since: Instant::now(), rests_after, rests: false, timer }
    }

    /// The client is waited for from now on.
    pub(super) fn begin(&mut self) {
        self.since = Instant::now();
        self.rests = false;
    }

    /// Ends when the client has been idle for a while: first when it rests, then after `limit`. Gives the
    /// time it has been idle, never more than it was. Cancel-safe.
    pub(super) async fn elapsed(&mut self, limit: Duration) -> Duration {
        loop {
            let due = if self.rests { limit } else { limit.min(self.rests_after) };
            let at = self.since + due;
            // It may be set for much later by a client that rested before.
            if self.timer.deadline() > at {
                self.timer.as_mut().reset(at);
            }
            self.timer.as_mut().await;
            let elapsed = self.since.elapsed();
            if elapsed >= due {
                self.rests = true;
                return elapsed;
            }
            self.timer.as_mut().reset(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn rests_first_and_is_idle_later() {
        let limit = 10 * REST;
        let mut idle = IdleTimer::new(REST);
        for _ in 0..3 {
            let started = Instant::now();
            idle.begin();
            assert!(idle.elapsed(limit).await >= REST);
            assert!(idle.elapsed(limit).await >= limit);
            assert!(started.elapsed() >= limit);
        }
    }

    #[tokio::test]
    async fn each_command_begins_anew() {
        let mut idle = IdleTimer::new(REST);
        for _ in 0..5 {
            idle.begin();
            sleep(REST / 2).await;
        }
        let started = Instant::now();
        idle.begin();
        assert!(idle.elapsed(REST / 4).await >= REST / 4);
        assert!(started.elapsed() >= REST / 4);
    }
}
