//! Client connections: handshake, authentication, TLS, the command loop.
