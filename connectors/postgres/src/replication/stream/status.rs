//! How far this side is, as the server wants to know it.

use std::time::SystemTime;

use bytes::{BufMut, BytesMut};

use super::event::SERVER_EPOCH;
use crate::lsn::Lsn;

/// How far this side is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Status {
    /// Up to where everything has been received.
    pub(super) received: Lsn,
    /// Up to where the server may forget.
    pub(super) flushed: Lsn,
    /// Whether the server shall answer.
    pub(super) asks_for_answer: bool,
}

impl Status {
    /// Adds the message (`StandbyStatusUpdate` in a `CopyData`).
    pub(super) fn put(self, out: &mut BytesMut) {
        out.put_u8(b'd');
        // The length itself, the kind, three positions, the clock, the question.
        out.put_i32(4 + 1 + 3 * 8 + 8 + 1);
        out.put_u8(b'r');
        out.put_u64(self.received.0);
        out.put_u64(self.flushed.0);
        out.put_u64(self.flushed.0);
        out.put_i64(clock().saturating_sub(SERVER_EPOCH));
        out.put_u8(u8::from(self.asks_for_answer));
    }
}

/// Microseconds since 1970-01-01T00:00Z.
fn clock() -> i64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since_1970.map_or(0, |elapsed| {
        i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX)
    })
}
