use tether_api::data::SchemaBuilder;

use super::*;
use crate::config::{confluent, debezium};
use crate::fixture::{int, raw_config, struct_of, structure, text};

fn values() -> ValueConfig {
    let raw = raw_config(&[("connection.username", "u")]);
    debezium::FLAVOUR.parse(&raw).unwrap().values
}

fn optional_row() -> SchemaRef {
    SchemaBuilder::structure()
        .name("db.t.Value")
        .field("a", int())
        .optional()
        .build()
}

fn event(name: Option<&str>) -> SchemaRef {
    SchemaBuilder::structure()
        .with_name(name.map(Into::into))
        .field("before", optional_row())
        .field("after", optional_row())
        .field("op", text())
        .build()
}

fn shape(schema: &Schema) -> Shape {
    Shape::of(&values(), schema)
}

const EVENT: Shape = Shape::Event {
    data: None,
    operation: 2,
    before: Some(0),
    after: Some(1),
};

#[test]
fn shapes_go_by_names_and_fields() {
    assert_eq!(shape(&event(Some("db.t.Envelope"))), EVENT);
    assert_eq!(shape(&event(None)), EVENT);
    assert_eq!(shape(&event(Some("db.t.Value"))), Shape::Row);
    assert_eq!(shape(&structure(&[("op", text())])), Shape::Row);
    let change = SchemaBuilder::structure()
        .name("io.debezium.connector.mysql.SchemaChangeValue")
        .build();
    assert_eq!(shape(&change), Shape::SchemaChange);
    let confluent = confluent::FLAVOUR.parse(&raw_config(&[])).unwrap().values;
    for schema in [change, event(Some("db.t.Envelope"))] {
        assert_eq!(Shape::of(&confluent, &schema), Shape::Row);
    }
}

#[test]
fn the_data_of_a_cloud_event_is_an_event_or_a_row() {
    let around = |data| {
        SchemaBuilder::structure()
            .name("db.t.CloudEvents.Envelope")
            .field("id", text())
            .field("data", data)
            .build()
    };
    let within = around(event(Some("db.t.Envelope")));
    assert_eq!(
        shape(&within),
        Shape::Event {
            data: Some(1),
            operation: 2,
            before: Some(0),
            after: Some(1),
        }
    );
    assert_eq!(shape(&within).written(), Some(RowPath::Within(1, 1)));
    let plain = around(structure(&[("a", int())]));
    assert_eq!(shape(&plain), Shape::Data(1));
    assert_eq!(shape(&plain).written(), Some(RowPath::Field(1)));
}

#[test]
fn operations_say_what_is_asked_and_with_which_row() {
    let schema = event(Some("db.t.Envelope"));
    let row = |a| struct_of(&optional_row(), vec![Value::Int32(a)]);
    for (op, asked) in [
        ("c", Asked::Write),
        ("r", Asked::Write),
        ("u", Asked::Write),
        ("d", Asked::Delete),
        ("t", Asked::Truncate),
        ("x", Asked::Write),
    ] {
        let value = struct_of(&schema, vec![row(1), row(2), op.into()]);
        assert_eq!(EVENT.asked(&value), asked, "{op}");
        let number = |path: Option<RowPath>| path.unwrap().row(&value).unwrap().values()[0].clone();
        assert_eq!(number(EVENT.deleted()), Value::Int32(1));
        assert_eq!(number(EVENT.written()), Value::Int32(2));
    }
    let no_row = struct_of(&schema, vec![Value::Null, Value::Null, "c".into()]);
    assert!(EVENT.written().unwrap().row(&no_row).is_none());
}

#[test]
fn shapes_are_remembered_and_their_number_is_bounded() {
    let (mut shapes, values) = (Shapes::default(), values());
    assert_eq!(shapes.of(&values, None), Shape::Row);
    let schema = event(Some("db.t.Envelope"));
    assert_eq!(shapes.of(&values, Some(&schema)), EVENT);
    for _ in 0..10 * MOST_SHAPES {
        assert_eq!(shapes.of(&values, Some(&structure(&[]))), Shape::Row);
        assert!(shapes.known.len() <= MOST_SHAPES);
    }
    assert_eq!(shapes.of(&values, Some(&schema)), EVENT);
}
