use proptest::prelude::*;
use tether_api::config::ConfigMap;
use tether_api::data::Decimal;
use tether_api::data::{Schema, SchemaBuilder, Type, logical};

use super::*;

fn flatten(config: &[(&str, &str)]) -> Flatten {
    let config = config
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let config = Flatten::config_def().parse(&config).unwrap();
    Flatten::new(&config, Part::Value).unwrap()
}

fn apply(schema: Option<SchemaRef>, value: impl Into<Value>) -> Result<ConnectRecord> {
    let record = ConnectRecord::new("t").value(schema, value);
    flatten(&[]).apply(record).map(Option::unwrap)
}

fn error(schema: Option<SchemaRef>, value: impl Into<Value>) -> String {
    apply(schema, value).unwrap_err().message().to_owned()
}

fn structure(schema: &SchemaRef, values: Vec<Value>) -> Value {
    Struct::from_values(schema.clone(), values).unwrap().into()
}

fn map(entries: Vec<(&str, Value)>) -> Value {
    let entries = entries.into_iter().map(|(key, value)| (key.into(), value));
    entries.collect::<MapValue>().into()
}

fn primitive(kind: Type, optional: bool) -> SchemaRef {
    Schema::primitive(kind, optional)
}

#[test]
fn structs_are_flattened() {
    let inner = SchemaBuilder::structure()
        .optional()
        .field("x", primitive(Type::Int32, false))
        .field("when", logical::date_schema())
        .build();
    let numbers = SchemaBuilder::array(primitive(Type::Int8, false)).build();
    let outer = SchemaBuilder::structure()
        .optional()
        .name("n")
        .version(3)
        .doc("d")
        .parameter("p", "q")
        .field("a", primitive(Type::String, false))
        .field("in", inner.clone())
        .field("list", numbers.clone())
        .build();
    let list: Value = vec![Value::Int8(1)].into();
    let value = structure(
        &outer,
        vec![
            "s".into(),
            structure(&inner, vec![1i32.into(), Value::Date(2)]),
            list.clone(),
        ],
    );
    let record = apply(Some(outer.clone()), value).unwrap();
    // Everything is optional, as the outer struct is; it is not any more.
    let expected = SchemaBuilder::structure()
        .name("n")
        .version(3)
        .doc("d")
        .parameter("p", "q")
        .field("a", primitive(Type::String, true))
        .field("in.x", primitive(Type::Int32, true))
        .field("in.when", logical::date_builder().optional().build())
        .field("list", numbers.to_builder().optional().build())
        .build();
    assert_eq!(record.value_schema.as_ref(), Some(&expected));
    let values = vec!["s".into(), 1i32.into(), Value::Date(2), list.clone()];
    assert_eq!(record.value, structure(&expected, values));
    let value = structure(&outer, vec!["s".into(), Value::Null, list.clone()]);
    let record = apply(Some(outer), value).unwrap();
    let values = vec!["s".into(), Value::Null, Value::Null, list];
    assert_eq!(record.value, structure(&expected, values));
}

#[test]
fn defaults_of_structs_go_to_their_fields() {
    let inner = SchemaBuilder::structure()
        .field("x", primitive(Type::Int32, false))
        .field(
            "y",
            Schema::builder(Type::Int32)
                .default_value(5i32.into())
                .build(),
        )
        .build();
    let default = structure(&inner, vec![7i32.into(), 8i32.into()]);
    let with_default = inner.to_builder().default_value(default).build();
    let outer = SchemaBuilder::structure().field("in", with_default).build();
    let record = apply(Some(outer.clone()), structure(&outer, vec![Value::Null])).unwrap();
    let schema = record.value_schema.unwrap();
    assert_eq!(
        schema.fields()[0].schema.default_value(),
        Some(&7i32.into())
    );
    assert_eq!(
        schema.fields()[1].schema.default_value(),
        Some(&5i32.into())
    );
    let value = record.value.as_struct().unwrap();
    assert_eq!(value.get("in.x"), Some(&7i32.into()));
    assert_eq!(value.get_without_default("in.x"), Some(&Value::Null));
}

#[test]
fn maps_are_flattened_without_schema() {
    let value = map(vec![
        (
            "a",
            map(vec![
                ("b", map(vec![("c", 1i32.into())])),
                ("d", Value::Null),
            ]),
        ),
        ("e", vec![map(vec![])].into()),
        ("f", map(vec![])),
    ]);
    let record = ConnectRecord::new("t").value(None, value);
    let record = flatten(&[("delimiter", "_")])
        .apply(record)
        .unwrap()
        .unwrap();
    let expected = map(vec![
        ("a_b_c", 1i32.into()),
        ("a_d", Value::Null),
        ("e", vec![map(vec![])].into()),
    ]);
    assert_eq!(record.value, expected);
    assert_eq!(record.value_schema, None);
}

