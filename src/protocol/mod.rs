//! The MySQL wire protocol as values: packets, columns, rows, handshake, authentication. No sockets.
