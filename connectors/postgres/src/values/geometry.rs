//! Points and geometries.

use tether_api::data::{Bytes, Schema, SchemaBuilder, SchemaRef, Struct, Type, Value, java_f64};

use super::binary::unhex;
use super::number;

/// The bytes of an empty collection of geometries, which stands for null.
const EMPTY: &[u8] = &[1, 7, 0, 0, 0, 0, 0, 0, 0];
/// The kind of a point in well-known binary.
const POINT: u32 = 1;
/// Says in the kind that a reference system follows.
const WITH_SRID: u32 = 0x2000_0000;

/// The schema of points.
pub(super) fn point_schema() -> SchemaBuilder {
    SchemaBuilder::structure()
        .name("io.debezium.data.geometry.Point")
        .version(1)
        .doc("Geometry (POINT)")
        .field("x", Schema::primitive(Type::Float64, false))
        .field("y", Schema::primitive(Type::Float64, false))
        .field("wkb", Schema::primitive(Type::Bytes, true))
        .field("srid", Schema::primitive(Type::Int32, true))
}

/// The schema of geometries, which is optional for every column.
pub(super) fn geometry_schema() -> SchemaBuilder {
    located("io.debezium.data.geometry.Geometry", "Geometry").optional()
}

/// The schema of geographies.
pub(super) fn geography_schema() -> SchemaBuilder {
    located("io.debezium.data.geometry.Geography", "Geography")
}

fn located(name: &'static str, doc: &'static str) -> SchemaBuilder {
    SchemaBuilder::structure()
        .name(name)
        .version(1)
        .doc(doc)
        .field("wkb", Schema::primitive(Type::Bytes, false))
        .field("srid", Schema::primitive(Type::Int32, true))
}

/// The point of a text such as `(1.5,-2)`.
pub(super) fn point(schema: &SchemaRef, text: &[u8]) -> Option<Value> {
    let text = text.strip_prefix(b"(").unwrap_or(text);
    let text = text.strip_suffix(b")").unwrap_or(text);
    let comma = memchr::memchr(b',', text)?;
    point_at(
        schema,
        number::double(&text[..comma])?,
        number::double(&text[comma + 1..])?,
    )
}

/// The point of these coordinates.
pub(super) fn point_at(schema: &SchemaRef, x: f64, y: f64) -> Option<Value> {
    let mut binary = Vec::with_capacity(21);
    binary.push(1);
    binary.extend(POINT.to_le_bytes());
    binary.extend(x.to_le_bytes());
    binary.extend(y.to_le_bytes());
    let values = vec![
        Value::Float64(x),
        Value::Float64(y),
        Value::Bytes(binary.into()),
        Value::Null,
    ];
    Struct::from_values(schema.clone(), values)
        .ok()
        .map(Value::from)
}

/// The geometry of a text of hexadecimal digits, extended well-known binary.
pub(super) fn geometry(schema: &SchemaRef, text: &[u8]) -> Option<Value> {
    of_binary(schema, unhex(text)?.into())
}

/// An empty geometry.
pub(super) fn empty(schema: &SchemaRef) -> Value {
    of_binary(schema, Bytes::from_static(EMPTY)).unwrap_or_default()
}

/// The text of a geometric value with each number as Java writes it:
/// `((0.0,0.0),(1.0,1.5))`.
pub(super) fn java_text(text: &[u8]) -> Option<String> {
    let text = number::ascii(text)?;
    let mut written = String::with_capacity(text.len() * 2);
    let mut rest = text;
    let punctuation = |character| "()[]{}<>,".contains(character);
    while !rest.is_empty() {
        let end = rest.find(punctuation).unwrap_or(rest.len());
        if end > 0 {
            written.push_str(&java_f64(number::double(&rest.as_bytes()[..end])?));
        }
        let next = (end + 1).min(rest.len());
        written.push_str(&rest[end..next]);
        rest = &rest[next..];
    }
    Some(written)
}

fn of_binary(schema: &SchemaRef, binary: Bytes) -> Option<Value> {
    let srid = srid(&binary)?;
    let values = vec![Value::Bytes(binary), srid.into()];
    Struct::from_values(schema.clone(), values)
        .ok()
        .map(Value::from)
}

/// The reference system of a geometry, if it has one; `None` if this is no
/// geometry.
fn srid(binary: &[u8]) -> Option<Option<i32>> {
    if binary.len() < 9 {
        return None;
    }
    let (order, rest) = binary.split_first()?;
    let (kind, rest) = rest.split_first_chunk::<4>()?;
    let (after, _) = rest.split_first_chunk::<4>()?;
    let (kind, after) = match order {
        0 => (u32::from_be_bytes(*kind), i32::from_be_bytes(*after)),
        _ => (u32::from_le_bytes(*kind), i32::from_le_bytes(*after)),
    };
    Some((kind & WITH_SRID != 0).then_some(after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn points_have_coordinates_and_binary() {
        let schema = point_schema().build();
        let value = point(&schema, b"(1.5,-2)");
        let text = value.map(|value| value.to_string());
        assert_eq!(text.as_deref(), Some("Struct{x=1.5,y=-2.0,wkb=[21 bytes]}"));
        let far = point(&schema, b"(Infinity,-Infinity)").map(|value| value.to_string());
        assert_eq!(
            far.as_deref(),
            Some("Struct{x=Infinity,y=-Infinity,wkb=[21 bytes]}")
        );
        for wrong in ["", "()", "(1)", "(a,b)"] {
            assert_eq!(point(&schema, wrong.as_bytes()), None);
        }
    }

    #[test]
    fn geometries_keep_their_binary() {
        let schema = geometry_schema().build();
        let text = b"0101000020E6100000000000000000F03F0000000000000040";
        let value = geometry(&schema, text).map(|value| value.to_string());
        assert_eq!(value.as_deref(), Some("Struct{wkb=[25 bytes],srid=4326}"));
        assert_eq!(empty(&schema).to_string(), "Struct{wkb=[9 bytes]}");
        assert_eq!(geometry(&schema, b"0101"), None);
    }

    #[test]
    fn numbers_are_written_as_java_does() {
        let text = |text: &str| java_text(text.as_bytes());
        assert_eq!(text("<(0,0),1.5>").as_deref(), Some("<(0.0,0.0),1.5>"));
        assert_eq!(text("{1,-2,1e+30}").as_deref(), Some("{1.0,-2.0,1.0E30}"));
        assert_eq!(text("(a,b)"), None);
    }

    proptest! {
        #[test]
        fn anything_is_a_geometry_or_not(text: Vec<u8>, digits in "[0-9a-f]{0,60}") {
            let _ = (point(&point_schema().build(), &text), java_text(&text));
            let _ = geometry(&geometry_schema().build(), digits.as_bytes());
        }
    }
}
