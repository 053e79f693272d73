//! One binary for all integration tests: link once, run in parallel.

mod demo;
mod servers;
