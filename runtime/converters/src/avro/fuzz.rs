//! Entries for fuzz targets: what a record goes through, without a registry.

use tether_api::Result;
use tether_api::data::{Bytes, SchemaRef};

use super::binary::Input;
use super::config::Options;
use super::decode::ReadPlan;
use super::encode::WritePlan;
use super::from_connect::from_connect;
use super::schema::{AvroSchema, Parser};
use super::to_connect::{UnionNumbers, to_connect};

/// Settings under which most is looked at.
pub(super) const OPTIONS: Options = Options {
    generalized: false,
    enhanced: true,
    scrub: false,
    meta_data: true,
    discard_type_doc_default: false,
    optional_map_keys: false,
    flatten_singletons: true,
    ignore_default: false,
};

fn read(text: &str) -> Result<(AvroSchema, Option<SchemaRef>)> {
    let avro = Parser::default().parse(text)?;
    let schema = to_connect(&avro, Some(1), OPTIONS, &UnionNumbers::default())?;
    Ok((avro, schema))
}

/// Reads a schema, and makes Connect and Avro schemas of it in turn.
pub(crate) fn fuzz_schema(text: &str) {
    let Ok((_, schema)) = read(text) else {
        return;
    };
    if let Ok(avro) = from_connect(schema.as_ref(), OPTIONS)
        && let Ok(text) = avro.to_text()
    {
        assert!(Parser::default().parse(&text).is_ok(), "{text}");
    }
}

/// Reads data of a schema as that of another.
pub(crate) fn fuzz_resolve(written: &str, wanted: &str, data: &[u8]) {
    let (Ok((written, _)), Ok((wanted, Some(schema)))) = (read(written), read(wanted)) else {
        return;
    };
    let _ = wanted.cannot_read(&written);
    let Ok(plan) = ReadPlan::resolved(&written, &wanted, &schema, OPTIONS) else {
        return;
    };
    let bytes = Bytes::copy_from_slice(data);
    if let Ok(value) = plan.read(&mut Input::new(&bytes, 0))
        && let Ok(plan) = WritePlan::new(&wanted, Some(&schema), OPTIONS)
    {
        let _ = plan.write(&value, &mut Vec::new());
    }
}

/// Reads data of a schema, and writes what was read.
pub(crate) fn fuzz_data(text: &str, data: &[u8]) {
    let Ok((avro, schema)) = read(text) else {
        return;
    };
    let Ok(plan) = ReadPlan::new(&avro, schema.as_ref(), OPTIONS) else {
        return;
    };
    let bytes = Bytes::copy_from_slice(data);
    let Ok(value) = plan.read(&mut Input::new(&bytes, 0)) else {
        return;
    };
    if let Ok(plan) = WritePlan::new(&avro, schema.as_ref(), OPTIONS) {
        let _ = plan.write(&value, &mut Vec::new());
    }
}
