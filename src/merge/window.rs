//! `OFFSET` and `LIMIT`.

/// The rows that `OFFSET` and `LIMIT` let through.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) offset: u64,
    /// How many more; `None` without a limit.
    pub(super) left: Option<u64>,
}

impl Window {
    /// Counts a row; whether it is one of the answer.
    pub(super) fn admit(&mut self) -> bool {
        if self.offset > 0 {
            self.offset -= 1;
            return false;
        }
        match &mut self.left {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    /// No row will be admitted again.
    pub(super) fn closed(&self) -> bool {
        self.left == Some(0)
    }
}
