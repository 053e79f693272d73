//! Client connections: handshake, authentication, TLS, the command loop.

pub mod commands;
pub mod handshake;
mod login;
pub mod places;
pub mod stream;
pub mod tls;
pub mod users;

mod file;
mod idle;
mod reply;
mod rsa_key;

pub use rsa_key::RsaKey;
