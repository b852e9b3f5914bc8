//! Every type of section 6.2 there and back.

use tether_api::data::{Bytes, Decimal, SchemaRef, Struct, Type, Value, logical};

use crate::support::{Sink, Topic, optional, structure};

fn columns() -> Vec<(&'static str, SchemaRef)> {
    vec![
        ("i8", optional(Type::Int8)),
        ("i16", optional(Type::Int16)),
        ("i32", optional(Type::Int32)),
        ("i64", optional(Type::Int64)),
        ("f32", optional(Type::Float32)),
        ("f64", optional(Type::Float64)),
        ("flag", optional(Type::Boolean)),
        ("text", optional(Type::String)),
        ("bytes", optional(Type::Bytes)),
        ("decimal", logical::decimal_builder(2).optional().build()),
        ("date", logical::date_builder().optional().build()),
        ("time", logical::time_builder().optional().build()),
        ("instant", logical::timestamp_builder().optional().build()),
        ("epoch", optional(Type::Int64)),
    ]
}

fn least() -> Vec<Value> {
    vec![
        i8::MIN.into(),
        i16::MIN.into(),
        i32::MIN.into(),
        i64::MIN.into(),
        f32::MIN.into(),
        f64::MIN.into(),
        false.into(),
        "".into(),
        Bytes::new().into(),
        Decimal::new(-999_999, 2).into(),
        Value::Date(-141_428),
        Value::Time(0),
        Value::Timestamp(-1),
        Value::Int64(-1_500_001),
    ]
}

fn most() -> Vec<Value> {
    vec![
        i8::MAX.into(),
        i16::MAX.into(),
        i32::MAX.into(),
        i64::MAX.into(),
        f32::MAX.into(),
        f64::INFINITY.into(),
        true.into(),
        "it's 'quoted' ü €\u{1F600}".into(),
        Bytes::from_static(&[0, 255]).into(),
        Decimal::new(5, 2).into(),
        Value::Date(2_932_897),
        Value::Time(86_399_999),
        Value::Timestamp(253_402_300_800_000),
        Value::Int64(1_500_999),
    ]
}

async fn rows(url_query: &str, values: Vec<Vec<Value>>) -> Vec<String> {
    let mut sink =
        Sink::start(&[("auto.create", "true"), ("timestamp.fields.list", "epoch")]).await;
    let setting = url_query.split_once('=');
    if let Some((name, value)) = setting {
        let key = format!("connection.{name}");
        sink = Sink::start(&[
            ("auto.create", "true"),
            ("timestamp.fields.list", "epoch"),
            ("db.timezone", "America/New_York"),
            ("date.timezone", "UTC"),
            (&key, value),
        ])
        .await;
    }
    let schema = structure(&columns());
    let mut topic = Topic::named("t");
    let records: Vec<_> = values
        .into_iter()
        .map(|values| topic.record(0i32, &schema, values))
        .collect();
    sink.put(&records).await.unwrap();
    sink.rows("SELECT * FROM t")
}

#[tokio::test]
async fn extremes_and_nulls() {
    let nulls = vec![Value::Null; columns().len()];
    assert_eq!(
        rows("", vec![least(), most(), nulls]).await,
        [
            "-128|-32768|-2147483648|-9223372036854775808|-3.4028234663852886e38|\
             -1.7976931348623157e308|0||[]|-9999.99|-12219379200000|0|-1|-1501",
            "127|32767|2147483647|9223372036854775807|3.4028234663852886e38|inf|1|\
             it's 'quoted' ü €\u{1F600}|[0, 255]|0.05|253402300800000|86399999|253402300800000|1500",
            "null|null|null|null|null|null|null|null|null|null|null|null|null|null",
        ]
    );
}

#[tokio::test]
async fn temporal_values_as_the_driver_is_told() {
    let tail = |row: &str| {
        row.rsplitn(5, '|')
            .take(4)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let found = rows("date_class=TEXT", vec![least()]).await;
    assert_eq!(
        tail(&found[0]),
        [
            "1969-12-31 18:59:58.499",
            "1969-12-31 18:59:59.999",
            "1969-12-31 19:00:00.000",
            "1582-10-04 00:00:00.000",
        ]
    );
    let found = rows("date_precision=SECONDS", vec![most()]).await;
    assert_eq!(
        tail(&found[0]),
        ["1", "253402300800", "86399", "253402300800"]
    );
    let found = rows("date_class=REAL", vec![most()]).await;
    assert_eq!(tail(&found[0])[3], "5373484.5");
}

#[tokio::test]
async fn nested_values_are_refused() {
    let inner = structure(&[("x", optional(Type::Int32))]);
    let schema = structure(&[("a", inner.clone())]);
    let mut sink = Sink::start(&[("auto.create", "true")]).await;
    let value: Value = Struct::new(inner).unwrap().into();
    let record = Topic::named("t").record(0i32, &schema, vec![value.clone()]);
    let error = sink.put(&[record]).await.unwrap_err().to_string();
    assert!(
        error.starts_with(
            "null (STRUCT) type doesn't have a mapping to the SQL database column type"
        ),
        "{error}"
    );
    // Into a table that is there, all that is refused is a value.
    sink.execute("CREATE TABLE u (a)");
    let mut topic = Topic::named("u");
    sink.put(&[topic.record(0i32, &schema, vec![Value::Null])])
        .await
        .unwrap();
    let record = topic.record(0i32, &schema, vec![value]);
    let error = sink.put(&[record]).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "Cannot write field a of the record at (topic='u', partition=0, offset=1) to table \"u\": \
         Unsupported source data type: STRUCT; nested.mode=flatten makes columns of its \
         fields, nested.mode=json one of JSON (schema type STRUCT, value type org.apache.kafka.connect.data.Struct)"
    );
}
