//! Runs a plan over backends.
//!
//! A [`run::Run`] is one statement on its way: it leases connections, or takes the transaction's, sends
//! each target its text and gives a [`reply::Reply`], whose rows are pulled by whoever writes them to
//! the client. So back-pressure reaches from the client to the shards without a queue in between.

pub mod aftermath;
pub mod client_state;
pub mod columns;
pub mod facts;
pub mod information;
pub mod inline;
pub mod periods;
pub mod pins;
mod procedure;
pub mod reply;
pub mod run;
pub mod snapshot;
pub mod summary;
mod temporary;
pub mod views;

mod binary;
mod combine;
mod consistent;
mod ddl;
mod describe;
mod feed;
pub mod file;
mod fill;
mod guesses;
mod insert;
mod kept;
mod lanes;
mod load;
pub mod look;
mod moves;
mod names;
mod numbers;
mod pick;
pub mod planning;
pub mod plans;
mod returned;
mod select;
mod strict;

pub mod warnings;
mod whole;
mod write;

pub use client_state::ClientState;
pub use reply::Reply;
pub use run::Run;
pub use snapshot::Snapshot;
pub use summary::Summary;
