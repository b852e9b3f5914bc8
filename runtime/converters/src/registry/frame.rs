//! What stands before the data of a record: a zero byte and the four bytes of
//! its schema's id.

use tether_api::data::Bytes;
use tether_api::{ConnectError, Result};

/// The length of a frame.
pub(crate) const FRAME: usize = 5;

/// Appends the frame of a record.
pub(crate) fn write_frame(id: i32, out: &mut Vec<u8>) {
    let [a, b, c, d] = id.to_be_bytes();
    out.extend_from_slice(&[0, a, b, c, d]);
}

/// The id of the schema of a record.
///
/// # Errors
/// Data, if the record has no frame.
pub(crate) fn schema_id(bytes: &Bytes) -> Result<i32> {
    match bytes.first_chunk::<FRAME>() {
        Some([0, id @ ..]) => Ok(i32::from_be_bytes(*id)),
        _ if bytes.first().is_some_and(|magic| *magic != 0) => {
            Err(serialization("Unknown magic byte!"))
        }
        _ => Err(serialization(format!(
            "the record has {} bytes and so no schema id; it was not written with a schema \
             registry",
            bytes.len()
        ))),
    }
}

/// A failure of the reference's serializers.
pub(crate) fn serialization(message: impl Into<String>) -> ConnectError {
    ConnectError::data(message).with_class("org.apache.kafka.common.errors.SerializationException")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_as_they_were_written() {
        for id in [0, 1, 258, i32::MAX, -1] {
            let mut out = Vec::new();
            write_frame(id, &mut out);
            assert_eq!(out.len(), FRAME);
            assert_eq!(schema_id(&out.into()).unwrap(), id);
        }
        let refused = |bytes: &'static [u8]| {
            let error = schema_id(&Bytes::from_static(bytes)).unwrap_err();
            error.to_string()
        };
        assert_eq!(refused(&[1]), "Unknown magic byte!");
        assert!(refused(&[]).contains("0 bytes"));
        assert!(refused(&[0, 0, 0, 1]).contains("4 bytes"));
    }
}
