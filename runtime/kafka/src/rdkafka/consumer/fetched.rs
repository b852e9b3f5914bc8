//! Fetched messages, taken many at a time.
//!
//! librdkafka puts messages and everything else that it has to say into one
//! queue, from which the library takes one event after the other. Here the
//! messages of all partitions go to a queue of their own, so that a batch of
//! them costs one call.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;

use ::rdkafka::bindings::{
    rd_kafka_consume_batch_queue, rd_kafka_message_destroy, rd_kafka_message_t,
    rd_kafka_message_timestamp, rd_kafka_queue_cb_event_enable, rd_kafka_queue_destroy,
    rd_kafka_queue_forward, rd_kafka_queue_get_partition, rd_kafka_queue_new, rd_kafka_queue_t,
    rd_kafka_resp_err_t as Code, rd_kafka_t, rd_kafka_timestamp_type_t as Time,
    rd_kafka_topic_name,
};
use ::rdkafka::client::Client;
use ::rdkafka::error::{KafkaError as RdError, RDKafkaErrorCode};
use ::rdkafka::message::BorrowedMessage;
use ::rdkafka::{ClientContext, TopicPartitionList};
use tether_api::record::TimestampType;
use tokio::sync::Notify;

/// The queue of fetched messages of one consumer. Dropped before the consumer.
pub(super) struct FetchQueue {
    queue: NonNull<rd_kafka_queue_t>,
    /// Woken when the queue is not empty any more; librdkafka has its address.
    wake: Arc<Notify>,
}

// SAFETY: librdkafka's functions for queues may be called on any thread, at the
// same time too.
unsafe impl Send for FetchQueue {}
// SAFETY: as above.
unsafe impl Sync for FetchQueue {}

/// Called by librdkafka, with its queue locked.
///
/// # Safety
/// `wake` is the address that was given along with this function.
unsafe extern "C" fn arrived(_client: *mut rd_kafka_t, wake: *mut c_void) {
    // SAFETY: the queue keeps its share of the `Notify` until it has taken the
    // address away from librdkafka.
    unsafe { &*wake.cast_const().cast::<Notify>() }.notify_one();
}

impl FetchQueue {
    /// An empty queue that wakes whoever waits when something arrives.
    pub(super) fn new<C: ClientContext>(client: &Client<C>, wake: Arc<Notify>) -> Self {
        // SAFETY: the client is alive. A new queue is never null, and nobody
        // else destroys it.
        let queue = unsafe {
            let queue = rd_kafka_queue_new(client.native_ptr());
            let address = Arc::as_ptr(&wake).cast_mut().cast();
            rd_kafka_queue_cb_event_enable(queue, Some(arrived), address);
            NonNull::new_unchecked(queue)
        };
        Self { queue, wake }
    }

    /// Has the messages of these partitions come here, from their next
    /// assignment on.
    pub(super) fn collect<C: ClientContext>(
        &self,
        client: &Client<C>,
        partitions: &TopicPartitionList,
    ) {
        for element in partitions.elements() {
            // A name that came from librdkafka, or was checked, has no such
            // byte; without its queue, a partition is read the common way.
            let Ok(topic) = CString::new(element.topic()) else {
                continue;
            };
            // SAFETY: the client is alive, and the name ends with a zero byte.
            // The queue of the partition is a reference of ours that is given
            // back; forwarding lasts without it.
            unsafe {
                let queue = rd_kafka_queue_get_partition(
                    client.native_ptr(),
                    topic.as_ptr(),
                    element.partition(),
                );
                if !queue.is_null() {
                    rd_kafka_queue_forward(queue, self.queue.as_ptr());
                    rd_kafka_queue_destroy(queue);
                }
            }
        }
    }

    /// Takes messages, without waiting.
    pub(super) fn take(&self, count: usize) -> Vec<FetchedMessage> {
        let mut messages: Vec<FetchedMessage> = Vec::with_capacity(count);
        // SAFETY: the queue is ours, and there is room for as many pointers as
        // said. A `FetchedMessage` is such a pointer, never null, and owns its
        // message, as the callee says that the caller does. As many of them as
        // it returns are set.
        unsafe {
            let room = messages.as_mut_ptr().cast();
            let taken = rd_kafka_consume_batch_queue(self.queue.as_ptr(), 0, room, count);
            messages.set_len(usize::try_from(taken).unwrap_or_default());
        }
        messages
    }
}

