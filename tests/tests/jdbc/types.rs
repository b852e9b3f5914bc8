//! Every type of the specification's section 6.2 there and back.

use anyhow::Result;
use tether_api::data::{Bytes, Decimal, SchemaBuilder, SchemaRef, Type, Value, logical};

use super::sink::{BY_KEY, Settings, Sink, database, rows};
use super::topic::{Topic, optional, required, structure};

const CREATE: Settings = &[("auto.create", "true")];

/// A column of each type that every database has.
pub(super) fn scalar_columns() -> Vec<(&'static str, SchemaRef)> {
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
        ("decimal", logical::decimal_builder(3).optional().build()),
        ("date", logical::date_builder().optional().build()),
        ("time", logical::time_builder().optional().build()),
        ("instant", logical::timestamp_builder().optional().build()),
        ("epoch", optional(Type::Int64)),
        ("epoch_text", optional(Type::String)),
    ]
}

fn columns() -> Vec<(&'static str, SchemaRef)> {
    let array = |kind| SchemaBuilder::array(optional(kind)).optional().build();
    let mut columns = scalar_columns();
    columns.push(("ints", array(Type::Int32)));
    columns.push(("texts", array(Type::String)));
    columns
}

fn least() -> [Value; 17] {
    [
        i8::MIN.into(),
        i16::MIN.into(),
        i32::MIN.into(),
        i64::MIN.into(),
        f32::MIN.into(),
        f64::NEG_INFINITY.into(),
        false.into(),
        "".into(),
        Bytes::new().into(),
        Decimal::new(-1, 3).into(),
        Value::Date(-141_427),
        Value::Time(0),
        Value::Timestamp(-1),
        Value::Int64(-1),
        "-1".into(),
        Vec::<Value>::new().into(),
        Vec::<Value>::new().into(),
    ]
}

fn most() -> [Value; 17] {
    let digits = "123456789012345678901234567890123456789012345678901234567890.000";
    [
        i8::MAX.into(),
        i16::MAX.into(),
        i32::MAX.into(),
        i64::MAX.into(),
        f32::NAN.into(),
        f64::MAX.into(),
        true.into(),
        "it's \"quoted\" \\ ü €\u{1F600}".into(),
        Bytes::from_static(&[0, 255, 39]).into(),
        digits.parse::<Decimal>().map_or(Value::Null, Value::from),
        Value::Date(2_932_897),
        Value::Time(86_399_999),
        Value::Timestamp(253_402_300_800_000),
        Value::Int64(1_709_210_096_789_012),
        "1709210096789012".into(),
        vec![1i32.into(), Value::Null, i32::MIN.into()].into(),
        vec![
            "a\"b\\c".into(),
            "".into(),
            "NULL".into(),
            Value::Null,
            "{x,y}".into(),
        ]
        .into(),
    ]
}

#[test]
fn extremes_and_nulls() -> Result<()> {
    let database = database()?;
    let epoch: Settings = &[("timestamp.fields.list", "epoch,epoch_text")];
    let mut sink = Sink::start(&database, &[CREATE, epoch])?;
    let schema = structure(&columns());
    let mut topic = Topic::new("t", Type::Int32);
    let nulls = [const { Value::Null }; 17];
    let records = [
        topic.record(0i32, &schema, least()),
        topic.record(0i32, &schema, most()),
        topic.record(0i32, &schema, nulls),
    ];
    sink.put(&records)?;
    assert_eq!(
        database.columns("t")?,
        [
            "i8 smallint",
            "i16 smallint",
            "i32 integer",
            "i64 bigint",
            "f32 real",
            "f64 double precision",
            "flag boolean",
            "text text",
            "bytes bytea",
            "decimal numeric",
            "date date",
            "time time without time zone",
            "instant timestamp without time zone",
            "epoch timestamp without time zone",
            "epoch_text timestamp without time zone",
            "ints integer[]",
            "texts text[]",
        ]
    );
    assert_eq!(
        rows(&database, "SELECT * FROM t")?,
        [
            "-128|-32768|-2147483648|-9223372036854775808|-3.4028235e+38|-Infinity|f||\\x|-0.001|\
             1582-10-15|00:00:00|1969-12-31 23:59:59.999|1969-12-31 23:59:59.999999|\
             1969-12-31 23:59:59.999999|{}|{}",
            "127|32767|2147483647|9223372036854775807|NaN|1.7976931348623157e+308|t|\
             it's \"quoted\" \\ ü €\u{1F600}|\\x00ff27|\
             123456789012345678901234567890123456789012345678901234567890.000|10000-01-01|\
             23:59:59.999|10000-01-01 00:00:00|2024-02-29 12:34:56.789012|\
             2024-02-29 12:34:56.789012|{1,NULL,-2147483648}|\
             {\"a\\\"b\\\\c\",\"\",\"NULL\",NULL,\"{x,y}\"}",
            "null|null|null|null|null|null|null|null|null|null|null|null|null|null|null|null|null",
        ]
    );
    Ok(())
}

