//! `TimestampConverter`, and with it the patterns of `SimpleDateFormat`.

use proptest::prelude::*;
use proptest::sample::select;
use tether_api::data::{Schema, SchemaBuilder, Type, Value, logical};
use tether_api::record::ConnectRecord;
use tether_reference_tests::{Config, Verdicts};

use super::compare_records;
use super::corpus::{
    Data, any_map, changing_schemas, compare_configs, compare_generated, map, map_record, plain,
    records, schema_of, struct_record, untyped,
};
use crate::cases::generate;

const KEY: &str = "org.apache.kafka.connect.transforms.TimestampConverter$Key";
const VALUE: &str = "org.apache.kafka.connect.transforms.TimestampConverter$Value";

const TYPES: [&str; 5] = ["string", "unix", "Date", "Time", "Timestamp"];

/// A point in time with its schema, or what is none.
fn any_time() -> BoxedStrategy<Data> {
    let millis = -60_000_000_000_000..60_000_000_000_000i64;
    let time = prop_oneof![
        3 => millis.clone().prop_map(|millis| (logical::timestamp_builder(), Value::Timestamp(millis))),
        2 => (-700_000..700_000i32).prop_map(|days| (logical::date_builder(), Value::Date(days))),
        2 => (0..86_400_000i32).prop_map(|millis| (logical::time_builder(), Value::Time(millis))),
        2 => millis.clone().prop_map(|millis| (SchemaBuilder::new(Type::Int64), millis.into())),
        2 => "[12][09][0-9]{2}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-9]{2}"
            .prop_map(|text| (SchemaBuilder::new(Type::String), text.into())),
        1 => Just("soon").prop_map(|text| (SchemaBuilder::new(Type::String), text.into())),
        1 => any::<i32>().prop_map(|number| (SchemaBuilder::new(Type::Int32), number.into())),
        1 => any::<bool>().prop_map(|truth| (SchemaBuilder::new(Type::Boolean), truth.into())),
    ];
    (time, any::<bool>(), proptest::bool::weighted(0.15))
        .prop_map(|((builder, value), optional, null)| {
            let schema = builder.with_optional(optional).build();
            let value = if null && optional { Value::Null } else { value };
            (Some(schema), value)
        })
        .boxed()
}

/// Such a value alone, or in a struct, without a schema or in a map.
fn any_part() -> BoxedStrategy<Data> {
    let in_struct = (any_time(), any_time(), any::<bool>()).prop_map(|(f0, f1, optional)| {
        let schema = schema_of(&[("f0", f0.0.unwrap()), ("f1", f1.0.unwrap())]);
        let schema = schema.to_builder().with_optional(optional).build();
        let record = struct_record(&schema, vec![f0.1, f1.1]);
        (record.value_schema, record.value)
    });
    prop_oneof![
        4 => any_time(),
        2 => any_time().prop_map(|(_, value)| (None, untyped(value))),
        6 => in_struct,
        2 => any_time().prop_map(|(_, value)| (None, map(vec![("f0", untyped(value))]))),
        1 => any_map(),
        1 => Just((None, Value::Null)),
    ]
    .boxed()
}

#[test]
fn generated_records_are_converted_alike() -> anyhow::Result<()> {
    let mut configs = Vec::new();
    for kind in TYPES {
        for field in ["", "f0", "gone"] {
            for precision in ["milliseconds", "seconds", "microseconds", "nanoseconds"] {
                for replace in ["true", "false"] {
                    configs.push([
                        ("field", field),
                        ("target.type", kind),
                        ("format", "yyyy-MM-dd HH:mm"),
                        ("unix.precision", precision),
                        ("replace.null.with.default", replace),
                    ]);
                }
            }
        }
    }
    let configs: Vec<Config<'_>> = configs.iter().map(|config| &config[..]).collect();
    compare_generated(&[VALUE, KEY], &configs, records(&any_part(), 480))
}

#[test]
fn schemas_may_change() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for kind in TYPES {
        for field in ["at", "note"] {
            let config = [
                ("field", field),
                ("target.type", kind),
                ("format", "yyyy-MM-dd"),
            ];
            compare_records(&mut verdicts, VALUE, &config, changing_schemas())?;
        }
    }
    verdicts.finish().map(drop)
}

const PATTERNS: [&str; 34] = [
    "yyyy-MM-dd'T'HH:mm:ss.SSSX",
    "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "yyyy-MM-dd HH:mm:ss Z",
    "EEE, d MMM yyyy HH:mm:ss z",
    "EEEE, dd MMMM yyyy hh:mm a",
    "yyyyMMdd",
    "yyyyMMddHHmmssSSS",
    "yy-M-d",
    "y",
    "yyyyy GGGG",
    "MM/dd/yy h:m:s a",
    "D yyyy",
    "YYYY-'W'ww-u",
    "YY ww EEE",
    "yyyy w u",
    "yyyy MM W E",
    "yyyy MMM F EEEE",
    "LLL LL L LLLL",
    "MMM",
    "MMMM d",
    "k K h H",
    "kk:mm KK hh a",
    "S",
    "SSSSSS",
    "'o''clock' HH ''",
    "zzzz z",
    "X",
    "XX dd",
    "HHmmZ",
    "u E",
    "yyyy-MM-dd HH:mm:ss.SSS",
    "dd.MM.yyyy, HH 'Uhr' ééé",
    "W F",
    "G",
];

