//! What stands for a large value that did not change and is not sent.

use tether_api::data::{Bytes, Text, Value};

use super::conversion::Conversion;
use super::decimal::DecimalForm;
use super::money::MoneyForm;
use super::temporal::{DateForm, TimeForm, TimestampForm};
use crate::config::{BinaryMode, DecimalMode, HstoreMode, IntervalMode, ValueSettings};
use crate::types::{ColumnType, PgType, TypeKind, oid};

/// The value that stands for one that is not sent; `None` where the reference
/// has none that fits the column.
///
/// The reference chooses a placeholder by the declared type and hands it to the
/// converter of the column, which takes some of them for what they are.
pub(super) fn of(
    column: &ColumnType,
    conversion: &Conversion,
    modes: &ValueSettings,
) -> Option<Value> {
    let bytes = &modes.unavailable_placeholder;
    match (conversion, &column.element) {
        (Conversion::Array(array), Some(element)) if column.declared.oid == column.root.oid => {
            let innermost = elements(element, &array.element, bytes).map(Value::from)?;
            Some((1..array.depth).fold(innermost, |inner, _| vec![inner].into()))
        }
        (Conversion::Hstore(mode), None) => hstore(column, *mode, bytes),
        (
            Conversion::Binary(mode) | Conversion::Opaque(mode) | Conversion::OpaqueShape(mode),
            None,
        ) => match mode {
            BinaryMode::Bytes => Some(Value::Bytes(bytes.clone())),
            BinaryMode::Hex => Some(text(bytes)),
            BinaryMode::Base64 | BinaryMode::Base64UrlSafe if modes.correct => {
                Some(mode.value(bytes.clone()))
            }
            BinaryMode::Base64 | BinaryMode::Base64UrlSafe => Some(Value::Null),
        },
        _ => takes_text(conversion).then(|| text(bytes)),
    }
}

/// The placeholder's bytes as a text, of which each that is no UTF-8 is
/// replaced.
fn text(bytes: &Bytes) -> Value {
    Value::String(match Text::try_from(bytes.clone()) {
        Ok(text) => text,
        Err(_) => String::from_utf8_lossy(bytes).into_owned().into(),
    })
}

fn hstore(column: &ColumnType, mode: HstoreMode, bytes: &Bytes) -> Option<Value> {
    if let TypeKind::Domain { .. } = column.declared.kind {
        return match mode {
            HstoreMode::Json => Some(text(bytes)),
            HstoreMode::Map => None,
        };
    }
    text(bytes).as_str().map(|text| mode.of_one(text))
}

/// The elements of an array that stand for one that is not sent.
fn elements(element: &PgType, conversion: &Conversion, bytes: &Bytes) -> Option<Vec<Value>> {
    // The bytes are signed.
    let numbers = || bytes.iter().map(|byte| byte.cast_signed());
    match (element.oid, conversion) {
        (oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::JSON | oid::JSONB, _) => {
            Some(vec![text(bytes)])
        }
        (oid::BYTEA, Conversion::Binary(BinaryMode::Bytes)) => {
            Some(vec![Value::Bytes(bytes.clone())])
        }
        (oid::INT4, _) | (oid::DATE, Conversion::Date(DateForm::Days)) => {
            Some(numbers().map(|byte| Value::Int32(byte.into())).collect())
        }
        (oid::INT8, _) => Some(numbers().map(|byte| Value::Int64(byte.into())).collect()),
        (oid::UUID, _) => Some(vec![name_uuid(bytes).into()]),
        _ => None,
    }
}

/// Whether the reference's text for such a value fits the column's schema.
fn takes_text(conversion: &Conversion) -> bool {
    matches!(
        conversion,
        Conversion::Text
            | Conversion::QueriedText
            | Conversion::Hstore(HstoreMode::Json)
            | Conversion::Decimal(DecimalForm::String(_))
            | Conversion::Money(MoneyForm {
                mode: DecimalMode::String,
                ..
            })
            | Conversion::Date(DateForm::Iso)
            | Conversion::Time(TimeForm::Iso)
            | Conversion::Timestamp(TimestampForm::Iso)
            | Conversion::ZonedTime
            | Conversion::ZonedTimestamp(_)
            | Conversion::Interval(IntervalMode::String)
    )
}

/// Java's `UUID.nameUUIDFromBytes`: version 3 of the bytes without a name space.
fn name_uuid(bytes: &[u8]) -> String {
    use md5::{Digest, Md5};

    let mut digest: [u8; 16] = Md5::digest(bytes).into();
    digest[6] = digest[6] & 0x0F | 0x30;
    digest[8] = digest[8] & 0x3F | 0x80;
    let hex = super::binary::hex(&digest);
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}
