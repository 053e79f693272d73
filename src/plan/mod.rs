//! What a statement does, as data: the plan, the planner and its explanation. Pure.
//!
//! Planning has two steps. [`planner::plan`] looks at the statement's shape and the rules and gives a
//! [`Plan`]. At run time [`resolve::targets`] finds, from the literals and parameters of this
//! execution, on which shards and physical tables it runs; the same plan may be routed to one shard
//! or scattered over many. Both steps may answer that they need a fact which only a server knows
//! (columns of a table, weight strings, existing time tables); the caller fetches it and asks again.

mod aggregate;
mod anywhere;
pub mod combine;
mod condition;
mod ddl;
mod distinct;
pub mod explain;
mod expressions;
pub mod facts;
mod feed;
pub mod fill;
mod fragment;
mod functions;
pub mod holds;
pub mod ids;
mod insert;
pub mod key;
pub mod known;
mod load;
mod locate;
mod model;
mod moves;
mod names;
mod order;
mod outputs;
pub mod pick;
pub mod planner;
pub mod render;
pub mod resolve;
mod scatter;
mod select;
mod sources;
mod splice;
pub mod template;
#[cfg(test)]
mod tests;
pub mod types;
mod units;
pub mod upsert;
pub mod views;
mod write;

pub use types::Plan;