#[test]
fn patterns_are_written_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let times = [
        0i64,
        -1,
        1_709_210_096_789,
        1_704_067_199_999,
        1_735_603_200_000,
        1_230_768_000_123,
        951_782_400_000,
        // Around the change of calendars, the begin of the era and beyond.
        -12_219_292_800_000,
        -12_219_292_800_001,
        -12_244_089_600_000,
        -62_135_596_800_000,
        -62_135_769_600_001,
        -70_000_000_000_000,
        300_000_000_000_000,
    ];
    let schema = logical::timestamp_schema();
    for pattern in PATTERNS {
        let config = [("target.type", "string"), ("format", pattern)];
        let records = times.iter().map(|millis| {
            ConnectRecord::new("t").value(Some(schema.clone()), Value::Timestamp(*millis))
        });
        for record in records {
            compare_records(&mut verdicts, VALUE, &config, vec![record])?;
        }
    }
    verdicts.finish().map(drop)
}

fn compare_texts(
    verdicts: &mut Verdicts,
    pattern: &str,
    texts: impl IntoIterator<Item = String>,
) -> anyhow::Result<()> {
    let config = [("target.type", "Timestamp"), ("format", pattern)];
    let schema = Schema::primitive(Type::String, false);
    for text in texts {
        let record = ConnectRecord::new("t").value(Some(schema.clone()), text);
        compare_records(verdicts, VALUE, &config, vec![record])?;
    }
    Ok(())
}

#[test]
fn texts_are_read_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    for (pattern, texts) in [
        (
            "yyyy-MM-dd'T'HH:mm:ss.SSSX",
            &[
                "2024-02-29T12:34:56.789Z",
                "2024-02-29T12:34:56.789+01",
                "2024-02-29T12:34:56.789-0130",
                "2024-02-29T12:34:56.78Z",
                "2024-02-29t12:34:56.789Z",
                "2024-2-9T1:2:3.4Z and more",
                " 2024- 02-29T12:34:56.789Z",
                "2024-13-32T25:61:61.1001Z",
                "-5-00-00T-1:00:00.000Z",
                "99999-01-01T00:00:00.000Z",
                "2024-02-29T12:34:56.789z",
                "",
                "2024-02-29",
            ][..],
        ),
        (
            "yyyyMMdd",
            &[
                "20240229",
                "2024022",
                "202402299",
                "2024 229",
                "-0240229",
                "2024-0229",
                "x0240229",
            ],
        ),
        (
            "yyyyMMddHHmmssSSS",
            &["20240229123456789", "202402291234567", "2024022912345678"],
        ),
        (
            "HHmmZ",
            &[
                "1234+0100",
                "123456+0100",
                "12 4-0030",
                "1234GMT",
                "1234UTC",
            ],
        ),
        (
            "EEE, d MMM yyyy HH:mm:ss z",
            &[
                "Thu, 29 Feb 2024 12:34:56 UTC",
                "fri, 1 MAR 2024 00:00:00 gmt",
                "Thursday, 29 February 2024 12:34:56 GMT+1:30",
                "Thu, 29 Feb 2024 12:34:56 GMT-01:30",
                "Thu, 29 Feb 2024 12:34:56 PST",
                "Thu, 29 Feb 2024 12:34:56 PDT",
                "Thu, 29 Feb 2024 12:34:56 CET",
                "Thu, 29 Feb 2024 12:34:56 CEST",
                "Thu, 29 Feb 2024 12:34:56 EST",
                "Thu, 29 Feb 2024 12:34:56 +0530",
                "Thu, 29 Feb 2024 12:34:56 +2430",
                "Thu, 29 Feb 2024 12:34:56 Nowhere",
                "Mon, 29 Feb 2024 12:34:56 UTC",
                "Thu,29 Feb 2024 12:34:56 UTC",
                "Thx, 29 Feb 2024 12:34:56 UTC",
                "Thu, 29  Feb 2024 12:34:56 UTC",
            ],
        ),
        (
            "yyyy-MM-dd'T'HH:mmXXX",
            &[
                "2024-02-29T12:34+01:30",
                "2024-02-29T12:34+0130",
                "2024-02-29T12:34-1:30",
                "2024-02-29T12:34Z",
            ],
        ),
        (
            "yy-M-d",
            &[
                "24-1-2", "1-1-1", "124-1-1", "99-1-1", "00-12-31", "-1-1-1", "46-1-1",
            ],
        ),
        (
            "y",
            &[
                "5",
                "55",
                "2147483648",
                "99999999999999999999",
                "-99999999999999999999",
            ],
        ),
        (
            "MM/dd/yy h:m:s a",
            &[
                "02/29/24 12:0:0 AM",
                "02/29/24 12:0:0 pm",
                "02/29/24 13:0:0 PM",
                "02/29/24 1:0:0 am",
                "2/9/24 0:0:0 x",
            ],
        ),
        (
            "YYYY-'W'ww-u",
            &[
                "2024-W01-1",
                "2024-W53-7",
                "2020-W01-7",
                "2024-W00-0",
                "2024-W10-8",
                "2024-W10--1",
                "2024-W10-15",
            ],
        ),
        (
            "yyyy w u",
            &["2024 9 4", "2024 1 7", "2023 53 1", "2024 9 0", "2024 9 8"],
        ),
        (
            "yyyy MM W E",
            &[
                "2024 02 5 Thu",
                "2024 02 0 Mon",
                "2024 2 1 sunday",
                "2024 14 -1 Fri",
            ],
        ),
        (
            "yyyy MM F E",
            &["2024 02 5 Thu", "2024 02 -1 Mon", "2024 2 0 sunday"],
        ),
        (
            "D yyyy",
            &["60 2024", "366 2023", "-1 2024", "0 1582", "300 1582"],
        ),
        ("yyyy D MM dd", &["2024 60 01 01"]),
        ("MM dd D yyyy", &["01 01 60 2024"]),
        (
            "yyyy G",
            &[
                "5 BC",
                "5 AD",
                "0 AD",
                "-3 BC",
                "5 bc",
                "5 Anno Domini",
                "5 Before Christ",
                "5 CE",
            ],
        ),
        (
            "yyyy-MM-dd",
            &[
                "1582-10-04",
                "1582-10-05",
                "1582-10-14",
                "1582-10-15",
                "1582-12-40",
                "0000-01-01",
                "0004-02-29",
            ],
        ),
        (
            "k K h H",
            &["24 0 12 0", "24 11 12 23", "0 0 0 0", "25 12 13 24"],
        ),
        ("h a", &["12 AM", "12 PM", "0 PM", "11 PM"]),
        ("a", &["PM", "AM"]),
        ("H K a", &["5 6 PM"]),
        ("E", &["Mon", "Tuesday", "x"]),
        ("u", &["1", "7", "0", "9"]),
        ("W", &["1", "2", "0"]),
        ("F", &["1", "3"]),
        ("w", &["1", "30"]),
        ("MMM", &["Sep", "Sept", "September", "jan", "May", "Ja"]),
        ("LLL", &["Sep", "march", "13"]),
        ("M", &["1", "13", "Jan", "0"]),
        ("'o''clock' HH ''", &["o'clock 12 '", "o'clock 12"]),
        ("S", &["5", "123456"]),
        (
            "zzzz",
            &[
                "Coordinated Universal Time",
                "Pacific Standard Time",
                "UTC",
                "Greenwich Mean Time",
            ],
        ),
        (
            "yyyy-MM-dd'T'HH:mm:ss",
            &["2024-02-29T12:34:56Z", "2024-02-29 12:34:56"],
        ),
        ("yyyyMMddX", &["20240229Z", "20240229+01"]),
        ("HHmmssSSSZ", &["1020301234+0000", "102030123+0000"]),
    ] {
        compare_texts(
            &mut verdicts,
            pattern,
            texts.iter().map(|text| (*text).to_owned()),
        )?;
    }
    verdicts.finish().map(drop)
}

