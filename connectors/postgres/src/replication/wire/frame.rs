//! The messages of the wire protocol, unread.

use bytes::{Buf, Bytes, BytesMut};

/// What is read at once, in bytes, unless a message is larger.
const READ_SIZE: usize = 256 * 1024;

/// The least room to read into; with less left a new buffer is taken.
const LEAST_ROOM: usize = 16 * 1024;

/// Tag and length.
const HEADER: usize = 5;

/// The longest message of a server, in bytes: its buffers hold 1 GiB.
pub(crate) const LONGEST_MESSAGE: usize = 1 << 30;

/// A message whose length cannot be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("the server sent a message of {length} bytes, and no more than {limit} are taken")]
    TooLong { length: usize, limit: usize },
    #[error("the server sent a message of {0} bytes, which includes the 4 of the length itself")]
    TooShort(u32),
}

/// A message of the wire protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// What it is.
    pub(crate) tag: u8,
    /// What it says: a slice of what was read.
    pub(crate) body: Bytes,
}

/// Cuts what is read into messages.
///
/// What one read brought is shared by all of its messages and stays in memory
/// as long as one of them does. Memory is taken as bytes come, not as a length
/// promises them.
#[derive(Debug)]
pub(crate) struct Frames {
    /// What is read and not cut yet.
    incoming: BytesMut,
    /// Whole messages that are not taken yet.
    whole: Bytes,
    /// The longest message, in bytes.
    limit: usize,
}

impl Frames {
    /// Takes messages up to this length in bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            incoming: BytesMut::new(),
            whole: Bytes::new(),
            limit,
        }
    }

    /// Changes the length of the longest message.
    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// The next message, if it is there as a whole.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        if self.whole.is_empty() {
            let length = self.whole_length()?;
            if length == 0 {
                return Ok(None);
            }
            self.whole = self.incoming.split_to(length).freeze();
        }
        let Some(length) = message_length(&self.whole, self.limit)? else {
            return Ok(None);
        };
        let mut body = self.whole.split_to(length);
        let tag = body[0];
        body.advance(HEADER);
        Ok(Some(Frame { tag, body }))
    }

    /// Where to read into. There is room.
    pub(crate) fn room(&mut self) -> &mut BytesMut {
        let length = self.incoming.len();
        let room = self.incoming.capacity() - length;
        if self.incoming.capacity() > 4 * READ_SIZE && length < READ_SIZE {
            // A very large message has gone through; its memory need not stay.
            let mut smaller = BytesMut::with_capacity(READ_SIZE + length);
            smaller.extend_from_slice(&self.incoming);
            self.incoming = smaller;
        } else if room < LEAST_ROOM {
            // The more of a message has come, the more is expected.
            self.incoming.reserve(READ_SIZE.max(length));
        }
        &mut self.incoming
    }

    /// How many bytes of what was read are whole messages.
    fn whole_length(&self) -> Result<usize, FrameError> {
        let mut at = 0;
        while let Some(length) = message_length(&self.incoming[at..], self.limit)? {
            if length > self.incoming.len() - at {
                break;
            }
            at += length;
        }
        Ok(at)
    }
}

/// The length of the message that begins here, header and all, if so much is
/// known.
fn message_length(bytes: &[u8], limit: usize) -> Result<Option<usize>, FrameError> {
    let Some(&[_, a, b, c, d]) = bytes.first_chunk::<HEADER>() else {
        return Ok(None);
    };
    // The length counts itself, but not the tag.
    let length = u32::from_be_bytes([a, b, c, d]);
    if length < 4 {
        return Err(FrameError::TooShort(length));
    }
    let total = length as usize + 1;
    match total > limit {
        true => Err(FrameError::TooLong {
            length: total,
            limit,
        }),
        false => Ok(Some(total)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn encoded(tag: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag];
        bytes.extend((body.len() as u32 + 4).to_be_bytes());
        bytes.extend(body);
        bytes
    }

    fn all(frames: &mut Frames) -> Vec<Frame> {
        std::iter::from_fn(|| frames.next().unwrap()).collect()
    }

    #[test]
    fn messages_of_one_read_share_its_memory() {
        let mut frames = Frames::new(100);
        let mut bytes = encoded(b'd', b"one");
        bytes.extend(encoded(b'k', b""));
        bytes.extend(encoded(b'd', b"two"));
        frames.room().extend_from_slice(&bytes);
        let all = all(&mut frames);
        let found: Vec<_> = all
            .iter()
            .map(|frame| (frame.tag, &frame.body[..]))
            .collect();
        assert_eq!(found, [(b'd', &b"one"[..]), (b'k', b""), (b'd', b"two")]);
        let distance = all[2].body.as_ptr() as usize - all[0].body.as_ptr() as usize;
        assert_eq!(distance, bytes.len() - 3 - HEADER);
        assert!(frames.room().is_empty());
    }

    #[test]
    fn a_length_takes_no_memory() {
        let mut frames = Frames::new(LONGEST_MESSAGE);
        frames.room().extend_from_slice(b"d\x3f\xff\xff\xf0");
        assert_eq!(frames.next(), Ok(None));
        assert!(frames.room().capacity() < 2 * READ_SIZE);
        let mut frames = Frames::new(1000);
        frames.room().extend_from_slice(b"d\x00\x00\x04\x00");
        let error = frames.next().unwrap_err();
        assert_eq!(
            error,
            FrameError::TooLong {
                length: 1025,
                limit: 1000
            }
        );
        let mut frames = Frames::new(1000);
        frames.room().extend_from_slice(b"d\x00\x00\x00\x03");
        assert_eq!(frames.next(), Err(FrameError::TooShort(3)));
    }

    #[test]
    fn the_memory_of_a_large_message_goes() {
        let mut frames = Frames::new(LONGEST_MESSAGE);
        let bytes = encoded(b'd', &vec![b'x'; 8 * READ_SIZE]);
        for chunk in bytes.chunks(60_000) {
            let room = frames.room();
            assert!(room.capacity() - room.len() >= LEAST_ROOM);
            // As much as fits is what a read would bring.
            room.extend_from_slice(chunk);
        }
        frames.room().extend_from_slice(&encoded(b'k', b"next"));
        assert_eq!(all(&mut frames).len(), 2);
        assert!(frames.room().capacity() <= 2 * READ_SIZE);
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(
            messages in vec((any::<u8>(), vec(any::<u8>(), 0..50)), 0..30),
            cut in 1_usize..40,
        ) {
            let bytes: Vec<u8> = messages
                .iter()
                .flat_map(|(tag, body)| encoded(*tag, body))
                .collect();
            let mut frames = Frames::new(100);
            let mut found = Vec::new();
            for chunk in bytes.chunks(cut) {
                frames.room().extend_from_slice(chunk);
                found.extend(all(&mut frames));
            }
            let found: Vec<_> = found
                .into_iter()
                .map(|frame| (frame.tag, frame.body.to_vec()))
                .collect();
            prop_assert_eq!(found, messages);
            prop_assert!(frames.room().is_empty());
        }

        #[test]
        fn any_bytes_are_cut_or_refused(bytes in vec(any::<u8>(), 0..200)) {
            let mut frames = Frames::new(64);
            frames.room().extend_from_slice(&bytes);
            while let Ok(Some(frame)) = frames.next() {
                prop_assert!(frame.body.len() <= 64);
            }
        }
    }
}
