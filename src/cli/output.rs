//! The one way to write to the terminal.

use std::io::Write as _;
use std::process::ExitCode;

/// Writes text to standard output. Fails if it cannot be written; a reader that closed its end early has
/// seen enough, which is no failure.
pub fn print(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Writes a line to standard error. Nobody can be told if that fails.
pub fn error(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
