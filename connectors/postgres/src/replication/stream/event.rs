//! What comes with the stream.

use bytes::{Buf, Bytes};

use crate::lsn::Lsn;
use crate::replication::failure::Failure;

/// The server's epoch, 2000-01-01T00:00Z, in microseconds since 1970.
pub(super) const SERVER_EPOCH: i64 = 946_684_800_000_000;

/// Kind, two positions and an instant.
const CHANGE_HEADER: usize = 25;

/// Something that the server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A message of the plug-in.
    XLogData(XLogData),
    /// A sign of life.
    KeepAlive(KeepAlive),
}

/// A message of the plug-in, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XLogData {
    /// Where what it tells stands in the log; no position for RELATION and TYPE.
    pub wal_start: Lsn,
    /// Where the log ended on the server.
    pub wal_end: Lsn,
    /// When it was sent, in microseconds since 1970-01-01T00:00Z.
    pub server_time: i64,
    /// The message, a slice of what was read ([`decode`](crate::pgoutput::decode)).
    pub payload: Bytes,
}

/// A sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepAlive {
    /// Up to where everything has been sent.
    pub wal_end: Lsn,
    /// When it was sent, in microseconds since 1970-01-01T00:00Z.
    pub server_time: i64,
    /// Whether the server wants to know soon how far this side is.
    pub reply_requested: bool,
}

/// Reads what stands in a message of the stream.
pub(super) fn event(mut body: Bytes) -> Result<Event, Failure> {
    match body.first() {
        Some(b'w') if body.len() >= CHANGE_HEADER => {
            body.advance(1);
            Ok(Event::XLogData(XLogData {
                wal_start: Lsn(body.get_u64()),
                wal_end: Lsn(body.get_u64()),
                server_time: instant(body.get_i64()),
                payload: body,
            }))
        }
        Some(b'k') if body.len() == 18 => {
            body.advance(1);
            Ok(Event::KeepAlive(KeepAlive {
                wal_end: Lsn(body.get_u64()),
                server_time: instant(body.get_i64()),
                reply_requested: body.get_u8() != 0,
            }))
        }
        kind => Err(Failure::permanent(format!(
            "the stream has a message of kind {kind:?} and {} bytes, which the protocol does not \
             know",
            body.len()
        ))),
    }
}

fn instant(since_2000: i64) -> i64 {
    since_2000.saturating_add(SERVER_EPOCH)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn positions_and_instants_are_read() {
        let mut body = vec![b'w'];
        for number in [0x10_u64, 0x20, 1_000_000] {
            body.extend(number.to_be_bytes());
        }
        body.extend(b"payload");
        assert_eq!(
            event(body.into()).unwrap(),
            Event::XLogData(XLogData {
                wal_start: Lsn(0x10),
                wal_end: Lsn(0x20),
                server_time: SERVER_EPOCH + 1_000_000,
                payload: Bytes::from_static(b"payload"),
            })
        );
        let mut body = vec![b'k'];
        body.extend(0x30_u64.to_be_bytes());
        body.extend(2_000_000_u64.to_be_bytes());
        body.push(1);
        assert_eq!(
            event(body.into()).unwrap(),
            Event::KeepAlive(KeepAlive {
                wal_end: Lsn(0x30),
                server_time: SERVER_EPOCH + 2_000_000,
                reply_requested: true,
            })
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            kind in prop_oneof![Just(b'w'), Just(b'k'), any::<u8>()],
            rest in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut body = vec![kind];
            body.extend(rest);
            let _ = event(body.into());
            let _ = event(Bytes::new());
        }
    }
}
