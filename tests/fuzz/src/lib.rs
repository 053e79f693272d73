//! What the targets share.

use margay::protocol::capability::CapabilityFlags;

/// The flags that the first four bytes of an input stand for, and the rest of it.
pub fn flags(data: &[u8]) -> (CapabilityFlags, &[u8]) {
    match data.split_first_chunk::<4>() {
        Some((bits, rest)) => (CapabilityFlags::from_bits_retain(u32::from_le_bytes(*bits)), rest),
        None => (CapabilityFlags::all(), data),
    }
}
