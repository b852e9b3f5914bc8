//! librdkafka's messages as our records.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::fetched::{Message, TopicAddress};
use super::headers::{RawHeader, headers};
use crate::{ConsumedRecord, RecordHeader, Result};

/// Names kept for sharing. Past these, names are made anew; a topic whose
/// header names all differ must not fill the memory.
const KEPT_NAMES: usize = 64;

/// The size of the pieces of memory that records share, in bytes. A record that
/// is kept keeps its neighbours' bytes, so the pieces are small.
const PIECE: usize = 32 * 1024;

/// Copies messages, sharing memory and the names of topics and headers.
#[derive(Default)]
pub(super) struct RecordReader {
    topics: Names,
    header_names: Names,
    /// The topic of the message before, as librdkafka and as we know it.
    topic: Option<(TopicAddress, Arc<str>)>,
    /// The rest of the piece in use.
    piece: BytesMut,
}

impl RecordReader {
    /// Messages follow that librdkafka has given at once, and so with all their
    /// topics: none of those has another's address.
    pub(super) fn begin_batch(&mut self) {
        self.topic = None;
    }

    /// Copies a message to the end of a batch.
    ///
    /// # Errors
    /// Fatal, if the headers are damaged.
    pub(super) fn read(
        &mut self,
        message: &Message<'_>,
        batch: &mut Vec<ConsumedRecord>,
    ) -> Result<()> {
        let headers = headers(message)?;
        let (key, value) = (message.key(), message.value());
        let values = headers.iter().filter_map(|header| header.value);
        let parts = key.into_iter().chain(value).chain(values);
        let content = self.room(parts.clone().map(<[u8]>::len).sum());
        for part in parts {
            content.extend_from_slice(part);
        }
        let mut rest = content.split().freeze();
        let mut take = |part: Option<&[u8]>| part.map(|part| rest.split_to(part.len()));
        let (timestamp, timestamp_type) = message.timestamp();
        batch.push(ConsumedRecord {
            topic: self.topic(message),
            partition: message.partition(),
            offset: message.offset(),
            timestamp,
            timestamp_type,
            key: take(key),
            value: take(value),
            headers: headers
                .iter()
                .map(|header| Self::header(&mut self.header_names, header, &mut take))
                .collect(),
        });
        Ok(())
    }

    fn topic(&mut self, message: &Message<'_>) -> Arc<str> {
        let address = message.topic_address();
        match &self.topic {
            Some((last, name)) if *last == address => Arc::clone(name),
            _ => {
                let name = self.topics.shared(message.topic());
                self.topic = Some((address, Arc::clone(&name)));
                name
            }
        }
    }

    /// An empty buffer with room for so many bytes.
    fn room(&mut self, length: usize) -> &mut BytesMut {
        if self.piece.capacity() < length {
            self.piece = BytesMut::with_capacity(length.max(PIECE));
        }
        &mut self.piece
    }

    fn header(
        names: &mut Names,
        header: &RawHeader<'_>,
        take: &mut impl FnMut(Option<&[u8]>) -> Option<Bytes>,
    ) -> RecordHeader {
        (names.shared(&header.name), take(header.value))
    }
}

/// Names that came before. A topic's records come in runs, so the last name is
/// mostly the right one.
#[derive(Default)]
struct Names {
    kept: Vec<Arc<str>>,
    last: usize,
}

impl Names {
    fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(last) = self.kept.get(self.last).filter(|last| ***last == *name) {
            return Arc::clone(last);
        }
        if let Some(index) = self.kept.iter().position(|kept| **kept == *name) {
            self.last = index;
            return Arc::clone(&self.kept[index]);
        }
        let made: Arc<str> = Arc::from(name);
        if self.kept.len() < KEPT_NAMES {
            self.last = self.kept.len();
            self.kept.push(Arc::clone(&made));
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shared_up_to_a_limit() {
        let mut names = Names::default();
        let first = names.shared("a");
        names.shared("b");
        assert!(Arc::ptr_eq(&first, &names.shared("a")));
        for index in 0..1000 {
            names.shared(&format!("name-{index}"));
        }
        assert_eq!(names.kept.len(), KEPT_NAMES);
        assert_eq!(&*names.shared("name-999"), "name-999");
    }
}
