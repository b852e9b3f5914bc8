use tether_api::data::Text;

use super::*;
use crate::json_schema::schema::load;

fn check(schema: &str, data: &str) -> Result<()> {
    let document = load(&Text::from(schema), &[], false)?;
    Validator::new(document)?.validate_text(data.as_bytes())
}

#[test]
fn values_are_held_against_schemas() {
    for (schema, fitting, other) in [
        (r#"{"contains":{"const":3}}"#, "[1,3.0]", "[1]"),
        (
            r#"{"items":[{"type":"string"}],"additionalItems":false}"#,
            r#"["a"]"#,
            r#"["a",1]"#,
        ),
        (
            r#"{"propertyNames":{"maxLength":1}}"#,
            r#"{"a":1}"#,
            r#"{"ab":1}"#,
        ),
        (r#"{"not":{"type":"string"}}"#, "1", r#""x""#),
        (
            r#"{"enum":[{"a":[1]},null]}"#,
            r#"{"a":[1.0]}"#,
            r#"{"a":[2]}"#,
        ),
        (
            r##"{"definitions":{"p":{"minimum":1}},"$ref":"#/definitions/p"}"##,
            "1",
            "0",
        ),
        (
            r#"{"dependencies":{"a":{"required":["b"]}}}"#,
            r#"{"a":1,"b":2}"#,
            r#"{"a":1}"#,
        ),
        (
            r#"{"if":{"type":"string"},"then":{"minLength":2}}"#,
            "1",
            r#""a""#,
        ),
        (r#"{"uniqueItems":true}"#, r#"[1,"1"]"#, "[1,1.0]"),
        (
            r#"{"$schema":"http://json-schema.org/draft-04/schema#","minimum":1,"exclusiveMinimum":true}"#,
            "2",
            "1",
        ),
        (
            r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","prefixItems":[{"type":"string"}],"items":{"type":"integer"}}"#,
            r#"["a",1]"#,
            r#"["a","b"]"#,
        ),
    ] {
        assert!(check(schema, fitting).is_ok(), "{schema} {fitting}");
        assert!(check(schema, other).is_err(), "{schema} {other}");
    }
}

#[test]
fn the_place_of_a_mismatch_is_told() {
    let schema = r#"{"properties":{"a":{"items":{"type":"integer"}}}}"#;
    let error = check(schema, r#"{"a":[1,"x"]}"#).unwrap_err().to_string();
    assert!(error.ends_with("a: 1: expected a number"), "{error}");
}

#[test]
fn checks_end() {
    // Twice as many for each level, and a schema that is its own part.
    let mut definitions = String::new();
    for level in 0..60 {
        let next = format!(r##"{{"$ref":"#/definitions/d{}"}}"##, level + 1);
        definitions += &format!(r#""d{level}":{{"allOf":[{next},{next}]}},"#);
    }
    let schema = format!(
        r##"{{"definitions":{{{definitions}"d60":{{"type":"string"}}}},"$ref":"#/definitions/d0"}}"##
    );
    let error = check(&schema, r#""x""#).unwrap_err().to_string();
    assert!(error.contains("the check takes more than"), "{error}");
    assert!(check(r##"{"allOf":[{"$ref":"#"}]}"##, "1").is_err());
    assert!(check(r#"{"pattern":"("}"#, r#""x""#).is_err());
}
