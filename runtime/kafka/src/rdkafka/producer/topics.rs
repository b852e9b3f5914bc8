//! Handing records to librdkafka.
//!
//! The library's own way looks up the topic of each record by its name, which
//! takes memory for the name and a lock that all threads of the client share.
//! Here each topic is looked up once.
#![allow(unsafe_code)]

use std::ffi::{CString, c_int, c_void};
use std::ptr::{self, NonNull};

use ::rdkafka::ClientContext;
use ::rdkafka::bindings::{
    RD_KAFKA_MSG_F_COPY, rd_kafka_header_add, rd_kafka_headers_destroy, rd_kafka_headers_new,
    rd_kafka_headers_t, rd_kafka_last_error, rd_kafka_message_t, rd_kafka_produce_batch,
    rd_kafka_producev, rd_kafka_resp_err_t as Code, rd_kafka_t, rd_kafka_topic_destroy,
    rd_kafka_topic_new, rd_kafka_topic_t, rd_kafka_vtype_t as Part,
};
use ::rdkafka::client::Client;
use ::rdkafka::error::{KafkaError as RdError, KafkaResult};

use super::partitioner::Partitioner;
use crate::OutgoingRecord;

/// Topics kept. A connector that writes to more pays for a look-up now and
/// then, and does not fill the memory.
const KEPT: usize = 64;

/// What librdkafka takes for no partition and no timestamp.
const NO_PARTITION: c_int = -1;
const NO_TIMESTAMP: i64 = 0;

/// The topics of one producer that records were written to. Dropped before the
/// producer.
#[derive(Default)]
pub(super) struct Topics {
    kept: Vec<(Box<str>, Handle)>,
    /// The topic of the record before: mostly the right one.
    last: usize,
    /// Its memory serves all batches.
    batch: Batch,
}

/// Records as librdkafka takes them in one call.
#[derive(Default)]
struct Batch(Vec<rd_kafka_message_t>);

// SAFETY: the pointers in it are followed during the call only for which they
// were made.
unsafe impl Send for Batch {}

/// A topic of librdkafka.
struct Handle(NonNull<rd_kafka_topic_t>);

// SAFETY: librdkafka's functions for topics may be called on any thread.
unsafe impl Send for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: `rd_kafka_topic_new` gave this reference, nobody else gives
        // it back, and the client is alive: see `Topics`.
        unsafe { rd_kafka_topic_destroy(self.0.as_ptr()) };
    }
}

/// Headers that librdkafka has not taken over.
struct HeaderList(*mut rd_kafka_headers_t);

impl HeaderList {
    /// Copies the headers; without any, librdkafka wants null.
    fn of(record: &OutgoingRecord<'_>) -> Self {
        if record.headers.is_empty() {
            return Self(ptr::null_mut());
        }
        // SAFETY: always returns a list.
        let list = unsafe { rd_kafka_headers_new(record.headers.len()) };
        for (name, value) in record.headers {
            let (value, length) = raw(*value);
            // SAFETY: the list is ours, and the bytes are as long as said;
            // librdkafka copies them. It has no error to return. A slice is
            // never longer than `isize::MAX`.
            unsafe {
                rd_kafka_header_add(
                    list,
                    name.as_ptr().cast(),
                    name.len().cast_signed(),
                    value,
                    length.cast_signed(),
                );
            }
        }
        Self(list)
    }
}

impl Drop for HeaderList {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the list is ours until librdkafka takes it over, which
            // sets the pointer to null.
            unsafe { rd_kafka_headers_destroy(self.0) };
        }
    }
}

