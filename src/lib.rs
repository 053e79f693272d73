//! Margay: a sharding proxy for MySQL. Many servers answer as one.
//!
//! The life of a statement: [`frontend`] reads a packet and hands the command to the client's
//! [`session`], which asks [`sql`] to parse it and [`plan`] to turn it into a [`plan::Plan`] by the
//! rules in the [`catalog`]. [`execute`] runs the plan over connections of [`backend`], [`merge`] makes
//! one stream of many, and [`frontend`] writes the reply.
//!
//! Modules are layers: each imports only modules of smaller numbers (`tests/it/tidy.rs` has the table
//! and enforces it).

// 0
pub mod error;
pub mod protocol;
// 1
pub mod config;
pub mod merge;
pub mod sql;
// 2
pub mod backend;
pub mod catalog;
// 3
pub mod plan;
pub mod sequence;
pub mod transaction;
// 4
pub mod execute;
// 5
pub mod session;
// 6
pub mod frontend;
// 8
pub mod server;
// 9
pub mod cli;
