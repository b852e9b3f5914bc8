//! Things to warn of.

/// How many names a message has at most.
const MOST_NAMES: usize = 10;

/// Something to warn of, and the key that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) key: &'static str,
    pub(super) message: String,
}

impl Finding {
    pub(super) fn new(key: &'static str, message: impl Into<String>) -> Self {
        Self {
            key,
            message: message.into(),
        }
    }

    /// Something that is so for each of these; nothing if there are none.
    pub(super) fn of_each(key: &'static str, message: &str, names: &[String]) -> Option<Self> {
        if names.is_empty() {
            return None;
        }
        let shown = names.len().min(MOST_NAMES);
        let mut list = names[..shown].join(", ");
        if let more @ 1.. = names.len() - shown {
            list.push_str(&format!(" and {more} more"));
        }
        Some(Self::new(key, format!("{message}: {list}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..12).map(|number| format!("t{number}")).collect();
        let message =
            |names: &[String]| Finding::of_each("k", "x", names).map(|found| found.message);
        assert_eq!(message(&[]), None);
        assert_eq!(message(&names[..2]).as_deref(), Some("x: t0, t1"));
        let cut = "x: t0, t1, t2, t3, t4, t5, t6, t7, t8, t9 and 2 more";
        assert_eq!(message(&names).as_deref(), Some(cut));
    }
}
