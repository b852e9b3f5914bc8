//! Every type of the specification's section 6.2 there and back.

use anyhow::Result;
use tether_api::data::{Bytes, Decimal, SchemaBuilder, SchemaRef, Type, Value, logical};

use super::super::sink::{BY_KEY, Settings, Sink};
use super::super::topic::{Topic, required, structure};
use super::super::types::scalar_columns;
use super::database::MySqlDatabase;

const CREATE: Settings = &[("auto.create", "true")];

fn least() -> [Value; 15] {
    [
        i8::MIN.into(),
        i16::MIN.into(),
        i32::MIN.into(),
        i64::MIN.into(),
        1.1f32.into(),
        f64::MIN.into(),
        false.into(),
        "".into(),
        Bytes::new().into(),
        Decimal::new(-1, 3).into(),
        Value::Date(-141_427),
        Value::Time(0),
        Value::Timestamp(-1),
        Value::Int64(-1),
        "-1".into(),
    ]
}

fn most() -> [Value; 15] {
    let digits = "12345678901234567890123456789012345678901234567890123456789012.345";
    [
        i8::MAX.into(),
        i16::MAX.into(),
        i32::MAX.into(),
        i64::MAX.into(),
        f32::MIN.into(),
        f64::MAX.into(),
        true.into(),
        "it's \"quoted\" \\ ü €\u{1F600}\0".into(),
        Bytes::from_static(&[0, 255, 39, 92]).into(),
        digits.parse::<Decimal>().map_or(Value::Null, Value::from),
        Value::Date(2_932_896),
        Value::Time(86_399_999),
        Value::Timestamp(253_402_300_799_999),
        Value::Int64(1_709_210_096_789_012),
        "1709210096789012".into(),
    ]
}

#[test]
fn extremes_and_nulls() -> Result<()> {
    let database = MySqlDatabase::create()?;
    let epoch: Settings = &[("timestamp.fields.list", "epoch,epoch_text")];
    let mut sink = Sink::with_url(&database.jdbc_url(), &[CREATE, epoch])?;
    let schema = structure(&scalar_columns());
    let mut topic = Topic::new("t", Type::Int32);
    let nulls = [const { Value::Null }; 15];
    let records = [
        topic.record(0i32, &schema, least()),
        topic.record(0i32, &schema, most()),
        topic.record(0i32, &schema, nulls),
    ];
    sink.put(&records)?;
    assert_eq!(
        database.columns("t")?,
        [
            "i8 tinyint(4) YES NULL",
            "i16 smallint(6) YES NULL",
            "i32 int(11) YES NULL",
            "i64 bigint(20) YES NULL",
            "f32 float YES NULL",
            "f64 double YES NULL",
            "flag tinyint(4) YES NULL",
            "text text YES NULL",
            "bytes varbinary(1024) YES NULL",
            "decimal decimal(65,3) YES NULL",
            "date date YES NULL",
            "time time(3) YES NULL",
            "instant datetime(3) YES NULL",
            "epoch datetime(6) YES NULL",
            "epoch_text datetime(6) YES NULL",
        ]
    );
    assert_eq!(
        database.rows(
            "SELECT i8, i16, i32, i64, CAST(f32 AS double) = CAST(1.1 AS float), f64, flag, \
             HEX(text), HEX(bytes), `decimal`, date, time, instant, epoch, epoch_text FROM t"
        )?,
        [
            "-128|-32768|-2147483648|-9223372036854775808|1|-1.7976931348623157e308|0|||-0.001|\
             1582-10-15|00:00:00.000|1969-12-31 23:59:59.999|1969-12-31 23:59:59.999999|\
             1969-12-31 23:59:59.999999",
            "127|32767|2147483647|9223372036854775807|0|1.7976931348623157e308|1|\
             69742773202271756F74656422205C20C3BC20E282ACF09F988000|00FF275C|\
             12345678901234567890123456789012345678901234567890123456789012.345|9999-12-31|\
             23:59:59.999|9999-12-31 23:59:59.999|2024-02-29 12:34:56.789012|\
             2024-02-29 12:34:56.789012",
            "NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL",
        ]
    );
    Ok(())
}

/// Writes one value to a column and reads it back as text, or returns the error.
fn stored(column: &str, settings: Settings<'_>, schema: SchemaRef, value: Value) -> Result<String> {
    let database = MySqlDatabase::create()?;
    database.rows(&format!("CREATE TABLE t (a {column})"))?;
    let mut sink = Sink::with_url(&database.jdbc_url(), &[settings])?;
    let schema = structure(&[("a", schema)]);
    let record = Topic::new("t", Type::Int32).record(0i32, &schema, [value]);
    match sink.put(&[record]) {
        Ok(()) => Ok(database
            .rows("SET time_zone = '+00:00'; SELECT a FROM t")?
            .remove(0)),
        Err(error) => Ok(error.to_string()),
    }
}