#[test]
fn the_class_says_which_part() {
    let record = ConnectRecord::new("t")
        .key(None, map(vec![("a", map(vec![("b", 1i32.into())]))]))
        .value(None, map(vec![("a", map(vec![("b", 1i32.into())]))]));
    let expected = map(vec![("a.b", 1i32.into())]);
    let mut key = Flatten::new(
        &Flatten::config_def().parse(&ConfigMap::new()).unwrap(),
        Part::Key,
    )
    .unwrap();
    let keyed = key.apply(record.clone()).unwrap().unwrap();
    assert_eq!((&keyed.key, &keyed.value), (&expected, &record.value));
    let valued = flatten(&[]).apply(record.clone()).unwrap().unwrap();
    assert_eq!((&valued.key, &valued.value), (&record.key, &expected));
}

#[test]
fn null_is_left_alone() {
    let schema = primitive(Type::String, true);
    let record = apply(Some(schema.clone()), Value::Null).unwrap();
    assert_eq!(
        (record.value_schema, record.value),
        (Some(schema), Value::Null)
    );
}

#[test]
fn misfits_are_named() {
    assert_eq!(
        error(None, "x"),
        "Only Map objects supported in absence of schema for [flattening], found: java.lang.String"
    );
    assert_eq!(
        error(Some(primitive(Type::String, false)), "x"),
        "Only Struct objects supported for [flattening], found: java.lang.String"
    );
    let strings = primitive(Type::String, false);
    let maps = SchemaBuilder::map(strings.clone(), strings.clone()).build();
    let inner = SchemaBuilder::structure().field("m", maps).build();
    let outer = SchemaBuilder::structure()
        .field("in", inner.clone())
        .build();
    let value = structure(&outer, vec![structure(&inner, vec![map(vec![])])]);
    assert_eq!(
        error(Some(outer), value),
        "Flatten transformation does not support MAP for record with schemas (for field in.m)."
    );
    let list = SchemaBuilder::structure()
        .field("next", Schema::reference(None, true))
        .build();
    let value = structure(&list, vec![Value::Null]);
    assert!(error(Some(list), value).contains("contain themselves (for field next)"));
    let decimal = Value::from(Decimal::new(1, 0));
    assert_eq!(
        error(None, map(vec![("a", decimal)])),
        "Flatten transformation was passed a value of type class java.math.BigDecimal which is not \
         supported by Connect's data API"
    );
    let inner = SchemaBuilder::structure()
        .field("b", strings.clone())
        .build();
    let value = structure(&inner, vec!["x".into()]);
    assert_eq!(
        error(None, map(vec![("a", value.clone())])),
        "Flatten transformation does not support class org.apache.kafka.connect.data.Struct for \
         record without schemas (for field a)."
    );
    let twice = SchemaBuilder::structure()
        .field("a", inner)
        .field("a.b", strings.clone())
        .build();
    let value = structure(&twice, vec![value, "x".into()]);
    assert_eq!(
        error(Some(twice), value),
        "Cannot create field because of field name duplication a.b"
    );
    let required = SchemaBuilder::structure().field("a", strings).build();
    let value = structure(&required, vec![Value::Null]);
    assert_eq!(
        error(Some(required), value),
        "Invalid value: null used for required field: \"a\", schema type: STRING"
    );
}

proptest! {
    /// A tree of structs keeps its leaves in order, whatever its shape.
    #[test]
    fn leaves_stay_in_order(shape in proptest::collection::vec(0..4usize, 1..20)) {
        let mut next = 0;
        let (schema, value) = tree(&shape, 3, &mut next);
        let record = apply(Some(schema), value).unwrap();
        let flat = record.value.as_struct().unwrap();
        let leaves: Vec<_> = flat.values().iter().map(Value::as_i64).collect();
        prop_assert_eq!(leaves, (0..next).map(Some).collect::<Vec<_>>());
    }
}

fn tree(shape: &[usize], depth: usize, next: &mut i64) -> (SchemaRef, Value) {
    let mut builder = SchemaBuilder::structure();
    let mut values = Vec::new();
    for (index, kind) in shape.iter().enumerate() {
        let (schema, value) = if *kind == 0 && depth > 0 {
            tree(&shape[index + 1..], depth - 1, next)
        } else {
            *next += 1;
            (primitive(Type::Int64, false), Value::Int64(*next - 1))
        };
        builder = builder.field(format!("f{index}"), schema);
        values.push(value);
    }
    let schema = builder.build();
    let value = structure(&schema, values);
    (schema, value)
}
