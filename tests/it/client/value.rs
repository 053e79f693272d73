//! Parameters of prepared statements.

/// A bound value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Unsigned(u64),
    Double(f64),
    Bytes(Vec<u8>),
}

impl Value {
    pub(crate) fn text(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }

    /// The type and the flag for unsigned.
    fn kind(&self) -> [u8; 2] {
        match self {
            Self::Null => [6, 0],
            Self::Int(_) => [8, 0],
            Self::Unsigned(_) => [8, 0x80],
            Self::Double(_) => [5, 0],
            Self::Bytes(_) => [253, 0],
        }
    }

    fn encode(&self, body: &mut Vec<u8>) {
        match self {
            Self::Null => {}
            Self::Int(value) => body.extend_from_slice(&value.to_le_bytes()),
            Self::Unsigned(value) => body.extend_from_slice(&value.to_le_bytes()),
            Self::Double(value) => body.extend_from_slice(&value.to_le_bytes()),
            Self::Bytes(bytes) => {
                lenenc(bytes.len() as u64, body);
                body.extend_from_slice(bytes);
            }
        }
    }
}

pub(crate) fn lenenc(value: u64, body: &mut Vec<u8>) {
    let bytes = value.to_le_bytes();
    let (mark, width) = match value {
        0..=250 => (None, 1),
        251..=0xffff => (Some(0xfc), 2),
        0x1_0000..=0xff_ffff => (Some(0xfd), 3),
        _ => (Some(0xfe), 8),
    };
    body.extend(mark);
    body.extend_from_slice(bytes.get(..width).unwrap_or_default());
}

/// The part of `COM_STMT_EXECUTE` after the iteration count.
pub(super) fn encode_all(values: &[Value], body: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    let mut nulls = vec![0_u8; values.len().div_ceil(8)];
    for (index, value) in values.iter().enumerate() {
        if *value == Value::Null {
            nulls[index / 8] |= 1 << (index % 8);
        }
    }
    body.extend_from_slice(&nulls);
    body.push(1);
    values.iter().for_each(|value| body.extend_from_slice(&value.kind()));
    values.iter().for_each(|value| value.encode(body));
}
