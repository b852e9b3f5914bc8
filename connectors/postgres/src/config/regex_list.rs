//! Lists of regular expressions.

use tether_java_regex::{Error, Pattern};

/// Regular expressions of Java's dialect with commas between them, each of
/// which has to match a whole name; the case of letters does not count. A comma
/// within an expression is written `\,`.
#[derive(Debug, Clone)]
pub struct RegexList(Vec<Pattern>);

impl RegexList {
    /// Reads a list.
    ///
    /// # Errors
    /// An expression is wrong.
    pub fn parse(text: &str) -> Result<Self, Error> {
        split(text)
            .iter()
            .map(|expression| Pattern::whole_ignoring_case(expression))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether any expression matches.
    pub fn matches(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Which expression is the first to match.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|pattern| pattern.matches(name))
    }

    /// How many expressions there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none; such a list matches nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The expressions of a list: parts between commas that no backslash precedes,
/// without blanks around them and with `\,` made a comma.
pub(super) fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let Some(part) = parts.last_mut() else { break };
        match c {
            ',' => parts.push(String::new()),
            '\\' => {
                part.push(c);
                part.extend(chars.next());
            }
            c => part.push(c),
        }
    }
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(|part| part.trim().replace("\\,", ","))
        .collect()
}

/// Which names count: those of a list, or all but those of a list.
#[derive(Debug, Clone, Default)]
pub enum NameFilter {
    /// All.
    #[default]
    All,
    /// Those that match.
    Include(RegexList),
    /// Those that do not.
    Exclude(RegexList),
}

impl NameFilter {
    /// The filter of two lists, of which the first counts. A blank list is as
    /// good as none.
    ///
    /// # Errors
    /// An expression is wrong.
    pub fn new(include: Option<&str>, exclude: Option<&str>) -> Result<Self, Error> {
        let given = |list: Option<&str>| {
            list.filter(|list| !list.trim().is_empty())
                .map(RegexList::parse)
                .transpose()
        };
        Ok(match (given(include)?, given(exclude)?) {
            (Some(list), _) => Self::Include(list),
            (None, Some(list)) => Self::Exclude(list),
            (None, None) => Self::All,
        })
    }

    /// Whether a name counts.
    pub fn includes(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Include(list) => list.matches(name),
            Self::Exclude(list) => !list.matches(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> RegexList {
        RegexList::parse(text).unwrap()
    }

    #[test]
    fn names_match_as_a_whole_in_any_case() {
        let tables = list("inv.ri_.* , PUBLIC.(?!tmp).*");
        assert!(tables.matches("inv.ri_full"));
        assert!(tables.matches("Inv.RI_x"));
        assert!(tables.matches("public.users"));
        assert!(!tables.matches("public.tmp_users"));
        assert!(!tables.matches("xinv.ri_full"));
        assert_eq!(tables.position("public.a"), Some(1));
    }

    #[test]
    fn commas_can_be_escaped() {
        assert_eq!(split(r"a\,b,c{1\,2}, ,d,"), ["a,b", "c{1,2}", "", "d"]);
        assert!(list(r"x{1\,2}").matches("xx"));
    }

    #[test]
    fn a_blank_list_is_none() {
        let filter = NameFilter::new(Some(" "), Some("b.*")).unwrap();
        assert!(filter.includes("a"));
        assert!(!filter.includes("bc"));
        let filter = NameFilter::new(Some("a"), Some("a")).unwrap();
        assert!(filter.includes("A"));
    }
}
