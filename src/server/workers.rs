//! The threads that serve clients, each with a runtime of its own.
//!
//! A client stays on one thread for its life, and so do, as a rule, the connections that its statements
//! take: no wake-up crosses threads, which on the way of a small statement would cost more than all that
//! Margay does for it.

use std::future::Future;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, ErrorKind, Result};

/// Threads that serve clients. They end when this is dropped, and what runs on them with them.
pub(super) struct Workers {
    workers: Vec<Worker>,
    stop: CancellationToken,
}

struct Worker {
    runtime: Handle,
    clients: Arc<AtomicUsize>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Workers {
    /// `count` of them; None: half as many as the machine can run at once. A thread that has more to do
    /// sleeps and wakes less often, and the system works for its sockets on other cores.
    ///
    /// # Errors
    /// The system gives no more threads or files.
    pub(super) fn start(count: Option<u32>) -> Result<Self> {
        let count = count.map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        let count = count
            .unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZero::get).div_ceil(2));
        let stop = CancellationToken::new();
        let mut workers = Self { workers: Vec::with_capacity(count), stop: stop.clone() };
        for index in 0..count {
            workers.workers.push(Worker::start(index, stop.clone())?);
        }
        Ok(workers)
    }

    /// Runs the task of a client on the thread that has the fewest.
    pub(super) fn spawn(
        &self,
        clients: &mut JoinSet<()>,
        client: impl Future<Output = ()> + Send + 'static,
    ) {
        let fewest = self.workers.iter().min_by_key(|it| it.clients.load(Ordering::Relaxed));
        let Some(Worker { runtime, clients: count, .. }) = fewest else { return };
        let counted = Counted::new(count);
        let task = async move {
            let _counted = counted;
            client.await;
        };
        clients.spawn_on(task, runtime);
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop.cancel();
        for worker in &mut self.workers {
            if let Some(thread) = worker.thread.take() {
                // A panic there has been told by its thread.
                let _ = thread.join();
            }
        }
    }
}

impl Worker {
    fn start(index: usize, stop: CancellationToken) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Internal, "cannot start a thread for clients; lower `threads`")
                .with_source(error)
        };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let thread = thread::Builder::new()
            .name(format!("clients-{index}"))
            .spawn(move || runtime.block_on(stop.cancelled()))
            .map_err(failed)?;
        Ok(Self { runtime: handle, clients: Arc::default(), thread: Some(thread) })
    }
}

/// A client of a worker, until it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn clients_are_spread_over_the_threads() {
        let workers = Workers::start(Some(3)).unwrap();
        let seen = Arc::new(Mutex::new(HashSet::new()));
        let all_came = Arc::new(tokio::sync::Barrier::new(6));
        let mut clients = JoinSet::new();
        for _ in 0..6 {
            let (seen, all_came) = (seen.clone(), all_came.clone());
            workers.spawn(&mut clients, async move {
                seen.lock().unwrap().insert(thread::current().id());
                all_came.wait().await;
            });
        }
        clients.join_all().await;
        assert_eq!(seen.lock().unwrap().len(), 3);
    }

    #[tokio::test]
    async fn what_runs_ends_with_its_thread() {
        let workers = Workers::start(Some(1)).unwrap();
        let mut clients = JoinSet::new();
        workers.spawn(&mut clients, std::future::pending());
        drop(workers);
        assert!(clients.join_next().await.is_some_and(|ended| ended.is_err()));
    }
}
