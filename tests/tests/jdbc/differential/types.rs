//! A column of each type.

use serde_json::{Value, json};

use super::record::{Record, named, optional, required, structure, with_parameters, with_schema};
use super::scenario::Scenario;

/// A column and its values, one for each row.
pub(super) type Column = (&'static str, Value, Vec<Value>);

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "plain",
            records: records(&plain()),
            ..Scenario::default()
        },
        Scenario {
            name: "times",
            records: records(&times()),
            ..Scenario::default()
        },
        Scenario {
            name: "data",
            before: &["CREATE EXTENSION IF NOT EXISTS ltree"],
            records: records(&data()),
            ..Scenario::default()
        },
        Scenario {
            name: "sources",
            before: &[
                "CREATE EXTENSION IF NOT EXISTS citext",
                "CREATE EXTENSION hstore",
            ],
            records: records(&sources()),
            ..Scenario::default()
        },
        Scenario {
            name: "arrays",
            before: &["CREATE EXTENSION IF NOT EXISTS hstore"],
            records: records(&arrays()),
            ..Scenario::default()
        },
        Scenario {
            name: "defaults",
            records: records(&defaults()),
            ..Scenario::default()
        },
        Scenario {
            name: "other_zone",
            settings: &[("use.time.zone", "America/New_York")],
            records: records(
                &[plain(), times()]
                    .concat()
                    .into_iter()
                    .filter(is_of_time)
                    .collect::<Vec<_>>(),
            ),
            ..Scenario::default()
        },
        Scenario {
            name: "default_clock",
            records: records(&[(
                "clock",
                with_default(
                    named("int64", "io.debezium.time.MicroTime"),
                    json!(3_723_000_004i64),
                ),
                vec![json!(1), Value::Null],
            )]),
            fails: Some("Could not find table"),
            ..Scenario::default()
        },
        // There a decimal without a scale rounds to tens.
        Scenario {
            name: "scaleless",
            records: records(&[
                ("number", decimal("0"), vec![json!("AQA="), json!("/w==")]),
                ("rounded", decimal("-2"), vec![json!("AQA=")]),
            ]),
            differs: &[
                "- column scaleless.number numeric(38,-1) YES",
                "+ column scaleless.number numeric YES",
                "- column scaleless.rounded numeric(38,-1) YES",
                "+ column scaleless.rounded numeric YES",
                r#"- row scaleless {"id": "0", "number": "260", "rounded": "25600"}"#,
                r#"+ row scaleless {"id": "0", "number": "256", "rounded": "25600"}"#,
                r#"- row scaleless {"id": "1", "number": "0", "rounded": null}"#,
                r#"+ row scaleless {"id": "1", "number": "-1", "rounded": null}"#,
            ],
            ..Scenario::default()
        },
        Scenario {
            name: "end_of_day",
            records: records(&[(
                "us",
                named("int64", "io.debezium.time.MicroTime"),
                vec![json!(86_400_000_000i64)],
            )]),
            fails: Some("Invalid value for NanoOfDay"),
            ..Scenario::default()
        },
        Scenario {
            name: "circles",
            records: records(&figures()),
            fails: Some("Failed to resolve column type for schema: STRUCT"),
            ..Scenario::default()
        },
        Scenario {
            name: "default_span",
            records: records(&[(
                "span",
                with_default(
                    named("int64", "io.debezium.time.MicroDuration"),
                    json!(90_061_000_001i64),
                ),
                vec![json!(1), Value::Null],
            )]),
            ..Scenario::default()
        },
        // PostGIS is not there, which it needs for points.
        Scenario {
            name: "points",
            records: records(&[("position", point(), vec![at(1.5, -2.0), at(1e-20, 3e20)])]),
            fails: Some("st_geomfromwkb"),
            ..Scenario::default()
        },
        Scenario {
            name: "elements",
            before: &["CREATE EXTENSION IF NOT EXISTS hstore"],
            records: records(&elements()),
            differs: &[
                "- column elements.mac8 text YES",
                "+ column elements.mac8 macaddr8 YES",
                r#"- row elements {"id": "0", "mac8": "08:00:2b:01:02:03:04:05", "nets": "{10.0.0.1}", "pairs": "\"a\"=>\"null\"", "documents": "{\"{\\\"a\\\": 1}\"}"}"#,
                r#"+ row elements {"id": "0", "mac8": "08:00:2b:01:02:03:04:05", "nets": "{10.0.0.1}", "pairs": "\"a\"=>NULL", "documents": "{\"{\\\"a\\\": 1}\"}"}"#,
                "- column elements.nets text[] YES",
                "+ column elements.nets inet[] YES",
                "- column elements.documents text[] YES",
                "+ column elements.documents jsonb[] YES",
            ],
            ..Scenario::default()
        },
    ]
}

