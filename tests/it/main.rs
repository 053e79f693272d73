//! One binary for all integration tests: link once, run in parallel.

mod backend;
mod demo;
mod plan;
mod servers;