#[test]
fn instants_are_kept_where_the_column_is_one() -> Result<()> {
    let zone: Settings = &[("db.timezone", "America/New_York")];
    let instant = |column| {
        let value = Value::Timestamp(1_709_210_096_789);
        stored(column, zone, logical::timestamp_schema(), value)
    };
    assert_eq!(instant("timestamp(3)")?, "2024-02-29 12:34:56.789");
    assert_eq!(instant("datetime(3)")?, "2024-02-29 07:34:56.789");
    assert_eq!(instant("varchar(30)")?, "2024-02-29 07:34:56.789");
    let time = logical::time_schema();
    let time = stored("time", zone, time, Value::Time(12 * 3_600_000))?;
    assert_eq!(time, "07:00:00");
    let date = |settings| {
        stored(
            "date",
            settings,
            logical::date_schema(),
            Value::Date(19_782),
        )
    };
    assert_eq!(date(zone)?, "2024-02-28");
    let utc: Settings = &[
        ("db.timezone", "America/New_York"),
        ("date.timezone", "UTC"),
    ];
    assert_eq!(date(utc)?, "2024-02-29");
    Ok(())
}

#[test]
fn values_go_to_columns_of_other_types() -> Result<()> {
    let long = |column, value: i64| stored(column, &[], required(Type::Int64), value.into());
    assert_eq!(long("smallint", 7)?, "7");
    assert_eq!(long("bigint unsigned", 7)?, "7");
    assert_eq!(long("decimal(10,2)", 7)?, "7.00");
    assert_eq!(long("varchar(9)", 7)?, "7");
    let out_of_range = long("smallint", 70_000)?;
    assert!(
        out_of_range.contains("SQLSTATE 22003: error code 1264: Out of range value for column 'a'"),
        "{out_of_range}"
    );
    assert!(
        out_of_range.contains("INSERT of 1 record in table"),
        "{out_of_range}"
    );
    assert!(out_of_range.contains("(t-0 offset 0)"), "{out_of_range}");
    let text = |column, text: &str| stored(column, &[], required(Type::String), text.into());
    let uuid = "123e4567-e89b-12d3-a456-426614174000";
    assert_eq!(text("uuid", uuid)?, uuid);
    assert_eq!(text("inet6", "::1")?, "::1");
    assert_eq!(text("enum('a','b')", "b")?, "b");
    assert_eq!(text("json", "{\"a\": \"\\\\\"}")?, "{\"a\": \"\\\\\"}");
    assert_eq!(text("varchar(9) CHARACTER SET latin1", "größe")?, "größe");
    assert!(text("json", "{")?.contains("error code 4025"));
    assert!(text("varchar(2)", "abc")?.contains("SQLSTATE 22001"));
    let unmapped = text("varchar(9) CHARACTER SET latin1", "\u{1F600}")?;
    assert!(unmapped.contains("error code 1366"), "{unmapped}");
    Ok(())
}

#[test]
fn a_driver_parameter_lets_the_server_cut_values() -> Result<()> {
    let database = MySqlDatabase::create()?;
    database.rows("CREATE TABLE t (a varchar(2)); SET GLOBAL sql_mode = ''")?;
    let schema = structure(&[("a", required(Type::String))]);
    let record = Topic::new("t", Type::Int32).record(0i32, &schema, ["abc".into()]);
    let strict = Sink::with_url(&database.jdbc_url(), &[])?.refused(std::slice::from_ref(&record));
    let url = format!("{}&jdbcCompliantTruncation=false", database.jdbc_url());
    let cut = Sink::with_url(&url, &[])?.put(&[record]);
    database.rows("SET GLOBAL sql_mode = DEFAULT")?;
    assert!(strict?.contains("SQLSTATE 22001"));
    cut?;
    assert_eq!(database.rows("SELECT * FROM t")?, ["ab"]);
    Ok(())
}

