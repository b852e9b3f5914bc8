//! What librdkafka has to tell a producer.
//!
//! The library's own way makes a list of the records of each event, and shares
//! the event with each of them. Here the records are read where they are.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int};
use std::ptr::{self, NonNull};

use ::rdkafka::bindings::{
    RD_KAFKA_EVENT_DR, RD_KAFKA_EVENT_ERROR, RD_KAFKA_EVENT_LOG, rd_kafka_event_destroy,
    rd_kafka_event_error, rd_kafka_event_error_string, rd_kafka_event_log,
    rd_kafka_event_message_next, rd_kafka_event_t, rd_kafka_event_type, rd_kafka_message_t,
    rd_kafka_queue_poll, rd_kafka_queue_t, rd_kafka_resp_err_t as Code, rd_kafka_topic_name,
};
use ::rdkafka::config::RDKafkaLogLevel;
use ::rdkafka::error::KafkaError as RdError;

use super::delivery_failure;
use crate::{Delivery, RecordMetadata};

/// An event that was taken from a queue.
pub(super) struct Event(NonNull<rd_kafka_event_t>);

/// What an event is about.
pub(super) enum Kind {
    /// What became of records.
    Deliveries,
    /// Something went wrong, with librdkafka's reason.
    Error(RdError, String),
    /// A line for the log, with its facility.
    Log(RDKafkaLogLevel, String, String),
    /// Nothing that concerns a producer.
    Other,
}

impl Event {
    /// Takes the next event, if there is one. Does not wait.
    ///
    /// # Safety
    /// `queue` is a queue of librdkafka that nobody has given back, nor does
    /// before the event is gone.
    pub(super) unsafe fn next(queue: NonNull<rd_kafka_queue_t>) -> Option<Self> {
        // SAFETY: the queue is alive; the event is ours to destroy.
        NonNull::new(unsafe { rd_kafka_queue_poll(queue.as_ptr(), 0) }).map(Self)
    }

    pub(super) fn kind(&self) -> Kind {
        let event = self.0.as_ptr();
        // SAFETY: the event is alive. The reason of an error and the texts of a
        // line end with a zero byte and live as long as the event.
        unsafe {
            match rd_kafka_event_type(event) {
                RD_KAFKA_EVENT_DR => Kind::Deliveries,
                RD_KAFKA_EVENT_ERROR => {
                    let error = RdError::Global(rd_kafka_event_error(event).into());
                    Kind::Error(error, trimmed(rd_kafka_event_error_string(event)))
                }
                RD_KAFKA_EVENT_LOG => {
                    let (mut facility, mut text) = (ptr::null(), ptr::null());
                    let mut severity = 0;
                    if rd_kafka_event_log(event, &mut facility, &mut text, &mut severity) != 0 {
                        return Kind::Other;
                    }
                    Kind::Log(level(severity), trimmed(facility), trimmed(text))
                }
                _ => Kind::Other,
            }
        }
    }

    /// What became of the records that the event is about, each once.
    pub(super) fn deliveries(&mut self) -> impl Iterator<Item = Delivery> {
        std::iter::from_fn(|| {
            // SAFETY: the event is alive, and so are its records until it is
            // destroyed, which the borrow puts off.
            unsafe {
                let record = rd_kafka_event_message_next(self.0.as_ptr()).as_ref()?;
                Some(delivery(record))
            }
        })
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: the event is ours, and nothing that borrows from it is left.
        unsafe { rd_kafka_event_destroy(self.0.as_ptr()) };
    }
}

/// # Safety
/// The text ends with a zero byte.
unsafe fn trimmed(text: *const c_char) -> String {
    // SAFETY: see above.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_string_lossy().trim().to_owned()
}

/// The level of a severity as syslog numbers them.
fn level(severity: c_int) -> RDKafkaLogLevel {
    match severity {
        ..=0 => RDKafkaLogLevel::Emerg,
        1 => RDKafkaLogLevel::Alert,
        2 => RDKafkaLogLevel::Critical,
        3 => RDKafkaLogLevel::Error,
        4 => RDKafkaLogLevel::Warning,
        5 => RDKafkaLogLevel::Notice,
        6 => RDKafkaLogLevel::Info,
        7.. => RDKafkaLogLevel::Debug,
    }
}

/// # Safety
/// The record comes from an event about deliveries, which is alive.
unsafe fn delivery(record: &rd_kafka_message_t) -> Delivery {
    let outcome = match record.err {
        Code::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(RecordMetadata {
            partition: record.partition,
            // Without acknowledgements (`acks=0`) there is no offset.
            offset: record.offset.max(-1),
        }),
        code => {
            // SAFETY: a record that was produced has a topic, whose name ends
            // with a zero byte and lives as long as the record.
            let topic = unsafe { CStr::from_ptr(rd_kafka_topic_name(record.rkt)) };
            let error = RdError::MessageProduction(code.into());
            Err(delivery_failure(&error, &topic.to_string_lossy()))
        }
    };
    (record._private as usize, outcome)
}
