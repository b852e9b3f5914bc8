//! The files that every Protobuf implementation brings along, and Confluent's.
//! They are not registered with the schemas that import them.

use super::ProtoFile;

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        /// The text of a known file.
        pub(in super::super) fn known_text(path: &str) -> Option<&'static str> {
            match path {
                $($path => Some(include_str!(concat!("../known/", $path))),)*
                _ => None,
            }
        }

        #[cfg(test)]
        const PATHS: &[&str] = &[$($path),*];
    };
}

files![
    "confluent/meta.proto",
    "confluent/type/decimal.proto",
    "google/protobuf/any.proto",
    "google/protobuf/api.proto",
    "google/protobuf/descriptor.proto",
    "google/protobuf/duration.proto",
    "google/protobuf/empty.proto",
    "google/protobuf/field_mask.proto",
    "google/protobuf/source_context.proto",
    "google/protobuf/struct.proto",
    "google/protobuf/timestamp.proto",
    "google/protobuf/type.proto",
    "google/protobuf/wrappers.proto",
    "google/type/calendar_period.proto",
    "google/type/color.proto",
    "google/type/date.proto",
    "google/type/datetime.proto",
    "google/type/dayofweek.proto",
    "google/type/decimal.proto",
    "google/type/expr.proto",
    "google/type/fraction.proto",
    "google/type/interval.proto",
    "google/type/latlng.proto",
    "google/type/money.proto",
    "google/type/month.proto",
    "google/type/phone_number.proto",
    "google/type/postal_address.proto",
    "google/type/quaternion.proto",
    "google/type/timeofday.proto",
];

/// A known file.
pub(in super::super) fn known(path: &str) -> Option<ProtoFile> {
    ProtoFile::parse(known_text(path)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_files_are_read() {
        for path in PATHS {
            let file = known(path).unwrap_or_else(|| panic!("{path}"));
            assert!(
                !file.messages.is_empty() || !file.enums.is_empty(),
                "{path}"
            );
        }
    }
}
