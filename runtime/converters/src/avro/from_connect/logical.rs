//! What makes a logical type of an Avro type.

use tether_api::data::{Schema, logical};
use tether_api::{ConnectError, Result};

use super::super::names::{
    CONNECT_DECIMAL_PRECISION, DEFAULT_PRECISION, LOGICAL_DATE, LOGICAL_DECIMAL,
    LOGICAL_TIME_MILLIS, LOGICAL_TIMESTAMP_MILLIS, LOGICAL_TYPE, PRECISION, SCALE,
};
use super::super::schema::{Kind, Node, Props, SchemaError};

fn is(schema: &Schema, name: &str) -> bool {
    schema
        .name()
        .is_some_and(|own| own.eq_ignore_ascii_case(name))
}

fn number(schema: &Schema, parameter: &str) -> Result<Option<i32>> {
    let Some(text) = schema.parameters().get(parameter) else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        ConnectError::data(format!("For input string: \"{text}\""))
            .with_class("java.lang.NumberFormatException")
    })
}

/// Sets scale and precision of a decimal, before anything else.
pub(super) fn set_decimal_props(props: &mut Props, schema: &Schema) -> Result<()> {
    if !is(schema, logical::DECIMAL) {
        return Ok(());
    }
    let Some(scale) = number(schema, logical::SCALE)? else {
        return Err(ConnectError::data(
            "Invalid Decimal schema: scale parameter not found.",
        ));
    };
    props.set(SCALE, scale)?;
    let precision = number(schema, CONNECT_DECIMAL_PRECISION)?;
    props.set(PRECISION, precision.unwrap_or(DEFAULT_PRECISION))?;
    Ok(())
}

/// Sets the logical type, after everything else.
pub(super) fn annotate(node: &mut Node, schema: &Schema) -> Result<()> {
    let unfit = |name: &str, base: &str| {
        ConnectError::data(format!(
            "{name} can only be used with an underlying {base} type"
        ))
        .with_class("java.lang.IllegalArgumentException")
    };
    if is(schema, logical::DECIMAL) {
        let precision = number(schema, CONNECT_DECIMAL_PRECISION)?.unwrap_or(DEFAULT_PRECISION);
        let scale = number(schema, logical::SCALE)?.unwrap_or(0);
        // Others are written the same, but Avro's library does not check them.
        if (0..=precision).contains(&scale) {
            check_decimal(node, precision)?;
        }
        node.props.set(LOGICAL_TYPE, LOGICAL_DECIMAL)?;
    } else if is(schema, logical::TIME) {
        if !matches!(node.kind, Kind::Int) {
            return Err(unfit("Time (millis)", "int"));
        }
        node.props.set(LOGICAL_TYPE, LOGICAL_TIME_MILLIS)?;
    } else if is(schema, logical::TIMESTAMP) {
        if !matches!(node.kind, Kind::Long) {
            return Err(unfit("Timestamp (millis)", "long"));
        }
        node.props.set(LOGICAL_TYPE, LOGICAL_TIMESTAMP_MILLIS)?;
    } else if is(schema, logical::DATE) {
        if !matches!(node.kind, Kind::Int) {
            return Err(unfit("Date", "int"));
        }
        node.props.set(LOGICAL_TYPE, LOGICAL_DATE)?;
    }
    Ok(())
}

fn check_decimal(node: &Node, precision: i32) -> Result<(), SchemaError> {
    match &node.kind {
        Kind::Bytes if precision > 0 => Ok(()),
        Kind::Fixed(fixed) if precision > 0 => {
            // The digits that so many bytes hold for sure.
            let bits = (8 * fixed.size).saturating_sub(1) as f64;
            let most = (bits * 2f64.log10()).floor();
            if f64::from(precision) <= most {
                return Ok(());
            }
            Err(SchemaError(format!(
                "fixed({}) cannot store {precision} digits (max {most})",
                fixed.size
            )))
        }
        Kind::Bytes | Kind::Fixed(_) => Err(SchemaError(format!(
            "Invalid decimal precision: {precision} (must be positive)"
        ))),
        _ => Err(SchemaError(
            "Logical type decimal must be backed by fixed or bytes".to_owned(),
        )),
    }
}
