//! Any text as a value of any type of PostgreSQL, in each mode and phase, and
//! as a row of COPY. The first two bytes choose the type.

#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use tether_api::config::ConfigMap;
use tether_api::data::{Bytes, Value};
use tether_connector_postgres::config::Settings;
use tether_connector_postgres::pgoutput::TupleValue;
use tether_connector_postgres::table::{Column, ReplicaIdentity, Table, TableId};
use tether_connector_postgres::types::{Described, PgType, TypeKind, TypeRegistry, oid};
use tether_connector_postgres::values::{Phase, TableSchema, copy};

/// Types whose values have parts or a form of their own.
const SCALARS: [u32; 20] = [
    oid::BOOL,
    oid::BYTEA,
    oid::INT8,
    oid::INT2,
    oid::TEXT,
    oid::POINT,
    oid::BOX,
    oid::FLOAT4,
    oid::FLOAT8,
    oid::MONEY,
    oid::DATE,
    oid::TIME,
    oid::TIMESTAMP,
    oid::TIMESTAMPTZ,
    oid::INTERVAL,
    oid::TIMETZ,
    oid::BIT,
    oid::VARBIT,
    oid::NUMERIC,
    oid::UUID,
];
const EXTENSIONS: [&str; 6] = [
    "hstore",
    "geometry",
    "vector",
    "halfvec",
    "sparsevec",
    "citext",
];
/// Numbers of the types of extensions, and of the arrays of all.
const FIRST_EXTENSION: u32 = 20_000;
const ARRAYS: u32 = 100_000;

const MODES: [&[(&str, &str)]; 4] = [
    &[("include.unknown.datatypes", "true")],
    &[
        ("decimal.handling.mode", "string"),
        ("time.precision.mode", "isostring"),
    ],
    &[
        ("decimal.handling.mode", "double"),
        ("time.precision.mode", "connect"),
    ],
    &[
        ("time.precision.mode", "nanoseconds"),
        ("hstore.handling.mode", "map"),
    ],
];

static TYPES: LazyLock<(Vec<u32>, TypeRegistry)> = LazyLock::new(|| {
    let extensions = EXTENSIONS.iter().enumerate();
    let extensions = extensions.map(|(at, name)| (FIRST_EXTENSION + at as u32, *name));
    let scalars: Vec<(u32, &str)> = SCALARS
        .iter()
        .map(|oid| (*oid, ""))
        .chain(extensions)
        .collect();
    let entry = |oid, name: &str, kind| PgType {
        oid,
        name: name.into(),
        schema: "pg_catalog".into(),
        visible: true,
        kind,
        delimiter: b',',
    };
    let types = scalars.iter().flat_map(|(element, name)| {
        let array = TypeKind::Array { element: *element };
        [
            entry(*element, name, TypeKind::Base),
            entry(ARRAYS + element, "", array),
        ]
    });
    let registry = TypeRegistry::new(types);
    let all = scalars
        .iter()
        .flat_map(|(oid, _)| [*oid, ARRAYS + oid])
        .collect();
    (all, registry)
});

fn table(type_oid: u32, modifier: i32, default: &str) -> Table {
    Table {
        id: TableId::new("s", "t"),
        oid: 1,
        columns: vec![Column {
            name: "c".into(),
            type_oid,
            modifier,
            nullable: true,
            generated: false,
            default: Some(default.into()),
        }],
        key: vec![0],
        replica_identity: ReplicaIdentity::Full,
    }
}

fuzz_target!(|data: &[u8]| {
    let [choice, modifier, text @ ..] = data else {
        return;
    };
    let (all, types) = &*TYPES;
    let type_oid = all[usize::from(*choice) % all.len()];
    let default = String::from_utf8_lossy(text);
    let table = Arc::new(table(type_oid, i32::from(*modifier) - 1, &default));
    let text = Bytes::copy_from_slice(text);
    copy::split(&text, &mut Vec::new());
    for mode in MODES {
        let required = [
            ("topic.prefix", "p"),
            ("database.hostname", "h"),
            ("database.user", "u"),
            ("database.dbname", "d"),
        ];
        let config: ConfigMap = required
            .iter()
            .chain(mode)
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let settings = Settings::parse(&config).expect("the configuration is right");
        let schema = TableSchema::new(table.clone(), Described::ByCatalog, types, &settings)
            .expect("the type is known");
        for phase in [Phase::Snapshot, Phase::Streaming] {
            let row = [TupleValue::Text(text.clone())];
            let value = schema
                .value(&row, None, phase)
                .expect("null in place of what is wrong");
            if let Value::Struct(row) = value {
                row.validate().expect("what is converted fits its schema");
            }
        }
    }
});