fn is_of_time((name, _, _): &Column) -> bool {
    [
        "moment",
        "clock",
        "us",
        "ts_ms",
        "ts_us",
        "zoned_time",
        "zoned",
    ]
    .contains(name)
}

/// Rows with an `id` and these columns.
pub(super) fn records(columns: &[Column]) -> Vec<Record> {
    let key = structure("k", &[("id", required("int32"))], false);
    let mut fields = vec![("id", required("int32"))];
    fields.extend(
        columns
            .iter()
            .map(|(name, schema, _)| (*name, schema.clone())),
    );
    let schema = structure("v", &fields, false);
    let count = columns.iter().map(|(_, _, values)| values.len()).max();
    (0..count.unwrap_or_default())
        .map(|row| {
            let mut value = json!({"id": row});
            for (name, _, values) in columns {
                value[*name] = values.get(row).cloned().unwrap_or_default();
            }
            let key = with_schema(&key, json!({"id": row}));
            Record::new(Some(key), Some(with_schema(&schema, value)))
        })
        .collect()
}

fn decimal(scale: &str) -> Value {
    let schema = named("bytes", "org.apache.kafka.connect.data.Decimal");
    with_parameters(schema, &[("scale", scale)])
}

fn with_default(mut schema: Value, default: Value) -> Value {
    schema["default"] = default;
    schema
}

pub(super) fn plain() -> Vec<Column> {
    let precise = with_parameters(decimal("2"), &[("connect.decimal.precision", "10")]);
    vec![
        ("i8", optional("int8"), vec![json!(-128), json!(127)]),
        ("i16", optional("int16"), vec![json!(-32768), json!(32767)]),
        (
            "i32",
            optional("int32"),
            vec![json!(i32::MIN), json!(i32::MAX)],
        ),
        (
            "i64",
            optional("int64"),
            vec![json!(i64::MIN), json!(i64::MAX)],
        ),
        ("f32", optional("float"), vec![json!(1.5), json!(-0.1)]),
        ("f64", optional("double"), vec![json!(1e300), json!(-0.1)]),
        ("flag", optional("boolean"), vec![json!(true), json!(false)]),
        (
            "words",
            optional("string"),
            vec![json!("it's \\ \"ü\""), json!("")],
        ),
        ("raw", optional("bytes"), vec![json!("AAH/"), json!("")]),
        ("money", decimal("2"), vec![json!("AQA="), json!("/w==")]),
        ("precise", precise, vec![json!("AQA="), json!("/w==")]),
        (
            "day",
            named("int32", "org.apache.kafka.connect.data.Date"),
            vec![json!(18262), json!(-141_427)],
        ),
        (
            "clock",
            named("int32", "org.apache.kafka.connect.data.Time"),
            vec![json!(86_399_999), json!(0)],
        ),
        (
            "moment",
            named("int64", "org.apache.kafka.connect.data.Timestamp"),
            vec![json!(1_600_000_000_123i64), json!(-1)],
        ),
    ]
}

