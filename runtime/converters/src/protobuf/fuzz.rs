//! Entries for fuzz targets: what a record goes through, without a registry.

use std::collections::HashMap;

use tether_api::Result;
use tether_api::data::{Bytes, SchemaRef};

use super::config::Options;
use super::decode::ReadPlan;
use super::descriptor::Descriptors;
use super::from_connect::from_connect;
use super::proto::ProtoFile;
use super::to_connect::to_connect;
use super::wire::Input;

/// Settings under which most is looked at.
pub(super) const OPTIONS: Options = Options {
    generalized: false,
    ignore_default: false,
    enhanced: false,
    scrub: true,
    int_for_enums: false,
    optional_for_nullables: true,
    optional_for_proto2: true,
    wrapper_for_nullables: false,
    wrapper_for_raw: true,
    struct_for_nulls: false,
    index_for_unions: true,
    flatten_unions: false,
};

/// The Connect schema of a text's first message, and how data of it is read.
pub(super) fn read(text: &str, options: Options) -> Result<(SchemaRef, ReadPlan)> {
    let file = ProtoFile::parse(text)?;
    let descriptors = Descriptors::new(&file, &HashMap::new())?;
    let name = file.name_at(&[0]).unwrap_or_default();
    let message = descriptors.message(&name).unwrap_or_default();
    let schema = to_connect(&descriptors, message, Some(1), options)?;
    let plan = ReadPlan::new(&descriptors, message, &schema, options)?;
    Ok((schema, plan))
}

/// Reads a schema, and makes Connect and Protobuf schemas of it in turn.
pub(crate) fn fuzz_schema(text: &str) {
    let Ok((schema, _)) = read(text, OPTIONS) else {
        return;
    };
    if let Ok(made) = from_connect(&schema, OPTIONS) {
        assert!(read(&made.text, OPTIONS).is_ok(), "{}", made.text);
    }
}

/// Reads data of a schema, and writes what was read.
pub(crate) fn fuzz_data(text: &str, data: &[u8]) {
    let Ok((schema, plan)) = read(text, OPTIONS) else {
        return;
    };
    let bytes = Bytes::copy_from_slice(data);
    let Ok(value) = plan.read(&Input::new(&bytes, 0)) else {
        return;
    };
    if let Ok(made) = from_connect(&schema, OPTIONS) {
        let _ = made.plan.write(&value, &mut Vec::new());
    }
}
