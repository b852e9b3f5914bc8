//! Lists of pairs with a colon between them, as `renames` and `spec` have.

/// The parts of a mapping between its colons. As in Java's `String.split`,
/// empty ones at the end do not count.
pub(crate) fn split(mapping: &str) -> Vec<&str> {
    if mapping.is_empty() {
        return vec![""];
    }
    mapping.trim_end_matches(':').split(':').collect()
}

/// The reference's message for a mapping that has not two parts. It names the
/// key `renames` for every transformation.
pub(crate) fn invalid(mappings: &[String], mapping: &str) -> String {
    format!(
        "Invalid value [{}] for configuration renames: Invalid rename mapping: {mapping}",
        mappings.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_parts_at_the_end_do_not_count() {
        assert_eq!(split("a:b"), ["a", "b"]);
        assert_eq!(split("a:"), ["a"]);
        assert_eq!(split(":b"), ["", "b"]);
        assert_eq!(split("a::b"), ["a", "", "b"]);
        assert_eq!(split(""), [""]);
    }
}
