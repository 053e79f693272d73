//! The flags and types of the protocol, and what Margay offers of them.

pub use mysql_common::constants::{CapabilityFlags, ColumnFlags, ColumnType, StatusFlags};

/// What Margay offers its clients always: the server adds `CLIENT_SSL` if it has a certificate, and the
/// flags of compression unless the rules forbid it.
///
/// Left out: `CLIENT_OPTIONAL_RESULTSET_METADATA` (a
/// result would not tell its types), multi-factor authentication, and `CLIENT_ODBC` and
/// `CLIENT_NO_SCHEMA`, which servers ignore. `CLIENT_QUERY_ATTRIBUTES` is offered so that drivers
/// that set attributes keep working; the attributes are parsed and dropped, as MySQL itself does
/// without the query attributes component.
pub const OFFERED: CapabilityFlags = CapabilityFlags::CLIENT_LONG_PASSWORD
    .union(CapabilityFlags::CLIENT_FOUND_ROWS)
    .union(CapabilityFlags::CLIENT_LONG_FLAG)
    .union(CapabilityFlags::CLIENT_CONNECT_WITH_DB)
    .union(CapabilityFlags::CLIENT_LOCAL_FILES)
    .union(CapabilityFlags::CLIENT_IGNORE_SPACE)
    .union(CapabilityFlags::CLIENT_PROTOCOL_41)
    .union(CapabilityFlags::CLIENT_INTERACTIVE)
    .union(CapabilityFlags::CLIENT_IGNORE_SIGPIPE)
    .union(CapabilityFlags::CLIENT_TRANSACTIONS)
    .union(CapabilityFlags::CLIENT_RESERVED)
    .union(CapabilityFlags::CLIENT_SECURE_CONNECTION)
    .union(CapabilityFlags::CLIENT_MULTI_STATEMENTS)
    .union(CapabilityFlags::CLIENT_MULTI_RESULTS)
    .union(CapabilityFlags::CLIENT_PS_MULTI_RESULTS)
    .union(CapabilityFlags::CLIENT_PLUGIN_AUTH)
    .union(CapabilityFlags::CLIENT_CONNECT_ATTRS)
    .union(CapabilityFlags::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA)
    .union(CapabilityFlags::CLIENT_SESSION_TRACK)
    .union(CapabilityFlags::CLIENT_DEPRECATE_EOF)
    .union(CapabilityFlags::CLIENT_QUERY_ATTRIBUTES);
