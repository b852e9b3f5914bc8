//! Entries for fuzz targets, which see the crate from outside; only with the
//! feature `fuzzing`.

use crate::config_bytes::ConfigRecord;
use crate::{offset_bytes, status_bytes};

/// Reads a record of the config topic. What was read and written reads the same.
///
/// # Panics
/// If it does not.
pub fn config_record(key: Option<&[u8]>, value: Option<&[u8]>) {
    let Ok(record) = ConfigRecord::decode(key, value) else {
        return;
    };
    let (key, value) = record.encode();
    let again = ConfigRecord::decode(Some(key.as_bytes()), value.as_deref());
    assert_eq!(again, Ok(record));
}

/// Reads a record of the status topic. What was read and written reads the same.
///
/// # Panics
/// If it does not.
pub fn status_record(key: Option<&[u8]>, value: Option<&[u8]>) {
    let Ok((key, Some(status))) = status_bytes::decode(key, value) else {
        return;
    };
    let value = status.encode();
    let again = status_bytes::decode(Some(key.encode().as_bytes()), Some(&value));
    assert_eq!(again, Ok((key, Some(status))));
}

/// Reads a record of the offsets topic. What was read and written is written the
/// same again: a number without end becomes a text.
///
/// # Panics
/// If it is not.
pub fn offset_record(key: Option<&[u8]>, value: Option<&[u8]>) {
    if let Ok(Some((connector, partition))) = offset_bytes::parse_key(key.unwrap_or_default())
        && let Ok(written) = offset_bytes::key(&connector, &partition)
    {
        let again = offset_bytes::parse_key(&written).ok().flatten();
        let again =
            again.and_then(|(connector, partition)| offset_bytes::key(&connector, &partition).ok());
        assert_eq!(again, Some(written));
    }
    if let Ok(Some(offset)) = offset_bytes::parse_value(value.unwrap_or_default()) {
        let written = offset_bytes::value(&offset).ok();
        let again = written.as_ref().and_then(|value| {
            let again = offset_bytes::parse_value(value).ok().flatten();
            again.and_then(|offset| offset_bytes::value(&offset).ok())
        });
        assert!(written.is_some(), "what is read can be stored");
        assert_eq!(again, written);
    }
}
