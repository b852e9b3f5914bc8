use super::*;

fn root(text: &str) -> Node {
    let document = load(&Text::from(text), &[], false).unwrap();
    document.node(document.root()).clone()
}

#[test]
fn keywords_of_several_types_are_combined() {
    let parts = |text| match root(text).kind {
        Kind::Combined(Criterion::All, parts) => parts.len(),
        _ => 1,
    };
    assert_eq!(parts(r#"{"type":"string","minLength":1}"#), 1);
    assert_eq!(parts(r#"{"type":"string","minimum":1}"#), 2);
    assert_eq!(parts(r#"{"type":"string","enum":["a"],"items":{}}"#), 3);
    assert_eq!(parts(r#"{"title":"t"}"#), 1);
}

#[test]
fn drafts_know_other_keywords() {
    let kind = |schema: &str| {
        let text = format!(r#"{{"$schema":"{schema}","const":1}}"#);
        root(&text).kind.class()
    };
    assert_eq!(
        kind("http://json-schema.org/draft-04/schema#"),
        "EmptySchema"
    );
    assert_eq!(
        kind("http://json-schema.org/draft-06/schema#"),
        "ConstSchema"
    );
    assert_eq!(kind("https://example.org/unknown"), "ConstSchema");
}

#[test]
fn references_of_one_address_have_one_target() {
    let text = r##"{"definitions":{"d":{"type":"object"}},
        "properties":{"a":{"$ref":"#/definitions/d"},"b":{"$ref":"#/definitions/d"}}}"##;
    let document = load(&Text::from(text), &[], false).unwrap();
    let Kind::Object(object) = &document.node(document.root()).kind else {
        panic!("no object");
    };
    let target = |name| match document.node(object.property(name).unwrap()).kind {
        Kind::Reference(target) => target.unwrap(),
        _ => panic!("no reference"),
    };
    assert_eq!(target("a"), target("b"));
}