impl Topics {
    /// Queues a copy of the record. The token comes back with its report.
    ///
    /// # Errors
    /// Why librdkafka does not take it.
    pub(super) fn produce<C: ClientContext>(
        &mut self,
        client: &Client<C>,
        partitioner: &Partitioner,
        (record, token): &(OutgoingRecord<'_>, usize),
    ) -> KafkaResult<()> {
        let topic = self.handle(client.native_ptr(), partitioner, record.topic)?;
        let mut headers = HeaderList::of(record);
        let (value, value_length) = raw(record.value);
        let (key, key_length) = raw(record.key);
        // SAFETY: each part is followed by arguments of the types that
        // `rd_kafka_producev` documents for it, and the last one is END. The
        // client and the topic are alive. The bytes are as long as said and
        // are copied before the call returns. The token is an opaque number
        // that librdkafka never follows as a pointer.
        let code = unsafe {
            rd_kafka_producev(
                client.native_ptr(),
                Part::RD_KAFKA_VTYPE_RKT,
                topic,
                Part::RD_KAFKA_VTYPE_PARTITION,
                record.partition.unwrap_or(NO_PARTITION),
                Part::RD_KAFKA_VTYPE_MSGFLAGS,
                RD_KAFKA_MSG_F_COPY as c_int,
                Part::RD_KAFKA_VTYPE_VALUE,
                value,
                value_length,
                Part::RD_KAFKA_VTYPE_KEY,
                key,
                key_length,
                Part::RD_KAFKA_VTYPE_OPAQUE,
                *token as *mut c_void,
                Part::RD_KAFKA_VTYPE_TIMESTAMP,
                record.timestamp.unwrap_or(NO_TIMESTAMP),
                Part::RD_KAFKA_VTYPE_HEADERS,
                headers.0,
                Part::RD_KAFKA_VTYPE_END,
            )
        };
        match code {
            Code::RD_KAFKA_RESP_ERR_NO_ERROR => {
                // The record owns them now.
                headers.0 = ptr::null_mut();
                Ok(())
            }
            code => Err(RdError::MessageProduction(code.into())),
        }
    }

    /// Queues copies of records for one topic and partition, none of which has
    /// headers or a timestamp: one look at the clock and one lock of the topic
    /// are enough for all. Returns how many were taken, from the first on, and
    /// why the next one was not.
    ///
    /// librdkafka goes on behind a record that is too large. Such a one counts
    /// as taken if one behind it was; `refused` hears of it.
    pub(super) fn produce_batch<C: ClientContext>(
        &mut self,
        client: &Client<C>,
        partitioner: &Partitioner,
        batch: &[(OutgoingRecord<'_>, usize)],
        mut refused: impl FnMut(usize, RdError),
    ) -> (usize, Option<RdError>) {
        let (Some((first, _)), Ok(count)) = (batch.first(), c_int::try_from(batch.len())) else {
            return (0, None);
        };
        let topic = match self.handle(client.native_ptr(), partitioner, first.topic) {
            Ok(topic) => topic,
            Err(error) => return (0, Some(error)),
        };
        self.batch.0.clear();
        self.batch.0.extend(batch.iter().map(message));
        // SAFETY: the topic is alive. There are as many messages as said, their
        // bytes are as long as they say and are copied before the call returns,
        // and librdkafka changes nothing but their errors. The tokens are opaque
        // numbers that it never follows as pointers. The one partition goes for
        // all, so that a wrong one is an error of each record.
        unsafe {
            rd_kafka_produce_batch(
                topic,
                first.partition.unwrap_or(NO_PARTITION),
                RD_KAFKA_MSG_F_COPY as c_int,
                self.batch.0.as_mut_ptr(),
                count,
            );
        }
        let error = |message: &rd_kafka_message_t| match message.err {
            Code::RD_KAFKA_RESP_ERR_NO_ERROR => None,
            code => Some(RdError::MessageProduction(code.into())),
        };
        let messages = &self.batch.0;
        let taken = messages
            .iter()
            .rposition(|message| error(message).is_none())
            .map_or(0, |last| last + 1);
        for message in &messages[..taken] {
            if let Some(error) = error(message) {
                refused(message._private as usize, error);
            }
        }
        (taken, messages.get(taken).and_then(error))
    }

    fn handle(
        &mut self,
        client: *mut rd_kafka_t,
        partitioner: &Partitioner,
        name: &str,
    ) -> KafkaResult<*mut rd_kafka_topic_t> {
        if self.kept.get(self.last).is_none_or(|kept| *kept.0 != *name) {
            self.last = match self.kept.iter().position(|kept| *kept.0 == *name) {
                Some(index) => index,
                None => self.look_up(client, partitioner, name)?,
            };
        }
        Ok(self.kept[self.last].1.0.as_ptr())
    }

    #[cold]
    fn look_up(
        &mut self,
        client: *mut rd_kafka_t,
        partitioner: &Partitioner,
        name: &str,
    ) -> KafkaResult<usize> {
        let c_name = CString::new(name)?;
        // SAFETY: the client is alive, and it goes before the partitioner, see
        // `DeliveryContext`. The name ends with a zero byte. librdkafka takes
        // the configuration over, also where it returns null.
        let handle = unsafe {
            let conf = partitioner.topic_conf(client, name);
            rd_kafka_topic_new(client, c_name.as_ptr(), conf)
        };
        let Some(handle) = NonNull::new(handle) else {
            // SAFETY: reads a number of this thread.
            let code = unsafe { rd_kafka_last_error() };
            return Err(RdError::MessageProduction(code.into()));
        };
        if self.kept.len() == KEPT {
            self.kept.remove(0);
        }
        self.kept.push((name.into(), Handle(handle)));
        Ok(self.kept.len() - 1)
    }
}

fn message((record, token): &(OutgoingRecord<'_>, usize)) -> rd_kafka_message_t {
    let (payload, len) = raw(record.value);
    let (key, key_len) = raw(record.key);
    rd_kafka_message_t {
        err: Code::RD_KAFKA_RESP_ERR_NO_ERROR,
        rkt: ptr::null_mut(),
        partition: NO_PARTITION,
        payload: payload.cast_mut(),
        len,
        key: key.cast_mut(),
        key_len,
        offset: 0,
        _private: *token as *mut c_void,
    }
}

fn raw(bytes: Option<&[u8]>) -> (*const c_void, usize) {
    match bytes {
        Some(bytes) => (bytes.as_ptr().cast(), bytes.len()),
        None => (ptr::null(), 0),
    }
}
