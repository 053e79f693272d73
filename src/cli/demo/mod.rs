//! Real MySQL servers as child processes: what `margay demo` and the tests stand on.
//!
//! [`program`] finds a server program, [`template`] initialises a data directory once, [`server`] runs
//! a copy of it under a [`guard`] that ends it with us, and [`replication`] makes one follow another.

pub mod flavor;
mod guard;
pub mod program;
pub mod replication;
pub mod server;
mod template;
