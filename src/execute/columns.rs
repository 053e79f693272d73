//! The columns of a result: parsed, or as a server sent them until somebody looks.

use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;

use bytes::{Buf, Bytes, BytesMut};

use crate::backend::Connection;
use crate::error::Result;
use crate::protocol::column::Column;
use crate::protocol::definition::{Changes, Definition};
use crate::protocol::packet::{HEADER_LEN, Header, put_packet_with};

/// Columns of a result. Most results pass through, so theirs are parsed when they are looked at first.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    /// Definitions as frames that were [looked through](Definition::parse); None once they may have been
    /// changed.
    framed: Option<Framed>,
    parsed: OnceLock<Vec<Column>>,
}

/// Definitions with their headers, numbered from 0.
#[derive(Debug, Clone)]
pub struct Framed {
    pub count: usize,
    pub frames: Bytes,
}

impl Columns {
    /// Reads the definitions that the head of a reply announced. `changes` tells how each is changed.
    pub(super) async fn read<'c>(
        connection: &mut Connection,
        changes: impl Fn(&Definition<'_>) -> Changes<'c>,
    ) -> Result<Self> {
        // A few usual ones fit.
        const ROOM: usize = 512;
        let (mut frames, mut seq, mut count) = (BytesMut::with_capacity(ROOM), 0, 0);
        while let Some(payload) = connection.read_column_packet().await? {
            match Definition::parse(&payload) {
                Ok(definition) => {
                    let changes = changes(&definition);
                    put_packet_with(&mut frames, &mut seq, |out| definition.put(out, changes));
                }
                Err(error) => return Err(connection.refuse_packet(error)),
            }
            count += 1;
        }
        let framed = Some(Framed { count, frames: frames.freeze() });
        Ok(Self { framed, parsed: OnceLock::new() })
    }

    /// As they are sent on; None: only their parsed form is there.
    pub fn framed(&self) -> Option<&Framed> {
        self.framed.as_ref()
    }

    pub fn into_vec(self) -> Vec<Column> {
        let parse = || self.framed.as_ref().map(Framed::parse).unwrap_or_default();
        self.parsed.into_inner().unwrap_or_else(parse)
    }
}

impl Framed {
    fn parse(&self) -> Vec<Column> {
        let mut frames = self.frames.clone();
        let mut columns = Vec::with_capacity(self.count);
        while let Some(header) = Header::peek(&frames) {
            frames.advance(HEADER_LEN);
            let payload = frames.split_to(header.len);
            columns.push(Column::parse(&payload).expect("it was looked through when it came"));
        }
        columns
    }
}

impl From<Vec<Column>> for Columns {
    fn from(columns: Vec<Column>) -> Self {
        Self { framed: None, parsed: OnceLock::from(columns) }
    }
}

impl Deref for Columns {
    type Target = Vec<Column>;

    fn deref(&self) -> &Vec<Column> {
        let parse = || self.framed.as_ref().map(Framed::parse).unwrap_or_default();
        self.parsed.get_or_init(parse)
    }
}

impl DerefMut for Columns {
    fn deref_mut(&mut self) -> &mut Vec<Column> {
        let _ = Self::deref(self);
        self.framed = None;
        self.parsed.get_mut().expect("they were parsed just now")
    }
}
