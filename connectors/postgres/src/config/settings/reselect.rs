//! Columns that are read anew for events
//! (`io.debezium.processors.reselect.ReselectColumnsPostProcessor`).

use tether_api::config::{ConfigMap, with_prefix};

use crate::config::fields;
use crate::config::reader::Reader;
use crate::config::regex_list::NameFilter;

/// The class, the only post processor there is.
const CLASS: &str = "io.debezium.processors.reselect.ReselectColumnsPostProcessor";

const TYPE: &str = "type";
const INCLUDE: &str = "reselect.columns.include.list";
const EXCLUDE: &str = "reselect.columns.exclude.list";
const UNAVAILABLE: &str = "reselect.unavailable.values";
const NULLS: &str = "reselect.null.values";
const BY_EVENT_KEY: &str = "reselect.use.event.key";
const ERRORS: &str = "reselect.error.handling.mode";

/// Which columns are read anew, and how.
#[derive(Debug, Clone)]
pub struct ReselectSettings {
    /// Which columns, as `schema.table:column`.
    pub columns: NameFilter,
    /// Whether those are that have not been sent as they did not change.
    pub unavailable: bool,
    /// Whether those are that are null.
    pub nulls: bool,
    /// Whether the row is found by the key of the event and not by the
    /// table's own.
    pub by_event_key: bool,
    /// Whether an event fails whose row cannot be read or is gone.
    pub fails: bool,
}

/// A post processor as a configuration names it.
struct Named<'a> {
    name: &'a str,
    options: ConfigMap,
}

fn named(config: &ConfigMap) -> Vec<Named<'_>> {
    let names = Reader(config).list(&fields::POST_PROCESSORS);
    let names = names.into_iter().filter(|name| !name.is_empty());
    names
        .map(|name| {
            let prefix = format!("{}.{name}.", fields::POST_PROCESSORS.name);
            let options = with_prefix(config, &prefix);
            let options = match options.is_empty() {
                // As it was written before Debezium 3.2.
                true => with_prefix(config, &format!("{name}.")),
                false => options,
            };
            Named { name, options }
        })
        .collect()
}

/// What is wrong with the post processors that a configuration names.
pub(in crate::config) fn mistakes(config: &ConfigMap) -> Vec<String> {
    let mistake = |named: &Named<'_>| {
        let name = named.name;
        let Some(class) = named.options.get(TYPE) else {
            return Some(format!(
                "Post processor '{name}' is missing '{name}.type' and/or '{name}.<option>' \
                 configurations"
            ));
        };
        if class.trim() != CLASS {
            return Some(format!(
                "{class} needs a Java class, which cannot be had here"
            ));
        }
        let error = columns(&named.options).err()?;
        Some(format!("The columns of '{name}' are invalid: {error}"))
    };
    named(config).iter().filter_map(mistake).collect()
}

fn columns(options: &ConfigMap) -> Result<NameFilter, tether_java_regex::Error> {
    let list = |key| options.get(key).map(String::as_str);
    NameFilter::new(list(INCLUDE), list(EXCLUDE))
}

impl ReselectSettings {
    /// Reads those of all post processors, in order.
    ///
    /// # Errors
    /// An expression for columns is wrong.
    pub(super) fn read(config: &ConfigMap) -> Result<Vec<Self>, tether_java_regex::Error> {
        let settings = |named: Named<'_>| {
            let options = named.options;
            let flag = |key, default| match options.get(key).map(|text| text.trim()) {
                Some(text) if text.eq_ignore_ascii_case("true") => true,
                Some(text) if text.eq_ignore_ascii_case("false") => false,
                _ => default,
            };
            let errors = options.get(ERRORS).map(|text| text.trim());
            Ok(Self {
                columns: columns(&options)?,
                unavailable: flag(UNAVAILABLE, true),
                nulls: flag(NULLS, true),
                by_event_key: flag(BY_EVENT_KEY, false),
                fails: errors.is_some_and(|mode| mode.eq_ignore_ascii_case("fail")),
            })
        };
        named(config).into_iter().map(settings).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(entries: &[(&str, &str)]) -> ConfigMap {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        entries.iter().map(owned).collect()
    }

    #[test]
    fn both_ways_to_write_options_are_read() -> Result<(), tether_java_regex::Error> {
        let read = ReselectSettings::read(&config(&[
            ("post.processors", "a, b"),
            ("a.type", CLASS),
            ("a.reselect.null.values", "false"),
            ("post.processors.b.type", CLASS),
            (
                "post.processors.b.reselect.columns.include.list",
                "public.*:name",
            ),
            ("post.processors.b.reselect.error.handling.mode", "FAIL"),
            ("b.reselect.use.event.key", "true"),
        ]))?;
        let [first, second] = read.as_slice() else {
            panic!("{read:?}");
        };
        assert!(!first.nulls && first.unavailable && !first.fails);
        assert!(second.nulls && second.fails && !second.by_event_key);
        assert!(second.columns.includes("public.T:NAME"));
        assert!(!second.columns.includes("public.t:id"));
        Ok(())
    }

    #[test]
    fn mistakes_are_told() {
        let all = mistakes(&config(&[
            ("post.processors", "a,b,c,d"),
            ("a.type", CLASS),
            ("b.type", "com.example.Mine"),
            ("d.type", CLASS),
            ("d.reselect.columns.exclude.list", "("),
        ]));
        assert_eq!(all.len(), 3, "{all:?}");
        assert!(all[0].starts_with("com.example.Mine"));
        assert!(all[1].contains("'c' is missing 'c.type'"));
        assert!(all[2].contains("'d'"));
    }
}