/// Writes one value to a column and reads it back as text, or returns the error.
fn stored(column: &str, settings: Settings<'_>, schema: SchemaRef, value: Value) -> Result<String> {
    let database = database()?;
    database.rows(&format!("CREATE TABLE t (a {column})"))?;
    let mut sink = Sink::start(&database, &[settings])?;
    let schema = structure(&[("a", schema)]);
    let record = Topic::new("t", Type::Int32).record(0i32, &schema, [value]);
    match sink.put(&[record]) {
        Ok(()) => Ok(rows(&database, "SET TimeZone TO 'UTC'; SELECT a FROM t")?.remove(0)),
        Err(error) => Ok(error.to_string()),
    }
}

#[test]
fn instants_are_kept_where_the_column_has_a_zone() -> Result<()> {
    let zone: Settings = &[("db.timezone", "America/New_York")];
    let instant = || {
        (
            logical::timestamp_schema(),
            Value::Timestamp(1_709_210_096_789),
        )
    };
    let (schema, value) = instant();
    assert_eq!(
        stored("timestamptz", zone, schema, value)?,
        "2024-02-29 12:34:56.789+00"
    );
    let (schema, value) = instant();
    assert_eq!(
        stored("timestamp", zone, schema, value)?,
        "2024-02-29 07:34:56.789"
    );
    let (schema, value) = instant();
    assert_eq!(stored("date", zone, schema, value)?, "2024-02-29");
    let (schema, value) = instant();
    assert_eq!(
        stored("text", zone, schema, value)?,
        "2024-02-29 07:34:56.789"
    );
    let time = stored(
        "time",
        zone,
        logical::time_schema(),
        Value::Time(12 * 3_600_000),
    )?;
    assert_eq!(time, "07:00:00");
    let text = stored(
        "timestamptz",
        zone,
        required(Type::String),
        "2024-02-29 07:34".into(),
    )?;
    assert_eq!(text, "2024-02-29 12:34:00+00");
    Ok(())
}

#[test]
fn dates_in_zones() -> Result<()> {
    let date = |settings| {
        stored(
            "date",
            settings,
            logical::date_schema(),
            Value::Date(19_782),
        )
    };
    assert_eq!(date(&[])?, "2024-02-29");
    assert_eq!(date(&[("db.timezone", "America/New_York")])?, "2024-02-28");
    assert_eq!(
        date(&[
            ("db.timezone", "America/New_York"),
            ("date.timezone", "UTC")
        ])?,
        "2024-02-29"
    );
    assert_eq!(date(&[("db.timezone", "Asia/Tokyo")])?, "2024-02-29");
    assert_eq!(date(&[("db.timezone", "+05:30")])?, "2024-02-29");
    Ok(())
}

#[test]
fn calendars() -> Result<()> {
    let date = |settings| {
        stored(
            "date",
            settings,
            logical::date_schema(),
            Value::Date(-141_428),
        )
    };
    assert_eq!(date(&[])?, "1582-10-04");
    assert_eq!(
        date(&[("date.calendar.system", "PROLEPTIC_GREGORIAN")])?,
        "1582-10-14"
    );
    Ok(())
}