#[test]
fn what_cannot_be_stored_names_record_and_field() -> Result<()> {
    let nan = stored("double", &[], required(Type::Float64), f64::NAN.into())?;
    assert!(
        nan.starts_with(
            "Cannot write field a of the record at (topic='t', partition=0, offset=0) to table"
        ),
        "{nan}"
    );
    assert!(nan.contains("no NaN and no infinity"), "{nan}");
    let late = stored("date", &[], logical::date_schema(), Value::Date(2_932_897))?;
    assert!(late.contains("out of range"), "{late}");
    let epoch: Settings = &[("timestamp.fields.list", "a")];
    let soon = stored("datetime", epoch, required(Type::String), "soon".into())?;
    assert!(soon.contains("it is not an integer"), "{soon}");
    let array = SchemaBuilder::array(required(Type::Int32)).build();
    let array = stored("text", &[], array, vec![1i32.into()].into())?;
    assert!(
        array.contains("Unsupported source data type: ARRAY"),
        "{array}"
    );
    Ok(())
}

#[test]
fn defaults_are_stored_as_the_table_has_them() -> Result<()> {
    let database = MySqlDatabase::create()?;
    let settings: Settings = &[("replace.null.with.default", "false")];
    let mut sink = Sink::with_url(&database.jdbc_url(), &[&BY_KEY, CREATE, settings])?;
    let with =
        |builder: SchemaBuilder, value: Value| builder.optional().default_value(value).build();
    let of = |kind, value| with(SchemaBuilder::new(kind), value);
    let schema = structure(&[
        ("i", of(Type::Int64, i64::MIN.into())),
        ("f", of(Type::Float64, 1e300.into())),
        ("b", of(Type::Boolean, true.into())),
        (
            "s",
            of(Type::String, "it's \\ \"x\"; DROP TABLE t; --".into()),
        ),
        (
            "y",
            of(Type::Bytes, Bytes::from_static(b"\x00\xff'").into()),
        ),
        (
            "n",
            with(logical::decimal_builder(2), Decimal::new(-5, 2).into()),
        ),
        ("d", with(logical::date_builder(), Value::Date(19_782))),
        ("m", with(logical::time_builder(), Value::Time(1))),
        (
            "t",
            with(logical::timestamp_builder(), Value::Timestamp(-1)),
        ),
    ]);
    let nulls = [const { Value::Null }; 9];
    sink.put(&[Topic::new("t", Type::Int32).record(1i32, &schema, nulls)])?;
    let expected = "-9223372036854775808|1e300|1|it's \\ \"x\"; DROP TABLE t; --|00FF27|-0.05|\
                    2024-02-29|00:00:00.001|1969-12-31 23:59:59.999";
    database.rows("INSERT INTO t (id) VALUES (2)")?;
    let found = database.rows("SELECT i, f, b, s, HEX(y), n, d, m, t FROM t ORDER BY id")?;
    assert_eq!(
        found,
        ["NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL", expected]
    );
    Ok(())
}

#[test]
fn keys_of_other_types_find_their_rows() -> Result<()> {
    let settings: Settings = &[("insert.mode", "upsert"), ("delete.enabled", "true")];
    let cases: [(&str, SchemaRef, Value); 6] = [
        ("varchar(9)", required(Type::Int64), 7i64.into()),
        ("decimal(65,10)", logical::decimal_schema(10), {
            let digits = "1234567890123456789012345678901234567890.0123456789";
            digits.parse::<Decimal>().map_or(Value::Null, Value::from)
        }),
        ("uuid", required(Type::String), {
            "123E4567-e89b-12d3-a456-426614174000".into()
        }),
        (
            "varbinary(9)",
            required(Type::Bytes),
            Bytes::from_static(b"\0\\'").into(),
        ),
        (
            "datetime(3)",
            logical::timestamp_schema(),
            Value::Timestamp(1),
        ),
        ("double", required(Type::Float64), 0.1f64.into()),
    ];
    for (column, key_schema, key) in cases {
        let database = MySqlDatabase::create()?;
        database.rows(&format!("CREATE TABLE t (id {column} PRIMARY KEY, a int)"))?;
        let mut sink = Sink::with_url(&database.jdbc_url(), &[&BY_KEY, settings])?;
        let schema = structure(&[("a", required(Type::Int32))]);
        let mut topic = Topic::new("t", Type::Int32);
        let mut record = |a: i32| {
            let record = topic.record(0i32, &schema, [a.into()]).record;
            topic.raw(
                Some(key_schema.clone()),
                key.clone(),
                record.value_schema,
                record.value,
            )
        };
        sink.put(&[record(1), record(2)])?;
        sink.put(&[record(3)])?;
        assert_eq!(database.rows("SELECT a FROM t")?, ["3"], "{column}");
        let tombstone = topic.raw(Some(key_schema.clone()), key.clone(), None, Value::Null);
        sink.put(&[tombstone])?;
        assert!(database.rows("SELECT a FROM t")?.is_empty(), "{column}");
    }
    Ok(())
}
