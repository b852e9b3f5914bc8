//! Administrative requests, straight from librdkafka: the library has safe
//! calls for some of them only, and its client for these takes no log events.
//!
//! Every function blocks until the answer is there or the time is over. What
//! an answer holds is copied out before the answer is freed.
#![allow(unsafe_code)]

mod groups;
mod topics;

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr::NonNull;
use std::slice;
use std::time::Duration;

use ::rdkafka::ClientContext;
use ::rdkafka::bindings::*;
use ::rdkafka::client::Client;
use ::rdkafka::error::RDKafkaErrorCode;
use ::rdkafka::types::{RDKafkaAdminOp as Op, RDKafkaRespErr as Code};

use crate::rdkafka::error::{failure, kind_of};
use crate::{KafkaError, KafkaErrorKind, Result};

pub(super) use groups::{
    alter_group_offsets, delete_group, delete_group_offsets, group_members, list_group_offsets,
};
pub(super) use topics::{cluster_id, create_topic, describe_topics, end_offsets, topic_config};

/// How much longer than the request may take the answer is waited for, so that
/// the answer to a request that ran out of time is not missed.
const GRACE: Duration = Duration::from_secs(5);

/// librdkafka's longest request timeout.
const LONGEST: Duration = Duration::from_secs(3600);

/// Text of an error that librdkafka writes into a buffer.
const ERROR_BYTES: usize = 512;

/// Something of librdkafka's that has to be freed.
struct Owned<T> {
    pointer: NonNull<T>,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// Takes over what `pointer` points to; `None` if it is null.
    ///
    /// # Safety
    /// `free` must be the function that frees such a thing, and nobody else may
    /// free it.
    unsafe fn new(pointer: *mut T, free: unsafe extern "C" fn(*mut T)) -> Option<Self> {
        NonNull::new(pointer).map(|pointer| Self { pointer, free })
    }

    fn as_ptr(&self) -> *mut T {
        self.pointer.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: whoever made this promised that the function fits and that
        // nobody else frees it; a value is dropped once.
        unsafe { (self.free)(self.pointer.as_ptr()) }
    }
}

type Event = Owned<rd_kafka_event_t>;

/// A text for librdkafka.
fn text(value: &str) -> Result<CString> {
    CString::new(value).map_err(|_| {
        KafkaError::new(
            KafkaErrorKind::Invalid,
            format!("{value:?} has a character of code 0"),
        )
    })
}

/// Copies a text of librdkafka's; `None` if there is none.
///
/// # Safety
/// `pointer` is null, or points to a text that ends with a zero byte and lives
/// during the call.
unsafe fn copied(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: not null, and the rest is the caller's promise.
    Some(
        unsafe { CStr::from_ptr(pointer) }
            .to_string_lossy()
            .into_owned(),
    )
}

/// An array of librdkafka's as a slice.
///
/// # Safety
/// `pointer` is null, or points to `count` elements that live as long as `'a`.
unsafe fn array<'a, T>(pointer: *const T, count: usize) -> &'a [T] {
    if pointer.is_null() {
        return &[];
    }
    // SAFETY: not null, and the rest is the caller's promise.
    unsafe { slice::from_raw_parts(pointer, count) }
}

fn milliseconds(duration: Duration) -> c_int {
    c_int::try_from(duration.as_millis()).unwrap_or(c_int::MAX)
}

/// The error for something that librdkafka did not make.
fn refused(doing: &str) -> KafkaError {
    failure(doing, RDKafkaErrorCode::InvalidArgument)
}

/// Sends a request and waits for the answer's event.
fn ask<C: ClientContext>(
    client: &Client<C>,
    doing: &str,
    op: Op,
    timeout: Duration,
    submit: impl FnOnce(*mut rd_kafka_t, *const rd_kafka_AdminOptions_t, *mut rd_kafka_queue_t),
) -> Result<Event> {
    let native = client.native_ptr();
    let timeout = timeout.min(LONGEST);
    // SAFETY: the client lives as long as it is borrowed. A queue is freed by
    // this function, also with answers in it.
    let queue = unsafe { Owned::new(rd_kafka_queue_new(native), rd_kafka_queue_destroy) }
        .ok_or_else(|| refused(doing))?;
    // SAFETY: the client is alive, as above; options are freed by this function.
    let options = unsafe {
        Owned::new(
            rd_kafka_AdminOptions_new(native, op),
            rd_kafka_AdminOptions_destroy,
        )
    }
    .ok_or_else(|| refused(doing))?;
    let mut error: [c_char; ERROR_BYTES] = [0; ERROR_BYTES];
    // SAFETY: the options are alive, and the buffer has as many bytes as said.
    // A refused timeout leaves the default in force.
    unsafe {
        rd_kafka_AdminOptions_set_request_timeout(
            options.as_ptr(),
            milliseconds(timeout),
            error.as_mut_ptr(),
            ERROR_BYTES,
        );
        if op == Op::RD_KAFKA_ADMIN_OP_CREATETOPICS {
            rd_kafka_AdminOptions_set_operation_timeout(
                options.as_ptr(),
                milliseconds(timeout),
                error.as_mut_ptr(),
                ERROR_BYTES,
            );
        }
    }
    submit(native, options.as_ptr(), queue.as_ptr());
    // SAFETY: the queue is alive; what it gives is an event to be freed by this
    // function, or null.
    let event = unsafe {
        Owned::new(
            rd_kafka_queue_poll(queue.as_ptr(), milliseconds(timeout + GRACE)),
            rd_kafka_event_destroy,
        )
    }
    .ok_or_else(|| failure(doing, RDKafkaErrorCode::OperationTimedOut))?;
    // SAFETY: the event is alive, and its text lives as long.
    let (code, reason) = unsafe {
        (
            rd_kafka_event_error(event.as_ptr()),
            copied(rd_kafka_event_error_string(event.as_ptr())),
        )
    };
    check(doing, code, reason)?;
    Ok(event)
}

fn check(doing: &str, code: Code, reason: Option<String>) -> Result<()> {
    if code == Code::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Ok(());
    }
    let code = RDKafkaErrorCode::from(code);
    Err(match reason {
        Some(reason) => KafkaError::new(kind_of(code), format!("{doing}: {reason}")),
        None => failure(doing, code),
    })
}

/// The code of an error object; none if the pointer is null.
///
/// # Safety
/// `error` is null, or points to an error that lives during the call.
unsafe fn code_of(error: *const rd_kafka_error_t) -> Option<RDKafkaErrorCode> {
    if error.is_null() {
        return None;
    }
    // SAFETY: not null, and alive by the caller's promise.
    let code = unsafe { rd_kafka_error_code(error) };
    (code != Code::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| code.into())
}