pub(super) fn times() -> Vec<Column> {
    let time = |kind, name: &str| named(kind, &format!("io.debezium.time.{name}"));
    vec![
        (
            "day",
            time("int32", "Date"),
            vec![json!(18262), json!(-719_528)],
        ),
        (
            "ms",
            time("int32", "Time"),
            vec![json!(86_399_999), json!(0)],
        ),
        (
            "us",
            time("int64", "MicroTime"),
            vec![json!(1), json!(86_399_999_999i64)],
        ),
        (
            "ns",
            time("int64", "NanoTime"),
            vec![
                json!(1_000),
                json!(86_399_999_999_000i64),
                json!(1_499),
                json!(1_500),
            ],
        ),
        (
            "ts_ms",
            time("int64", "Timestamp"),
            vec![json!(1_600_000_000_123i64), json!(-62_135_596_800_000i64)],
        ),
        (
            "ts_us",
            time("int64", "MicroTimestamp"),
            vec![json!(1_600_000_000_123_456i64), json!(-1)],
        ),
        (
            "ts_ns",
            time("int64", "NanoTimestamp"),
            vec![
                json!(1_600_000_000_123_456_000i64),
                json!(-1_000),
                json!(1_499),
                json!(1_500),
            ],
        ),
        (
            "zoned_time",
            time("string", "ZonedTime"),
            vec![
                json!("10:15:30.123456Z"),
                json!("23:59:59Z"),
                json!("01:02:03+02:00"),
            ],
        ),
        (
            "zoned",
            time("string", "ZonedTimestamp"),
            vec![
                json!("2020-02-29T10:15:30.123456Z"),
                json!("2020-02-29T10:15:30+02:00"),
                json!("infinity"),
                json!("-infinity"),
            ],
        ),
        ("year", time("int32", "Year"), vec![json!(2020)]),
        (
            "micros",
            time("int64", "MicroDuration"),
            vec![json!(90_061_000_001i64), json!(-1_500_000)],
        ),
        (
            "iso",
            time("string", "Interval"),
            vec![json!("P1Y2M3DT4H5M6S")],
        ),
        (
            "iso_date",
            time("string", "IsoDate"),
            vec![json!("2020-02-29Z")],
        ),
    ]
}

fn parts(name: &str, fields: &[(&str, Value)]) -> Value {
    structure(&format!("io.debezium.data.{name}"), fields, true)
}

fn point() -> Value {
    let fields = [
        ("x", required("double")),
        ("y", required("double")),
        ("wkb", optional("bytes")),
        ("srid", optional("int32")),
    ];
    parts("geometry.Point", &fields)
}

fn at(x: f64, y: f64) -> Value {
    json!({"x": x, "y": y, "wkb": null, "srid": null})
}

fn figures() -> Vec<Column> {
    let mut center = point();
    center["optional"] = json!(false);
    vec![
        (
            "circle",
            parts(
                "geometry.Circle",
                &[("center", center), ("radius", required("double"))],
            ),
            vec![json!({"center": at(1.0, 2.0), "radius": 3.5})],
        ),
        (
            "line",
            parts(
                "geometry.Line",
                &[
                    ("a", required("double")),
                    ("b", required("double")),
                    ("c", required("double")),
                ],
            ),
            vec![json!({"a": 1.0, "b": 2.0, "c": -3.5})],
        ),
    ]
}

