//! Clusters, nodes, pools and raw connections to MySQL servers; health and choice of replicas.
//!
//! [`Backends`](cluster::Backends) hands out a [`Lease`](pool::Lease): a
//! [`Connection`](connection::Connection) borrowed from the pool of one [`Node`](node::Node). Sessions
//! share connections, so each connection knows its [`SessionState`](state::SessionState) and is
//! brought to that of the session that leases it.

pub mod settings;

mod bookkeeping;
pub mod cluster;
mod health;
mod keeper;
pub mod node;
pub mod pool;

pub mod channel;
pub mod connection;
mod file;
mod login;
pub mod reply;
pub mod state;
pub mod statements;
mod states;
mod step;
mod stream;
mod tls;
mod written;

pub use bookkeeping::Bookkeeping;
pub use channel::Deadline;
pub use cluster::{Access, Backends};
pub use connection::Connection;
pub use health::Health;
pub use keeper::Keeper;
pub use pool::{Lease, Wish};
pub use reply::{Frames, QueryResult};
pub use settings::{ClientIdentity, ClusterSpec, NodeSpec, Password, Settings, TlsMode};
pub use state::SessionState;
pub use states::States;
pub use written::Written;
