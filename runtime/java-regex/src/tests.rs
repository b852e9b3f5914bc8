use proptest::prelude::*;

use super::*;

fn matches(expression: &str, text: &str) -> bool {
    Pattern::whole(expression).unwrap().matches(text)
}

fn replaced(expression: &str, text: &str, replacement: &str) -> Result<String, String> {
    let pattern = Pattern::anywhere(expression).unwrap();
    pattern
        .replace_first(text, replacement)
        .map_err(|error| error.to_string())
}

#[test]
fn the_whole_text_has_to_match() {
    assert!(matches("a.*", "abc"));
    assert!(!matches("b", "abc"));
    assert!(!matches("a|b", "ab"));
    assert!(!matches("^a", "ab"));
    assert!(matches("(?i)USERS-\\d+", "users-12"));
    assert!(matches("(?!__).*", "users"));
    assert!(!matches("(?!__).*", "__consumer_offsets"));
}

#[test]
fn java_only_syntax_is_understood() {
    assert!(matches(r"\Qa.b\E.*", "a.b-c"));
    assert!(!matches(r"\Qa.b\E.*", "axb-c"));
    assert!(matches(r"\Qa.b", "a.b"));
    assert!(matches(r"\p{Alpha}+\P{Alpha}", "abc1"));
    assert!(matches(r"[\p{Digit}x]+", "12x"));
    assert!(!matches(r"\\Q", "Q"));
}

#[test]
fn exploding_expressions_end() {
    assert!(!matches(r"(a+)+(?=b)\1c", &"a".repeat(249)));
}

#[test]
fn the_first_match_is_replaced() {
    let ok = |text: &str| Ok(text.to_owned());
    assert_eq!(replaced("(a)(b)?", "xabab", "<$1$2>"), ok("x<ab>ab"));
    assert_eq!(replaced("(a)", "a", "$12"), ok("a2"));
    assert_eq!(replaced("(?<n>a)", "a", "${n}${n}"), ok("aa"));
    assert_eq!(replaced("a", "a", r"\$1\\"), ok(r"$1\"));
    assert_eq!(replaced("(a)|(b)", "a", "$2-"), ok("-"));
    assert_eq!(replaced("z", "a", "$9"), ok("a"));
}

#[test]
fn wrong_replacements_are_named() {
    let error = |replacement| replaced("a", "a", replacement).unwrap_err();
    assert_eq!(error("$1"), "No group 1");
    assert_eq!(error("$x"), "Illegal group reference");
    assert_eq!(
        error("$"),
        "Illegal group reference: group index is missing"
    );
    assert_eq!(error("\\"), "character to be escaped is missing");
    assert_eq!(error("${n}"), "No group with name {n}");
}

proptest! {
    #[test]
    fn any_text_compiles_or_fails(
        expression in ".{0,40}",
        text in "[a-z._-]{0,20}",
        replacement in "[$\\\\a0-9{}é]{0,8}",
    ) {
        if let Ok(pattern) = Pattern::anywhere(&expression) {
            let _ = pattern.replace_first(&text, &replacement);
        }
    }

    #[test]
    fn quoted_text_matches_itself(text in "[a-zA-Z0-9._-]{1,40}") {
        let expression = format!(r"\Q{text}\E");
        prop_assert!(matches(&expression, &text));
    }
}
