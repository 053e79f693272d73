//! The CPU time of a process.

use std::fs;

use tokio::time::Instant;

/// How finely the kernel tells times: a hundredth of a second, whatever it counts in itself.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of CPU time, also of threads that have ended.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Usage {
    pub(super) user: f64,
    pub(super) system: f64,
}

impl Usage {
    /// That of a process since it began. Nothing for a process that is gone.
    pub(super) fn of(pid: u32) -> Self {
        Self::read(pid).unwrap_or_default()
    }

    fn read(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name, in parentheses, may hold spaces.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut times = fields.split_whitespace().skip(11).map(str::parse::<f64>);
        let (user, system) = (times.next()?.ok()?, times.next()?.ok()?);
        Some(Self { user: user / TICKS_PER_SECOND, system: system / TICKS_PER_SECOND })
    }

    /// What was used since `earlier`, by the same process.
    pub(super) fn since(self, earlier: Self) -> Self {
        Self { user: self.user - earlier.user, system: self.system - earlier.system }
    }
}

#[test]
fn a_process_that_works_uses_time() {
    let before = Usage::of(std::process::id());
    let began = Instant::now();
    let mut used = Usage::default();
    while used.user + used.system == 0.0 {
        assert!(began.elapsed().as_secs() < 20, "no time is told");
        used = Usage::of(std::process::id()).since(before);
    }
}