pub(super) fn data() -> Vec<Column> {
    let data = |kind, name: &str| named(kind, &format!("io.debezium.data.{name}"));
    let bits = |length| with_parameters(data("bytes", "Bits"), &[("length", length)]);
    let allowed = |name| with_parameters(data("string", name), &[("allowed", "a,b")]);
    vec![
        (
            "uuid",
            data("string", "Uuid"),
            vec![json!("6f3f2a1e-0b57-4c4a-9a0e-0e7a0b1c2d3e")],
        ),
        (
            "json",
            data("string", "Json"),
            vec![json!("{\"a\": [1, null]}"), json!("1")],
        ),
        (
            "xml",
            data("string", "Xml"),
            vec![json!("<a b=\"c\">d</a>")],
        ),
        ("path", data("string", "Ltree"), vec![json!("a.b.c")]),
        (
            "document",
            data("string", "Tsvector"),
            vec![json!("'a':1 'b':2")],
        ),
        ("word", allowed("Enum"), vec![json!("a"), json!("b")]),
        (
            "set_of_words",
            allowed("EnumSet"),
            vec![json!("a,b"), json!("")],
        ),
        ("bits", bits("5"), vec![json!("FQ=="), json!("AA==")]),
        ("many_bits", bits("12"), vec![json!("AQg="), json!("AAA=")]),
        (
            "any_bits",
            bits("2147483647"),
            vec![json!("FQ=="), json!("AQg=")],
        ),
        (
            "any_scale",
            parts(
                "VariableScaleDecimal",
                &[("scale", required("int32")), ("value", required("bytes"))],
            ),
            vec![
                json!({"scale": 2, "value": "AQA="}),
                json!({"scale": 0, "value": "/w=="}),
            ],
        ),
    ]
}

/// A type as the source's connector tells it.
pub(super) fn of(schema: Value, name: &str, more: &[(&str, &str)]) -> Value {
    let schema = with_parameters(schema, &[("__debezium.source.column.type", name)]);
    let more = more.iter();
    let more: Vec<_> = more
        .map(|(name, value)| (format!("__debezium.source.column.{name}"), *value))
        .collect();
    let more: Vec<_> = more.iter().map(|(name, value)| (&**name, *value)).collect();
    with_parameters(schema, &more)
}

/// Types of columns that the source's connector tells.
fn sources() -> Vec<Column> {
    let text = |name| of(optional("string"), name, &[]);
    let json_text = named("string", "io.debezium.data.Json");
    let bits = with_parameters(named("bytes", "io.debezium.data.Bits"), &[("length", "5")]);
    vec![
        (
            "v",
            of(optional("string"), "VARCHAR", &[("length", "20")]),
            vec![json!("a")],
        ),
        (
            "unbounded",
            of(optional("string"), "VARCHAR", &[("length", "2147483647")]),
            vec![json!("a")],
        ),
        (
            "c",
            of(optional("string"), "BPCHAR", &[("length", "3")]),
            vec![json!("a")],
        ),
        ("one", text("CHAR"), vec![json!("a")]),
        ("t", text("TEXT"), vec![json!("a")]),
        ("money", text("MONEY"), vec![json!("1.50")]),
        ("net", text("INET"), vec![json!("10.0.0.1/8")]),
        ("cidr", text("CIDR"), vec![json!("10.0.0.0/8")]),
        ("mac", text("MACADDR"), vec![json!("08:00:2b:01:02:03")]),
        ("ci", text("CITEXT"), vec![json!("Ab")]),
        ("oid", of(optional("int64"), "OID", &[]), vec![json!(7)]),
        ("r4", text("INT4RANGE"), vec![json!("[1,5)")]),
        (
            "rts",
            text("TSRANGE"),
            vec![json!("[\"2020-01-01 00:00:00\",\"2020-01-02 00:00:00\")")],
        ),
        ("xml", text("XML"), vec![json!("<a/>")]),
        (
            "serial",
            of(required("int32"), "SERIAL", &[]),
            vec![json!(1), json!(2)],
        ),
        (
            "jsonb",
            of(json_text.clone(), "JSONB", &[]),
            vec![json!("{\"a\":1}")],
        ),
        (
            "pairs",
            of(json_text, "HSTORE", &[]),
            vec![json!("{\"a\":\"1\"}")],
        ),
        (
            "varbit",
            of(bits, "VARBIT", &[("length", "5")]),
            vec![json!("FQ==")],
        ),
        (
            "bit",
            of(optional("boolean"), "BIT", &[("length", "1")]),
            vec![json!(true)],
        ),
        (
            "ts",
            of(
                named("int64", "io.debezium.time.MicroTimestamp"),
                "TIMESTAMP",
                &[("length", "29"), ("scale", "3")],
            ),
            vec![json!(1_600_000_000_123_456i64)],
        ),
        (
            "tm",
            of(
                named("int32", "io.debezium.time.Time"),
                "TIME",
                &[("length", "12"), ("scale", "2")],
            ),
            vec![json!(3_723_004)],
        ),
        (
            "tstz",
            of(
                named("string", "io.debezium.time.ZonedTimestamp"),
                "TIMESTAMPTZ",
                &[("length", "35"), ("scale", "6")],
            ),
            vec![json!("2020-02-29T10:15:30.123456Z")],
        ),
        (
            "i4",
            of(
                optional("int32"),
                "INT4",
                &[("length", "10"), ("scale", "0")],
            ),
            vec![json!(1)],
        ),
    ]
}

