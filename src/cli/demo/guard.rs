//! A small shell beside each server: it sends signals for us, and ends the server when we are gone.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::error::{Error, ErrorKind, Result};

/// Reads names of signals and sends them to process `$0`. At the end of input, which comes however we
/// end (a panic and `kill -9` too, since the kernel closes the pipe), it kills the process and, if told
/// so, removes its directory `$1`.
const SCRIPT: &str = r#"
while read -r signal; do kill -s "$signal" "$0"; done
kill -s KILL "$0"
if [ -n "$1" ]; then sleep 0.2; rm -rf -- "$1"; rmdir -- "${1%/*}"; fi
"#;

/// The keeper of one process.
#[derive(Debug)]
pub(crate) struct Guard {
    shell: Child,
    signals: Option<ChildStdin>,
}

/// What can be sent to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Terminate,
    Stop,
    Continue,
}

impl Guard {
    /// Watches process `pid`; `remove` is a directory to delete if we die without stopping it.
    pub(crate) fn watch(pid: u32, remove: Option<&Path>) -> Result<Self> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT])
            .arg(pid.to_string())
            .arg(remove.unwrap_or(Path::new("")))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Its own group, so that Ctrl-C in a terminal reaches us alone and we end the servers in order.
            .process_group(0)
            .spawn()
            .map_err(|error| failed("cannot start /bin/sh to guard a server").with_source(error))?;
        let signals = shell.stdin.take();
        Ok(Self { shell, signals })
    }

    pub(crate) fn send(&mut self, signal: Signal) -> Result<()> {
        let line = match signal {
            Signal::Terminate => "TERM\n",
            Signal::Stop => "STOP\n",
            Signal::Continue => "CONT\n",
        };
        let sent = match &mut self.signals {
            Some(pipe) => pipe.write_all(line.as_bytes()),
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        };
        sent.map_err(|error| failed("the guard of a server is gone").with_source(error))
    }

    /// Ends the guard once its process is dead and reaped: another process may bear the number soon.
    pub(crate) fn dismiss(&mut self) {
        // Both fail only if the shell is gone already.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

fn failed(message: &str) -> Error {
    Error::new(ErrorKind::NoBackend, message)
}
