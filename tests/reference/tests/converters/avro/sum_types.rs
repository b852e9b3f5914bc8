//! Enumerations and unions in the form that all formats share.

use tether_reference_tests::Config;

use super::Side;

/// Schemas with enumerations and unions. Where null is not the last branch, the
/// reference looks for the field of another branch.
const SUM_TYPES: &[(&str, &[u8])] = &[
    (
        r#"{"type":"enum","name":"E","namespace":"a","doc":"d","symbols":["X","Y"],"default":"Y"}"#,
        &[2],
    ),
    (r#"["int","string"]"#, &[2, 2, b'x']),
    (r#"["int","string","null"]"#, &[2, 2, b'x']),
    (r#"["null","int"]"#, &[2, 2]),
    (
        r#"["string",{"type":"enum","name":"E","namespace":"a","symbols":["X","Y"]},{"type":"record","name":"R","namespace":"a","fields":[{"name":"x","type":"int"}]}]"#,
        &[2, 2],
    ),
    (
        r#"["string",{"type":"enum","name":"E","namespace":"a","symbols":["X","Y"]},{"type":"record","name":"R","namespace":"a","fields":[{"name":"x","type":"int"}]}]"#,
        &[4, 2],
    ),
    (
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":["int","string"]},{"name":"b","type":{"type":"array","items":["long",{"type":"map","values":["boolean","double"]}]}},{"name":"e","type":{"type":"enum","name":"E","symbols":["X","Y"]},"default":"Y"}]}"#,
        &[0, 2, 4, 0, 2, 2, 2, 2, b'k', 0, 1, 0, 0, 2],
    ),
    (r#"["int"]"#, &[0, 2]),
];

#[test]
fn shared_sum_types_are_read_and_written_alike() -> anyhow::Result<()> {
    let shared = ("generalized.sum.type.support", "true");
    let configs: [Config<'_>; 4] = [
        &[shared],
        &[shared, ("enhanced.avro.schema.support", "true")],
        &[shared, ("connect.meta.data", "false")],
        &[shared, ("flatten.singleton.unions", "false")],
    ];
    let mut side = Side::new()?;
    for (schema, data) in SUM_TYPES {
        for config in configs {
            side.compare_read_as(config, schema, data)?;
            let read = side.read_as(config, schema, data)?;
            // A union also is one by its parameter alone.
            for config in [config, &[]] {
                side.compare_written(config, read.schema.as_ref(), &read.value)?;
            }
        }
    }
    side.finish()
}
