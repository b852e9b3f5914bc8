//! The headers of a message.
//!
//! The library's own access panics at a name that is not UTF-8, which any
//! producer can write, so they are read from librdkafka directly.
#![allow(unsafe_code)]

use std::borrow::Cow;
use std::ffi::CStr;
use std::{ptr, slice};

use ::rdkafka::bindings::{
    rd_kafka_header_get_all, rd_kafka_message_headers, rd_kafka_resp_err_t as Code,
};

use super::fetched::Message;
use crate::Result;
use crate::rdkafka::error::failure;

/// A header as it lies in the message.
pub(super) struct RawHeader<'m> {
    /// The name; what is not UTF-8 in it is replaced, as in Java.
    pub(super) name: Cow<'m, str>,
    pub(super) value: Option<&'m [u8]>,
}

/// The headers of a message, in order.
///
/// # Errors
/// Fatal, if they are damaged.
pub(super) fn headers<'m>(message: &Message<'m>) -> Result<Vec<RawHeader<'m>>> {
    let mut list = ptr::null_mut();
    // SAFETY: the message is alive for 'm, and its pointer is never null. librdkafka parses the headers once and keeps them with the
    // message.
    match unsafe { rd_kafka_message_headers(message.raw(), &mut list) } {
        Code::RD_KAFKA_RESP_ERR_NO_ERROR => {}
        Code::RD_KAFKA_RESP_ERR__NOENT => return Ok(Vec::new()),
        code => return Err(failure("The headers of a record are damaged", code.into())),
    }
    let mut headers = Vec::new();
    loop {
        let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the list belongs to the message and is valid as long; the
        // places to write to are ours. Past the last header it writes nothing
        // and returns an error.
        let code = unsafe {
            rd_kafka_header_get_all(list, headers.len(), &mut name, &mut value, &mut length)
        };
        if code != Code::RD_KAFKA_RESP_ERR_NO_ERROR || name.is_null() {
            return Ok(headers);
        }
        headers.push(RawHeader {
            // SAFETY: a name ends with a zero byte, and lives as long as the
            // message, which is borrowed for 'm.
            name: unsafe { CStr::from_ptr(name) }.to_string_lossy(),
            // SAFETY: a value that is not null has this length, and lives as
            // long as the message, which is borrowed for 'm.
            value: (!value.is_null())
                .then(|| unsafe { slice::from_raw_parts(value.cast(), length) }),
        });
    }
}
