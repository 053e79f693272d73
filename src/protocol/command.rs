//! What clients ask for: the commands.

use super::capability::CapabilityFlags;
use super::params::skip_attributes;
use super::read::Reader;
use crate::error::{Error, ErrorKind, Result};

pub const COM_QUIT: u8 = 0x01;
pub const COM_INIT_DB: u8 = 0x02;
pub const COM_QUERY: u8 = 0x03;
pub const COM_FIELD_LIST: u8 = 0x04;
pub const COM_STATISTICS: u8 = 0x09;
pub const COM_PROCESS_INFO: u8 = 0x0a;
pub const COM_PROCESS_KILL: u8 = 0x0c;
pub const COM_DEBUG: u8 = 0x0d;
pub const COM_PING: u8 = 0x0e;
pub const COM_CHANGE_USER: u8 = super::login::ChangeUser::COMMAND;
pub const COM_STMT_PREPARE: u8 = 0x16;
pub const COM_STMT_EXECUTE: u8 = 0x17;
pub const COM_STMT_SEND_LONG_DATA: u8 = 0x18;
pub const COM_STMT_CLOSE: u8 = 0x19;
pub const COM_STMT_RESET: u8 = 0x1a;
pub const COM_SET_OPTION: u8 = 0x1b;
pub const COM_STMT_FETCH: u8 = 0x1c;
pub const COM_RESET_CONNECTION: u8 = 0x1f;