impl Drop for FetchQueue {
    fn drop(&mut self) {
        // SAFETY: the queue is ours. librdkafka calls the function with the
        // queue locked, and locks it to change the function, so nobody uses
        // `wake` after that.
        unsafe {
            rd_kafka_queue_cb_event_enable(self.queue.as_ptr(), None, ptr::null_mut());
            rd_kafka_queue_destroy(self.queue.as_ptr());
        }
        // Only now may it go.
        let _ = &self.wake;
    }
}

/// A message that was taken, or an error that came in its place.
#[repr(transparent)]
pub(super) struct FetchedMessage(NonNull<rd_kafka_message_t>);

impl FetchedMessage {
    /// The message.
    ///
    /// # Errors
    /// The error in its place.
    pub(super) fn message(&self) -> Result<Message<'_>, RdError> {
        // SAFETY: the message is alive as long as `self`, and nobody changes it.
        let message = unsafe { self.0.as_ref() };
        match message.err {
            Code::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(Message {
                raw: self.0.as_ptr(),
                fields: message,
                borrowed: PhantomData,
            }),
            code => Err(RdError::MessageConsumption(RDKafkaErrorCode::from(code))),
        }
    }
}

impl Drop for FetchedMessage {
    fn drop(&mut self) {
        // SAFETY: the message is ours and is not used any more.
        unsafe { rd_kafka_message_destroy(self.0.as_ptr()) };
    }
}

/// Where librdkafka has a topic. Once it is gone, another one may come there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct TopicAddress(usize);

/// What is in a message.
pub(super) struct Message<'m> {
    raw: *mut rd_kafka_message_t,
    fields: &'m rd_kafka_message_t,
    borrowed: PhantomData<&'m BorrowedMessage<'m>>,
}

impl<'m> Message<'m> {
    /// A message that came the common way.
    pub(super) fn of(message: &'m BorrowedMessage<'_>) -> Self {
        Self {
            raw: message.ptr(),
            // SAFETY: never null, and alive while it is borrowed.
            fields: unsafe { &*message.ptr() },
            borrowed: PhantomData,
        }
    }

    /// librdkafka's message, which is alive as long as `'m`.
    pub(super) fn raw(&self) -> *mut rd_kafka_message_t {
        self.raw
    }

    /// What tells the topic from others that are alive too.
    pub(super) fn topic_address(&self) -> TopicAddress {
        TopicAddress(self.fields.rkt.addr())
    }

    /// The topic; a name that is not UTF-8, which no broker takes, is empty.
    pub(super) fn topic(&self) -> &'m str {
        // SAFETY: a message has a topic, which lives as long, with a name that
        // ends with a zero byte.
        let name = unsafe { CStr::from_ptr(rd_kafka_topic_name(self.fields.rkt)) };
        name.to_str().unwrap_or_default()
    }

    /// The partition.
    pub(super) fn partition(&self) -> i32 {
        self.fields.partition
    }

    /// The offset.
    pub(super) fn offset(&self) -> i64 {
        self.fields.offset
    }

    /// The key.
    pub(super) fn key(&self) -> Option<&'m [u8]> {
        // SAFETY: a key that is not null has this length and lives as long as
        // the message.
        unsafe { bytes(self.fields.key, self.fields.key_len) }
    }

    /// The value.
    pub(super) fn value(&self) -> Option<&'m [u8]> {
        // SAFETY: a payload that is not null has this length and lives as long
        // as the message.
        unsafe { bytes(self.fields.payload, self.fields.len) }
    }

    /// The time and what it means.
    pub(super) fn timestamp(&self) -> (Option<i64>, TimestampType) {
        let mut kind = Time::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is alive, and the place to write to is ours.
        let time = unsafe { rd_kafka_message_timestamp(self.raw, &mut kind) };
        match kind {
            Time::RD_KAFKA_TIMESTAMP_CREATE_TIME if time != -1 => {
                (Some(time), TimestampType::CreateTime)
            }
            Time::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME if time != -1 => {
                (Some(time), TimestampType::LogAppendTime)
            }
            _ => (None, TimestampType::NoTimestampType),
        }
    }
}

/// # Safety
/// The pointer is null, or to so many bytes that live as long as `'m`.
unsafe fn bytes<'m>(start: *const c_void, length: usize) -> Option<&'m [u8]> {
    // SAFETY: as the caller says.
    (!start.is_null()).then(|| unsafe { slice::from_raw_parts(start.cast(), length) })
}
