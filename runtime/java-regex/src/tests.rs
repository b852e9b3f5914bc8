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

#[test]
fn mistakes_are_told_in_javas_words() {
    // As thrown by a JVM.
    for (expression, expected) in [
        ("(a", "Unclosed group near index 2\n(a"),
        ("(a|b", "Unclosed group near index 4\n(a|b"),
        ("(?<n>", "Unclosed group near index 5\n(?<n>"),
        ("*a", "Dangling meta character '*' near index 0\n*a\n^"),
        ("a+*", "Dangling meta character '*' near index 2\na+*\n  ^"),
        (
            "a?+?",
            "Dangling meta character '?' near index 3\na?+?\n   ^",
        ),
        ("(*a)", "Dangling meta character '*' near index 1\n(*a)\n ^"),
        ("a)", "Unmatched closing ')' near index 0\na)\n^"),
        ("(a))", "Unmatched closing ')' near index 2\n(a))\n  ^"),
        (")", "Unmatched closing ')'\n)"),
        ("😀)", "Unmatched closing ')' near index 0\n😀)\n^"),
        ("[a", "Unclosed character class near index 1\n[a\n ^"),
        ("[[a]", "Unclosed character class near index 3\n[[a]\n   ^"),
        ("[]a", "Unclosed character class near index 2\n[]a\n  ^"),
        ("a{", "Illegal repetition near index 2\na{"),
        ("ab{x", "Illegal repetition near index 3\nab{x\n   ^"),
        ("a{1,", "Unclosed counted closure near index 4\na{1,"),
        (
            "a{2,1}",
            "Illegal repetition range near index 5\na{2,1}\n     ^",
        ),
    ] {
        let error = Pattern::whole(expression).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.java_class(), "java.util.regex.PatternSyntaxException");
    }
}

#[test]
fn what_java_takes_is_no_mistake() {
    for expression in [
        "[]a]+",
        "[^]]",
        "[a[bc]]*",
        r"[\]a]",
        r"\p{Alpha}{2,}",
        "(?i:a)b",
        "(?-i)a",
        "^*a",
        "x]",
        "x}",
        "a{2}?",
        "(a|)+",
        "(?!a)(?=b)(?<!c)(?<=d)(?>e)(?<n>f)",
        "|",
        "a{0,3}+",
    ] {
        assert!(syntax::check(expression).is_ok(), "{expression}");
    }
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