/// A command of a client, borrowed from its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command<'a> {
    Quit,
    /// Makes a schema the default.
    InitDb(&'a [u8]),
    /// A statement's text, without query attributes.
    Query(&'a [u8]),
    /// The columns of a table, as far as `wildcard` (a LIKE pattern; empty: all) names them.
    FieldList {
        table: &'a [u8],
        wildcard: &'a [u8],
    },
    Statistics,
    ProcessInfo,
    ProcessKill(u32),
    Debug,
    Ping,
    /// A new login: parse the payload by [`ChangeUser`](super::login::ChangeUser).
    ChangeUser,
    ResetConnection,
    /// Turns several statements a query on or off.
    SetOption {
        multi_statements: bool,
    },
    Prepare(&'a [u8]),
    /// Parse the payload's parameters by [`params`](super::params).
    Execute(Execute),
    /// A piece of a parameter's value. It gets no answer, not even on errors.
    SendLongData {
        statement: u32,
        param: u16,
        data: &'a [u8],
    },
    /// It gets no answer.
    Close(u32),
    /// Drops long data and the cursor of a statement.
    Reset(u32),
    /// Up to so many rows of a statement's cursor.
    Fetch {
        statement: u32,
        rows: u32,
    },
    /// A command that Margay does not know, or that no server speaks any more.
    Unknown(u8),
}

/// The fixed part of COM_STMT_EXECUTE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Execute {
    pub statement: u32,
    pub flags: u8,
}

impl Execute {
    /// Bytes of the payload up to the parameters: command, statement, flags and iteration count.
    pub const LEN: usize = 10;
    /// The flag that asks for a cursor.
    pub const CURSOR_READ_ONLY: u8 = 0x01;
    /// The flag that says that a parameter count is sent, with `CLIENT_QUERY_ATTRIBUTES`.
    pub const PARAMETER_COUNT: u8 = 0x08;

    /// The client wants a cursor, whose rows it fetches by COM_STMT_FETCH.
    pub fn wants_cursor(self) -> bool {
        self.flags & 0x07 != 0
    }
}

impl<'a> Command<'a> {
    /// Parses a client's payload. `capabilities` are those that client and server share.
    ///
    /// A payload that is too short for its command is an error of kind `Protocol`; one that no
    /// server would send an answer to (an empty one) too.
    pub fn parse(payload: &'a [u8], capabilities: CapabilityFlags) -> Result<Self> {
        let mut reader = Reader::new(payload);
        let code = reader.u8()?;
        Self::parse_body(code, &mut reader, capabilities)
            .map_err(|error| error.context(format!("command {code:#04x}")))
    }

    fn parse_body(
        code: u8,
        reader: &mut Reader<'a>,
        capabilities: CapabilityFlags,
    ) -> Result<Self> {
        let command = match code {
            COM_QUIT => Self::Quit,
            COM_INIT_DB => Self::InitDb(reader.rest()),
            COM_QUERY => {
                if capabilities.contains(CapabilityFlags::CLIENT_QUERY_ATTRIBUTES) {
                    skip_attributes(reader)?;
                }
                Self::Query(reader.rest())
            }
            COM_FIELD_LIST => {
                Self::FieldList { table: reader.nul_bytes()?, wildcard: reader.rest() }
            }
            COM_STATISTICS => Self::Statistics,
            COM_PROCESS_INFO => Self::ProcessInfo,
            COM_PROCESS_KILL => Self::ProcessKill(reader.u32()?),
            COM_DEBUG => Self::Debug,
            COM_PING => Self::Ping,
            COM_CHANGE_USER => Self::ChangeUser,
            COM_RESET_CONNECTION => Self::ResetConnection,
            COM_SET_OPTION => Self::SetOption { multi_statements: parse_option(reader.u16()?)? },
            COM_STMT_PREPARE => Self::Prepare(reader.rest()),
            COM_STMT_EXECUTE => {
                let execute = Execute { statement: reader.u32()?, flags: reader.u8()? };
                let _iterations = reader.u32()?;
                Self::Execute(execute)
            }
            COM_STMT_SEND_LONG_DATA => {
                let (statement, param) = (reader.u32()?, reader.u16()?);
                Self::SendLongData { statement, param, data: reader.rest() }
            }
            COM_STMT_CLOSE => Self::Close(reader.u32()?),
            COM_STMT_RESET => Self::Reset(reader.u32()?),
            COM_STMT_FETCH => Self::Fetch { statement: reader.u32()?, rows: reader.u32()? },
            unknown => Self::Unknown(unknown),
        };
        Ok(command)
    }
}

fn parse_option(option: u16) -> Result<bool> {
    match option {
        0 => Ok(true),
        1 => Ok(false),
        other => Err(Error::new(
            ErrorKind::UnknownCommand,
            format!("unknown option {other}; only MYSQL_OPTION_MULTI_STATEMENTS_ON and _OFF exist"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: CapabilityFlags = CapabilityFlags::CLIENT_PROTOCOL_41;
    const ATTRIBUTES: CapabilityFlags = CapabilityFlags::CLIENT_QUERY_ATTRIBUTES;

    fn check(payload: &[u8], expect: Command<'_>) {
        assert_eq!(Command::parse(payload, NONE).unwrap(), expect);
    }

    #[test]
    fn commands() {
        check(b"\x01", Command::Quit);
        check(b"\x02shop", Command::InitDb(b"shop"));
        check(b"\x03SELECT 1", Command::Query(b"SELECT 1"));
        check(b"\x04orders\0i%", Command::FieldList { table: b"orders", wildcard: b"i%" });
        check(b"\x09", Command::Statistics);
        check(b"\x0a", Command::ProcessInfo);
        check(b"\x0c\x07\0\0\0", Command::ProcessKill(7));
        check(b"\x0d", Command::Debug);
        check(b"\x0e", Command::Ping);
        check(b"\x11app\0", Command::ChangeUser);
        check(b"\x1b\0\0", Command::SetOption { multi_statements: true });
        check(b"\x1b\x01\0", Command::SetOption { multi_statements: false });
        check(b"\x1f", Command::ResetConnection);
        check(b"\x1e", Command::Unknown(0x1e));
        check(b"\xff", Command::Unknown(0xff));
    }

    #[test]
    fn statement_commands() {
        check(b"\x16SELECT ?", Command::Prepare(b"SELECT ?"));
        let execute = Execute { statement: 5, flags: 1 };
        assert!(execute.wants_cursor());
        check(b"\x17\x05\0\0\0\x01\x01\0\0\0...", Command::Execute(execute));
        let long = Command::SendLongData { statement: 5, param: 2, data: b"abc" };
        check(b"\x18\x05\0\0\0\x02\0abc", long);
        check(b"\x19\x05\0\0\0", Command::Close(5));
        check(b"\x1a\x05\0\0\0", Command::Reset(5));
        check(b"\x1c\x05\0\0\0\x0a\0\0\0", Command::Fetch { statement: 5, rows: 10 });
    }

    #[test]
    fn query_attributes_are_dropped() {
        let check = |payload: &[u8]| {
            assert_eq!(Command::parse(payload, ATTRIBUTES).unwrap(), Command::Query(b"SELECT 1"));
        };
        check(b"\x03\0\x01SELECT 1");
        // One attribute, `trace` = 'abc'; two of which the first is NULL.
        check(b"\x03\x01\x01\0\x01\xfe\0\x05trace\x03abcSELECT 1");
        check(b"\x03\x02\x01\x01\x01\xfe\0\x01a\x08\0\x01b\x07\0\0\0\0\0\0\0SELECT 1");
    }

    #[test]
    fn broken_commands_are_refused() {
        let check = |payload: &[u8], capabilities, expect: &str| {
            assert_eq!(Command::parse(payload, capabilities).unwrap_err().message(), expect);
        };
        check(b"", NONE, "malformed packet: 1 bytes expected, 0 left");
        check(b"\x19\x05", NONE, "command 0x19: malformed packet: 4 bytes expected, 1 left");
        check(b"\x04x", NONE, "command 0x04: malformed packet: a string without its final NUL");
        let two = "command 0x03: 2 sets of query attributes; one is supported";
        check(b"\x03\0\x02SELECT 1", ATTRIBUTES, two);
        let error = Command::parse(b"\x1b\x05\0", NONE).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::UnknownCommand);
    }
}
