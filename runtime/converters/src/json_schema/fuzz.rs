//! Entries for fuzz targets: what a record goes through, without a registry.

use tether_api::Result;
use tether_api::data::{SchemaRef, Text, Value};

use super::config::Options;
use super::from_connect::from_connect;
use super::schema::{Document, load};
use super::to_connect::to_connect;
use super::validate::Validator;
use crate::json::{DecimalFormat, Dialect, Options as ValueOptions, Plan, Writer, read_value};

const VALUES: ValueOptions = ValueOptions {
    dialect: Dialect::Registry,
    schemas_enable: false,
    decimal_format: DecimalFormat::Base64,
    replace_null_with_default: true,
};

/// The defaults.
pub(super) const OPTIONS: Options = Options {
    additional_properties: true,
    use_optional: false,
    ignore_modern: false,
    flatten_singletons: true,
    generalized: false,
    writing: VALUES,
    reading: VALUES,
};

fn read(text: &str) -> Result<(Document, SchemaRef)> {
    let document = load(&Text::from(text), &[], false)?;
    let schema = to_connect(&document, Some(1), OPTIONS)?;
    Ok((document, schema))
}

/// Reads a schema, and makes Connect and JSON schemas of it in turn.
pub(crate) fn fuzz_schema(text: &str) {
    let Ok((_, schema)) = read(text) else {
        return;
    };
    if let Ok(text) = from_connect(&schema, OPTIONS) {
        assert!(
            load(&Text::from(text.as_str()), &[], false).is_ok(),
            "{text}"
        );
    }
}

/// Reads data of a schema, and writes what was read.
pub(crate) fn fuzz_data(text: &str, data: &str) {
    let Ok((document, schema)) = read(text) else {
        return;
    };
    if let Ok(validator) = Validator::new(document) {
        let _ = validator.validate_text(data.as_bytes());
    }
    let plan = Plan::of(&schema, Dialect::Registry);
    let Ok(value) = read_value(&Text::from(data), Some(&plan), VALUES) else {
        return;
    };
    write(&plan, &value);
}

fn write(plan: &Plan, value: &Value) {
    let _ = Writer::new(VALUES, &mut Vec::new()).value(Some(plan), value);
}
