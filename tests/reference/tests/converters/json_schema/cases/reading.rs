//! Schemas and the data that is read with them.

use tether_api::data::{SchemaBuilder, Type, Value};

use super::super::Case;
use super::{optional, owned, primitive, read_as, structure, write};

pub(super) fn read() -> Vec<Case> {
    let mut cases = Vec::new();
    for (schema, data) in simple_schemas() {
        for data in data.split('|') {
            cases.push(read_as(&[], schema, data));
        }
    }
    for (schema, data) in composed_schemas() {
        for config in [
            &[][..],
            &[("use.optional.for.nonrequired", "true")],
            &[("generalized.sum.type.support", "true")],
            &[("flatten.singleton.unions", "false")],
        ] {
            for data in data.split('|') {
                cases.push(read_as(config, schema, data));
            }
        }
    }
    for (schema, data) in drafts() {
        for config in [&[][..], &[("ignore.modern.dialects", "true")]] {
            cases.push(read_as(config, schema, data));
        }
    }
    cases.extend(referring());
    cases
}

/// Schemas with data that is separated by bars.
fn simple_schemas() -> Vec<(&'static str, &'static str)> {
    let anything = r#"1|-7|2.5|300|70000|5000000000|1e3|99999999999999999999|"x"|"AQI="|"!"|true|null|[1]|{"a":1}|[|1 2|{"a"#;
    vec![
        (r#"{"type":"string"}"#, anything),
        (r#"{"type":"integer"}"#, anything),
        (r#"{"type":"number"}"#, anything),
        (r#"{"type":"boolean"}"#, anything),
        (r#"{"type":"string","connect.type":"bytes"}"#, anything),
        (r#"{"type":"number","connect.type":"bytes"}"#, anything),
        (r#"{"type":"integer","connect.type":"int8"}"#, anything),
        (r#"{"type":"integer","connect.type":"int16"}"#, anything),
        (r#"{"type":"integer","connect.type":"int32"}"#, anything),
        (r#"{"type":"number","connect.type":"float32"}"#, anything),
        (r#"{"type":"number","connect.type":"int64"}"#, anything),
        (r#"{"type":"array","items":{"type":"integer"}}"#, anything),
        (
            r#"{"type":"object","connect.type":"map","additionalProperties":{"type":"integer"}}"#,
            anything,
        ),
        (
            r#"{"type":"number","title":"org.apache.kafka.connect.data.Decimal","connect.type":"bytes","connect.parameters":{"scale":"2"}}"#,
            r#"1.5|"AQI="|"!"|true|7|null"#,
        ),
        (
            r#"{"type":"integer","title":"org.apache.kafka.connect.data.Date","connect.type":"int32"}"#,
            r#"1|-1|5000000000|1.5|"x""#,
        ),
        (
            r#"{"type":"integer","title":"org.apache.kafka.connect.data.Time","connect.type":"int32"}"#,
            r#"1|-1|86400001|"x""#,
        ),
        (
            r#"{"type":"integer","title":"org.apache.kafka.connect.data.Timestamp","connect.type":"int64"}"#,
            r#"1|-1|5000000000|1.5|"x""#,
        ),
        // What is no schema for Connect.
        (r#"{}"#, "1"),
        (r#"true"#, "1"),
        (r#"false"#, "1"),
        (r#"{"type":"null"}"#, "null|1"),
        (r#"{"type":"array"}"#, "[]"),
        (r#"{"type":"array","items":[{"type":"string"}]}"#, "[]"),
        (r#"{"type":"object","connect.type":"map"}"#, "{}"),
        (r#"{"type":"unknown"}"#, "1"),
        (r#"{"type":5}"#, "1"),
        (r#"{"type":"integer","connect.type":"other"}"#, "1"),
        (r#"{"not":{"type":"string"}}"#, "1"),
        (r#"{"if":{"type":"string"}}"#, "1"),
        (r#"{"minLength":3}"#, r#""abc"|1"#),
        (r#"{"minimum":3}"#, r#""abc"|1"#),
        (r#"{"properties":{"a":{"type":"string"}}}"#, r#"{"a":"x"}"#),
        (r#"{"items":{"type":"string"}}"#, r#"["x"]"#),
    ]
}

fn composed_schemas() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            r#"{"type":"object","title":"t","description":"d","connect.version":4,"connect.parameters":{"a":"b"},"properties":{"zeta":{"type":"string"},"alpha":{"type":"integer","default":5},"mid":{"type":"array","items":{"type":"number"}}},"required":["zeta"]}"#,
            r#"{"zeta":"z","alpha":1,"mid":[1,2.5]}|{"mid":null}|{"zeta":"z"}|{"alpha":null,"zeta":"y","other":{"x":1}}|{"zeta":7}|[]"#,
        ),
        (
            r#"{"type":"object","properties":{"b":{"type":"string","connect.index":1},"a":{"type":"string","connect.index":0},"c":{"type":"string"}}}"#,
            r#"{"a":"1","b":"2","c":"3"}"#,
        ),
        (
            r#"{"type":"object","properties":{"b":{"type":"string","connect.index":5},"a":{"type":"string","connect.index":5}}}"#,
            r#"{"a":"1","b":"2"}"#,
        ),
        (
            r#"{"type":"array","connect.type":"map","items":{"type":"object","properties":{"key":{"type":"integer"},"value":{"oneOf":[{"type":"null"},{"type":"string"}]}}}}"#,
            r#"[{"key":1,"value":"a"}]|[{"value":null,"key":2}]|[{"key":1}]|[{"key":1,"value":"a","x":1}]|[{"key":1,"x":"a"}]|[1]|{}"#,
        ),
        (
            r#"{"oneOf":[{"type":"null"},{"type":"integer"}]}"#,
            "1|null",
        ),
        (
            r#"{"oneOf":[{"type":"string"},{"type":"null"}],"title":"t","default":"x"}"#,
            r#""a"|null"#,
        ),
        (r#"{"anyOf":[{"type":"string"}]}"#, r#""a"|1"#),
        (r#"{"type":["string","null"]}"#, r#""a"|null"#),
        (
            r#"{"type":["string","integer","null"]}"#,
            r#""a"|7|null|2.5|{}"#,
        ),
        (
            r#"{"oneOf":[{"type":"integer"},{"type":"string"},{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}}},{"type":"object","properties":{"a":{"type":"integer"},"c":{"type":"object","properties":{"d":{"type":"string"}}}}}]}"#,
            r#"1|"x"|{"a":1}|{"a":1,"b":"x"}|{"a":1,"c":{"d":"x"}}|{"z":1}|true|2.5|null"#,
        ),
        (
            r#"{"type":"object","properties":{"u":{"anyOf":[{"type":"boolean"},{"type":"number"},{"type":"array","items":{"type":"string"}},{"type":"object","connect.type":"map","additionalProperties":{"type":"string"}}]}}}"#,
            r#"{"u":true}|{"u":2.5}|{"u":["x"]}|{"u":{"k":"v"}}|{"u":"x"}|{"u":null}|{}"#,
        ),
        (
            r#"{"oneOf":[{"type":"null"},{"type":"string"},{"type":"integer"}]}"#,
            r#""x"|null|5"#,
        ),
        (
            r#"{"type":"object","properties":{"u":{"oneOf":[{"type":"null"},{"type":"string"},{"type":"integer"}]},"v":{"type":"integer"}}}"#,
            r#"{"u":null}|{"u":5,"v":1}|{}"#,
        ),
        (
            r#"{"enum":["a","b",null,1,2.50,true,{"x":1},[1,"y"]]}"#,
            r#""a"|null|1|"z""#,
        ),
        (
            r#"{"type":"string","enum":["a","b"],"title":"t"}"#,
            r#""a"|1"#,
        ),
        (r#"{"type":"integer","enum":[1,2]}"#, "1"),
        (r#"{"const":"c"}"#, r#""c"|"d""#),
        (r#"{"const":null}"#, "null"),
        (r#"{"type":"string","const":"c"}"#, r#""c""#),
        (r#"{"type":"integer","const":7}"#, "7"),
        (
            r#"{"allOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},{"type":"object","properties":{"b":{"type":"integer"}}}],"title":"t"}"#,
            r#"{"a":"x","b":1}|{"a":"x"}|{}"#,
        ),
        (
            r##"{"definitions":{"base":{"type":"object","properties":{"id":{"type":"integer"}}}},"allOf":[{"$ref":"#/definitions/base"},{"properties":{"x":{"type":"string"}}}]}"##,
            r#"{"id":1,"x":"y"}"#,
        ),
        (
            r#"{"allOf":[{"type":"string"},{"minLength":2}]}"#,
            r#""abc""#,
        ),
        (r#"{"allOf":[{"type":"integer"},{"minimum":2}]}"#, "5"),
        (
            r##"{"definitions":{"s":{"type":"string"}},"allOf":[{"$ref":"#/definitions/s"}]}"##,
            r#""x""#,
        ),
        (
            r#"{"allOf":[{"oneOf":[{"type":"null"},{"type":"string"}]},{"type":"string"}]}"#,
            r#""x"|null"#,
        ),
        (
            r##"{"definitions":{"address":{"type":"object","title":"address","properties":{"street":{"type":"string"}}}},"type":"object","properties":{"home":{"$ref":"#/definitions/address"},"work":{"$ref":"#/definitions/address"},"more":{"type":"array","items":{"$ref":"#/definitions/address"}}}}"##,
            r#"{"home":{"street":"a"},"work":{"street":"b"},"more":[{"street":"c"}]}|{"home":{"street":"a"}}"#,
        ),
        (
            r##"{"definitions":{"n":{"type":"integer","connect.type":"int32"}},"type":"object","properties":{"a":{"$ref":"#/definitions/n","connect.index":1},"b":{"$ref":"#/definitions/n","connect.index":0}}}"##,
            r#"{"a":1,"b":2}"#,
        ),
        (
            r##"{"type":"object","properties":{"a":{"$ref":"#/definitions/missing"}}}"##,
            "{}",
        ),
        (
            r#"{"type":"object","properties":{"a":{"type":"string","default":null}}}"#,
            "{}",
        ),
        (
            r#"{"type":"object","properties":{"a":{"type":"string","default":5}}}"#,
            "{}",
        ),
        (
            r#"{"type":"object","properties":{"a":{"type":"integer","default":"x"}}}"#,
            r#"{}|{"a":null}"#,
        ),
        (
            r#"{"type":"object","properties":{"l":{"type":"array","items":{"type":"integer"},"default":[1,2]}}}"#,
            "{}",
        ),
        (
            r#"{"type":"object","properties":{"":{"type":"string"}}}"#,
            "{}",
        ),
        (r#"{"type":"object","properties":{"a":true}}"#, "{}"),
        (r#"{"type":"object","properties":{"a":{}}}"#, "{}"),
        (r#"{"type":"object","properties":{}}"#, "{}|1"),
        (
            r#"{"type":"object","properties":{"m":{"type":"object","connect.type":"map","additionalProperties":{"oneOf":[{"type":"null"},{"type":"integer","connect.type":"int16"}]}}}}"#,
            r#"{"m":{"a":1,"b":null}}|{"m":[]}"#,
        ),
        (
            r#"{"type":"object","properties":{"x":{"type":"string","connect.type":"bytes"}}}"#,
            r#"{"x":"AQI="}|{"x":5}|{"x":true}"#,
        ),
        (r#"{"type":"object","title":5}"#, "{}"),
    ]
}

fn drafts() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            r##"{"$schema":"http://json-schema.org/draft-04/schema#","id":"http://x/y","definitions":{"d":{"type":"string"}},"type":"object","properties":{"a":{"$ref":"#/definitions/d"},"b":{"const":1,"type":"integer"}}}"##,
            r#"{"a":"x","b":1}"#,
        ),
        (
            r##"{"$schema":"http://json-schema.org/draft-06/schema#","$id":"http://x/y.json","definitions":{"d":{"$id":"#named","type":"string"}},"type":"object","properties":{"a":{"$ref":"#named"},"b":{"$ref":"#/definitions/d"}}}"##,
            r#"{"a":"x","b":"y"}"#,
        ),
        (
            r##"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"a":{"type":"string","readOnly":true}}}"##,
            r#"{"a":"x"}"#,
        ),
        (
            r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","$defs":{"d":{"type":"object","title":"d","properties":{"x":{"type":"integer"}}}},"type":"object","title":"root","properties":{"a":{"$ref":"#/$defs/d"},"c":{"oneOf":[{"type":"null"},{"type":"string"}]}},"required":["a"]}"##,
            r#"{"a":{"x":1},"c":"y"}"#,
        ),
        (
            r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"s":{"type":"string","format":"date","connect.index":1},"n":{"type":["integer","null"],"connect.index":0}}}"##,
            r#"{"s":"2020-01-01","n":null}"#,
        ),
        (
            r##"{"$schema":"https://json-schema.org/draft/2020-12/schema#","type":"string"}"##,
            r#""x""#,
        ),
    ]
}

fn referring() -> Vec<Case> {
    let case = |schema: &str, references: &[(&str, &str)], data: &str| Case::Read {
        config: Vec::new(),
        schema: schema.to_owned(),
        references: owned(references),
        data: data.to_owned(),
    };
    let other = r#"{"type":"object","title":"other","properties":{"x":{"type":"integer"}}}"#;
    let with_definitions = r#"{"definitions":{"d":{"type":"string"}}}"#;
    vec![
        case(
            r#"{"type":"object","properties":{"o":{"$ref":"other.json"}}}"#,
            &[("other.json", other)],
            r#"{"o":{"x":1}}"#,
        ),
        case(
            r#"{"$id":"http://x/root.json","type":"object","properties":{"o":{"$ref":"other.json"}}}"#,
            &[("other.json", other)],
            r#"{"o":{"x":1}}"#,
        ),
        case(
            r##"{"type":"object","properties":{"o":{"$ref":"defs.json#/definitions/d"}}}"##,
            &[("defs.json", with_definitions)],
            r#"{"o":"x"}"#,
        ),
        case(
            r#"{"type":"array","items":{"$ref":"http://elsewhere.example/other.json"}}"#,
            &[("http://elsewhere.example/other.json", other)],
            r#"[{"x":1}]"#,
        ),
    ]
}

/// Values under a schema that they fit or not.
pub(super) fn validated() -> Vec<Case> {
    let config = [("json.fail.invalid.schema", "true")];
    let schemas = [
        (
            r#"{"type":"object","properties":{"a":{"type":"integer","minimum":2,"maximum":9,"multipleOf":2},"s":{"type":"string","minLength":2,"maxLength":3,"pattern":"^[a-z]+$"}},"required":["a"],"additionalProperties":false}"#,
            r#"{"a":2}|{"a":1}|{"a":10}|{"a":3}|{"a":2.0}|{"a":"2"}|{}|{"a":2,"x":1}|{"a":2,"s":"ab"}|{"a":2,"s":"a"}|{"a":2,"s":"abcd"}|{"a":2,"s":"AB"}|[]|null"#,
        ),
        (
            r#"{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1}"#,
            "0.5|0|1|2",
        ),
        (
            r#"{"type":"array","items":{"type":"string","enum":["a","b"]},"minItems":1,"maxItems":2,"uniqueItems":true}"#,
            r#"["a"]|[]|["a","b"]|["a","a"]|["c"]|["a","b","a"]"#,
        ),
        (
            r#"{"oneOf":[{"type":"integer"},{"type":"number","minimum":5}]}"#,
            "1|5.5|7|1.5",
        ),
        (
            r#"{"anyOf":[{"type":"integer"},{"type":"string","maxLength":1}]}"#,
            r#"1|"a"|"ab""#,
        ),
        (
            r#"{"type":"object","properties":{"k":{"type":"string"}},"patternProperties":{"^n":{"type":"integer"}},"additionalProperties":{"type":"boolean"},"minProperties":1,"maxProperties":2}"#,
            r#"{"k":"x"}|{"n1":1}|{"n1":"x"}|{"z":true}|{"z":1}|{}|{"a":true,"b":true,"c":true}"#,
        ),
        (
            r#"{"type":"string","format":"date"}"#,
            r#""2020-02-29"|"2021-02-29"|"x""#,
        ),
        (
            r#"{"type":"string","format":"date-time"}"#,
            r#""2020-02-29T10:11:12Z"|"2020-02-29T10:11:12.5+02:00"|"2020-02-29""#,
        ),
        (
            r#"{"type":"string","format":"ipv4"}"#,
            r#""1.2.3.4"|"1.2.3""#,
        ),
        (r#"{"const":"x","type":"string"}"#, r#""x"|"y""#),
        (
            r#"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"dependencies":{"a":["b"]}}"#,
            r#"{"a":"x","b":"y"}|{"a":"x"}|{"b":"y"}"#,
        ),
        (
            r#"{"type":"object","properties":{"a":{"type":"integer"}},"if":{"required":["a"]},"then":{"maxProperties":1},"else":{"maxProperties":0}}"#,
            r#"{"a":1}|{}|{"a":1,"b":2}|{"b":2}"#,
        ),
    ];
    let mut cases = Vec::new();
    for (schema, data) in schemas {
        for data in data.split('|') {
            cases.push(read_as(&config, schema, data));
        }
    }
    let fields = SchemaBuilder::structure()
        .field("a", primitive(Type::Int32))
        .field("b", optional(Type::String))
        .build();
    let strict = [
        ("json.fail.invalid.schema", "true"),
        ("object.additional.properties", "false"),
    ];
    for values in [
        vec![1i32.into(), Value::Null],
        vec![1i32.into(), "x".into()],
    ] {
        cases.push(write(&strict, &fields, structure(&fields, values)));
    }
    cases
}