#[test]
fn generated_texts_are_read_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let patterns = select(PATTERNS[..19].to_vec());
    let texts =
        "[12]?[0-9]{3}[-/ ]?[01]?[0-9][-/ ]?[0-3]?[0-9][T ,]{0,2}[0-9:.]{0,9}[ Z]?(AM|UTC)?";
    for (pattern, text) in generate(&(patterns, texts), 250) {
        compare_texts(&mut verdicts, pattern, [text])?;
    }
    verdicts.finish().map(drop)
}

#[test]
fn configurations_are_refused_alike() -> anyhow::Result<()> {
    compare_configs(
        VALUE,
        &[
            &[],
            &[("target.type", "string")],
            &[("target.type", "string"), ("format", " ")],
            &[("target.type", "date")],
            &[("target.type", "unix"), ("format", "yyyy-bb")],
            &[("target.type", "unix"), ("format", "'x")],
            &[("target.type", "unix"), ("format", "XXXX")],
            &[("target.type", "unix"), ("unix.precision", "hours")],
            &[("target.type", "unix"), ("field", "a")],
        ],
    )
}

#[test]
fn what_is_no_time_is_refused_alike() -> anyhow::Result<()> {
    let mut verdicts = Verdicts::new();
    let config = [("target.type", "unix"), ("field", "a"), ("format", "yyyy")];
    for record in [
        map_record(vec![("a", 1i32.into())]),
        map_record(vec![("a", 1.5.into())]),
        map_record(vec![("a", vec![].into())]),
        map_record(vec![("b", 1i32.into())]),
        ConnectRecord::new("t").value(Some(plain(Type::Int32, false)), 1i32),
        ConnectRecord::new("t").value(None, 1i32),
        struct_record(
            &schema_of(&[("a", plain(Type::Int32, true))]),
            vec![Value::Null],
        ),
    ] {
        compare_records(&mut verdicts, VALUE, &config, vec![record])?;
    }
    verdicts.finish().map(drop)
}