fn array(items: Value) -> Value {
    json!({"type": "array", "optional": true, "items": items})
}

/// Arrays whose elements are of the source's types.
fn elements() -> Vec<Column> {
    let source = |schema: Value, name: &str| {
        with_parameters(schema, &[("__debezium.source.column.type", name)])
    };
    vec![
        (
            "mac8",
            source(optional("string"), "MACADDR8"),
            vec![json!("08:00:2b:01:02:03:04:05")],
        ),
        (
            "pairs",
            source(named("string", "io.debezium.data.Json"), "HSTORE"),
            vec![json!("{\"a\":null}")],
        ),
        (
            "nets",
            source(array(optional("string")), "_inet"),
            vec![json!(["10.0.0.1"])],
        ),
        (
            "documents",
            source(array(optional("string")), "_jsonb"),
            vec![json!(["{\"a\": 1}"])],
        ),
    ]
}

fn arrays() -> Vec<Column> {
    let map = json!({
        "type": "map", "optional": true, "keys": required("string"), "values": optional("string")
    });
    vec![
        (
            "numbers",
            array(optional("int32")),
            vec![json!([1, null, 2]), json!([])],
        ),
        (
            "words",
            array(optional("string")),
            vec![json!(["a\"b\\c", "", null, "NULL"])],
        ),
        (
            "flags",
            array(optional("boolean")),
            vec![json!([true, false])],
        ),
        (
            "doubles",
            array(optional("double")),
            vec![json!([1.5, -1e20])],
        ),
        (
            "uuids",
            array(named("string", "io.debezium.data.Uuid")),
            vec![json!(["6f3f2a1e-0b57-4c4a-9a0e-0e7a0b1c2d3e"])],
        ),
        ("pairs", map, vec![json!({"a": "b"}), json!({})]),
    ]
}

fn defaults() -> Vec<Column> {
    let with = with_default;
    vec![
        (
            "n",
            with(optional("int32"), json!(7)),
            vec![json!(1), Value::Null],
        ),
        (
            "t",
            with(optional("string"), json!("it's")),
            vec![json!("a"), Value::Null],
        ),
        (
            "b",
            with(required("boolean"), json!(true)),
            vec![json!(false), json!(true)],
        ),
        (
            "f",
            with(optional("double"), json!(1.5)),
            vec![json!(2.5), Value::Null],
        ),
        (
            "day",
            with(named("int32", "io.debezium.time.Date"), json!(18262)),
            vec![json!(1), Value::Null],
        ),
        (
            "raw",
            with(optional("bytes"), json!("AAH/")),
            vec![json!("AA=="), Value::Null],
        ),
        (
            "moment",
            with(
                named("int64", "io.debezium.time.MicroTimestamp"),
                json!(1_600_000_000_123_456i64),
            ),
            vec![json!(1), Value::Null],
        ),
        (
            "zoned",
            with(
                named("string", "io.debezium.time.ZonedTimestamp"),
                json!("2020-02-29T10:15:30Z"),
            ),
            vec![json!("2020-03-01T00:00:00Z"), Value::Null],
        ),
    ]
}