#[test]
fn numbers_go_to_columns_of_other_types() -> Result<()> {
    let long = |column, value: i64| stored(column, &[], required(Type::Int64), value.into());
    assert_eq!(long("smallint", 7)?, "7");
    assert_eq!(long("numeric(10,2)", 7)?, "7.00");
    assert_eq!(long("text", 7)?, "7");
    assert_eq!(long("double precision", 7)?, "7");
    let out_of_range = long("smallint", 70_000)?;
    assert!(
        out_of_range.contains("SQLSTATE 22003: ERROR: smallint out of range"),
        "{out_of_range}"
    );
    assert!(
        out_of_range.contains("INSERT of 1 record in table"),
        "{out_of_range}"
    );
    assert!(out_of_range.contains("(t-0 offset 0)"), "{out_of_range}");
    let decimal = |column| {
        stored(
            column,
            &[],
            logical::decimal_schema(3),
            Decimal::new(1_005, 3).into(),
        )
    };
    assert_eq!(decimal("numeric(10,2)")?, "1.01");
    assert_eq!(decimal("int")?, "1");
    assert_eq!(decimal("float8")?, "1.005");
    let impossible = long("bytea", 7)?;
    assert!(impossible.contains("SQLSTATE 42846"), "{impossible}");
    Ok(())
}

#[test]
fn values_that_cannot_be_stored_name_record_and_field() -> Result<()> {
    let nul = stored("text", &[], required(Type::String), "a\0b".into())?;
    assert!(
        nul.starts_with(
            "Cannot write field a of the record at (topic='t', partition=0, offset=0) to table"
        ),
        "{nul}"
    );
    assert!(nul.contains("cannot store NUL characters"), "{nul}");
    let epoch: Settings = &[("timestamp.fields.list", "a")];
    let soon = stored("timestamp", epoch, required(Type::String), "soon".into())?;
    assert!(soon.contains("it is not an integer"), "{soon}");
    let long = stored("varchar(2)", &[], required(Type::String), "abc".into())?;
    assert!(long.contains("SQLSTATE 22001"), "{long}");
    Ok(())
}

#[test]
fn defaults_are_stored_as_the_table_has_them() -> Result<()> {
    let database = database()?;
    let mut sink = Sink::start(
        &database,
        &[&BY_KEY, CREATE, &[("replace.null.with.default", "false")]],
    )?;
    let with = |kind, value: Value| {
        SchemaBuilder::new(kind)
            .optional()
            .default_value(value)
            .build()
    };
    let schema = structure(&[
        ("i", with(Type::Int64, i64::MIN.into())),
        ("f", with(Type::Float64, f64::NAN.into())),
        ("e", with(Type::Float32, 1e10f32.into())),
        ("b", with(Type::Boolean, true.into())),
        (
            "s",
            with(Type::String, "it's \\ \"x\"; DROP TABLE t; --".into()),
        ),
        (
            "y",
            with(Type::Bytes, Bytes::from_static(b"\x00\xff'").into()),
        ),
        (
            "n",
            logical::decimal_builder(2)
                .optional()
                .default_value(Decimal::new(-5, 2).into())
                .build(),
        ),
        (
            "d",
            logical::date_builder()
                .optional()
                .default_value(Value::Date(19_782))
                .build(),
        ),
        (
            "m",
            logical::time_builder()
                .optional()
                .default_value(Value::Time(1))
                .build(),
        ),
        (
            "t",
            logical::timestamp_builder()
                .optional()
                .default_value(Value::Timestamp(-1))
                .build(),
        ),
        (
            "a",
            SchemaBuilder::array(optional(Type::String))
                .optional()
                .default_value(vec!["x'y".into(), Value::Null].into())
                .build(),
        ),
    ]);
    let nulls = [const { Value::Null }; 11];
    sink.put(&[Topic::new("t", Type::Int32).record(1i32, &schema, nulls)])?;
    let expected = "-9223372036854775808|NaN|1e+10|t|it's \\ \"x\"; DROP TABLE t; --|\\x00ff27|-0.05|\
                    2024-02-29|00:00:00.001|1969-12-31 23:59:59.999|{x'y,NULL}";
    database.rows("INSERT INTO t (id) VALUES (2)")?;
    let found = rows(
        &database,
        "SELECT i, f, e, b, s, y, n, d, m, t, a FROM t ORDER BY id",
    )?;
    assert_eq!(
        found,
        [
            "null|null|null|null|null|null|null|null|null|null|null",
            expected
        ]
    );
    let mut replacing = Sink::start(&database, &[&BY_KEY])?;
    let nulls = [const { Value::Null }; 11];
    replacing.put(&[Topic::new("t", Type::Int32).record(3i32, &schema, nulls)])?;
    let found = rows(
        &database,
        "SELECT i, f, e, b, s, y, n, d, m, t, a FROM t WHERE id = 3",
    )?;
    assert_eq!(found, [expected]);
    Ok(())
}
