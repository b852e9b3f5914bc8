//! Which fields of records are written.

/// Which fields are written: all, those of a list, or all but those of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FieldFilter {
    /// All.
    All,
    /// Those of the list.
    Include(Vec<FieldName>),
    /// Those that are not in the list.
    Exclude(Vec<FieldName>),
}

/// The name of a field, of the records of all topics or of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldName {
    topic: Option<String>,
    field: String,
}

impl FieldFilter {
    /// Only these fields, whatever the topic; all if there are none.
    pub(crate) fn only(names: Vec<String>) -> Self {
        if names.is_empty() {
            return Self::All;
        }
        let names = names.into_iter();
        Self::Include(
            names
                .map(|field| FieldName { topic: None, field })
                .collect(),
        )
    }

    /// Reads `field` and `topic:field` with commas between them; what has more
    /// parts names nothing (`FieldFilterFactory.createFieldFilter`). A list of
    /// fields to leave out wins over one of fields to write.
    pub(crate) fn of_lists(include: &str, exclude: &str) -> Self {
        match (include, exclude) {
            ("", "") => Self::All,
            (include, "") => Self::Include(names(include)),
            (_, exclude) => Self::Exclude(names(exclude)),
        }
    }

    /// Whether a field of a topic's records is written.
    pub(crate) fn admits(&self, topic: &str, field: &str) -> bool {
        let listed = |names: &[FieldName]| names.iter().any(|name| name.is(topic, field));
        match self {
            Self::All => true,
            Self::Include(names) => listed(names),
            Self::Exclude(names) => !listed(names),
        }
    }

    /// Whether a field that is part of another one is written: either may be
    /// named.
    pub(crate) fn admits_part(&self, topic: &str, whole: &str, part: &str) -> bool {
        let (whole, part) = (self.admits(topic, whole), self.admits(topic, part));
        match self {
            Self::All | Self::Include(_) => whole || part,
            Self::Exclude(_) => whole && part,
        }
    }

    /// Whether fields of the same name are written for one topic and not for
    /// another.
    pub(crate) fn depends_on_topic(&self) -> bool {
        match self {
            Self::All => false,
            Self::Include(names) | Self::Exclude(names) => {
                names.iter().any(|name| name.topic.is_some())
            }
        }
    }
}

impl FieldName {
    fn is(&self, topic: &str, field: &str) -> bool {
        let of_topic = self.topic.as_ref().is_none_or(|own| own == topic.trim());
        of_topic && self.field == field.trim()
    }
}

fn names(list: &str) -> Vec<FieldName> {
    list.split(',').filter_map(name).collect()
}

fn name(entry: &str) -> Option<FieldName> {
    // As in Java, parts at the end that are empty are none.
    let mut parts = entry.trim().trim_end_matches(':').split(':').map(str::trim);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(field), None, None) => Some(FieldName {
            topic: None,
            field: field.to_owned(),
        }),
        (Some(topic), Some(field), None) => Some(FieldName {
            topic: Some(topic.to_owned()),
            field: field.to_owned(),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_name_fields_of_all_topics_or_of_one() {
        let filter = FieldFilter::of_lists("id, a.b:name ,x:y:z,c:", "");
        for (topic, field, admitted) in [
            ("t", "id", true),
            ("a.b", "name", true),
            ("t", "name", false),
            ("x", "y", false),
            ("t", "c", true),
        ] {
            assert_eq!(filter.admits(topic, field), admitted, "{topic}:{field}");
        }
        assert!(filter.depends_on_topic());
        let filter = FieldFilter::of_lists("id", "secret");
        assert!(filter.admits("t", "name"));
        assert!(!filter.admits("t", "secret"));
        assert!(!filter.depends_on_topic());
        assert_eq!(FieldFilter::of_lists("", ""), FieldFilter::All);
    }

    #[test]
    fn parts_of_fields_are_named_themselves_or_by_the_whole() {
        let filter = FieldFilter::of_lists("a,b_x", "");
        let admitted = |whole, part| filter.admits_part("t", whole, part);
        assert!(admitted("a", "a_x") && admitted("b", "b_x") && !admitted("b", "b_y"));
        let filter = FieldFilter::of_lists("", "a,b_x");
        let admitted = |whole, part| filter.admits_part("t", whole, part);
        assert!(!admitted("a", "a_x") && !admitted("b", "b_x") && admitted("b", "b_y"));
    }

    #[test]
    fn no_names_are_all_fields() {
        assert_eq!(FieldFilter::only(Vec::new()), FieldFilter::All);
        let filter = FieldFilter::only(vec!["a".to_owned()]);
        assert!(filter.admits("t", "a") && !filter.admits("t", "b"));
    }
}
