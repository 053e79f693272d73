//! The MySQL wire protocol as values: packets, columns, rows, handshake, authentication. No sockets.
//!
//! Parsers take a *payload*: the bytes of one logical packet without its headers ([`packet`] joins
//! and splits them). They answer malformed bytes with an error of kind
//! [`Protocol`](crate::error::ErrorKind::Protocol) and never panic.

pub mod compress;
pub mod packet;
pub mod read;
pub mod write;

pub mod capability;
pub mod charset;

pub mod auth;
pub mod curve;
pub mod handshake;
pub mod login;

pub mod command;
pub mod params;
pub mod stmt;

pub mod column;
pub mod definition;
pub mod gtid;
pub mod reply;
pub mod row;
pub mod track;

mod value;

#[cfg(test)]
mod tests;
