//! Which events and fields are concerned (`include.list`, `exclude.list`).

use std::collections::{HashMap, HashSet};

use tether_api::{ConnectError, Result};
use tether_java_regex::Pattern;

use crate::settings::{Settings, list, split};

pub(super) const INCLUDE: &str = "include.list";
pub(super) const EXCLUDE: &str = "exclude.list";

const SOURCE: &str = "source";
const TOPIC: &str = "topic";

/// What a list has to look like as Java prints it.
const FORM: &str = r#"\[(source|topic|[".\w\s_]+):([".\w\s_]+(?::[".\w\s_]+)?(?:,|\]))+"#;

type Fields = HashMap<String, HashSet<String>>;

/// The fields that rules name for topics, for tables, and for either.
#[derive(Default)]
pub(super) struct Rules {
    kind: Kind,
    topics: Fields,
    tables: Fields,
    either: Fields,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Kind {
    #[default]
    None,
    Include,
    Exclude,
}

/// Which fields of an event are converted.
#[derive(Debug, PartialEq)]
pub(super) enum Selection<'a> {
    Nothing,
    All,
    Only(&'a HashSet<String>),
    AllBut(&'a HashSet<String>),
}

impl Rules {
    /// Reads both lists. The order of checks is the reference's: their forms
    /// come before the zone, that both are given after it.
    ///
    /// # Errors
    /// Other, if a list has the wrong form.
    pub(super) fn new(settings: &Settings<'_>) -> Result<Self> {
        let (include, exclude) = (items(settings, INCLUDE), items(settings, EXCLUDE));
        let mut rules = Self::default();
        if !include.is_empty() {
            check("include", &include)?;
            rules.kind = Kind::Include;
        } else if !exclude.is_empty() {
            check("exclude", &exclude)?;
            rules.kind = Kind::Exclude;
        }
        // A prefix counts for the items after it too.
        let mut prefix = None;
        for item in if exclude.is_empty() { include } else { exclude } {
            let parts = split(item, ':');
            let is_prefix =
                |word: &str| word.eq_ignore_ascii_case(SOURCE) || word.eq_ignore_ascii_case(TOPIC);
            let (name, field) = match parts.as_slice() {
                [name] => (*name, None),
                [first, name, rest @ ..] if rest.len() < 2 && is_prefix(first) => {
                    prefix = Some(*first);
                    (*name, rest.first().copied())
                }
                [name, field, rest @ ..] if rest.len() < 2 => (*name, Some(*field)),
                _ => continue,
            };
            let fields = match prefix {
                Some(TOPIC) => &mut rules.topics,
                Some(SOURCE) => &mut rules.tables,
                _ => &mut rules.either,
            };
            let fields = fields.entry(name.to_owned()).or_default();
            fields.extend(field.map(str::to_owned));
        }
        Ok(rules)
    }

    /// Refuses both lists together.
    ///
    /// # Errors
    /// Other, if both are given.
    pub(super) fn check_one(settings: &Settings<'_>) -> Result<()> {
        if items(settings, INCLUDE).is_empty() || items(settings, EXCLUDE).is_empty() {
            return Ok(());
        }
        Err(failure(
            "Both include and exclude lists are specified. Please specify only one.",
        ))
    }

    /// What is converted in events of a table in a topic.
    pub(super) fn select(&self, topic: &str, table: Option<&str>) -> Selection<'_> {
        let by_table = |fields: &'_ Fields| table.is_some_and(|table| fields.contains_key(table));
        let fields = if let Some(fields) = self.topics.get(topic) {
            Some(fields)
        } else if by_table(&self.tables) {
            self.tables.get(table.unwrap_or_default())
        } else if let Some(fields) = self.either.get(topic) {
            Some(fields)
        } else {
            table.and_then(|table| self.either.get(table))
        };
        match (self.kind, fields) {
            (Kind::None, _) | (Kind::Exclude, None) => Selection::All,
            (Kind::Include, None) => Selection::Nothing,
            (Kind::Include, Some(fields)) if fields.is_empty() => Selection::All,
            (Kind::Include, Some(fields)) => Selection::Only(fields),
            (Kind::Exclude, Some(fields)) if fields.is_empty() => Selection::Nothing,
            (Kind::Exclude, Some(fields)) => Selection::AllBut(fields),
        }
    }
}

fn items<'a>(settings: &Settings<'a>, name: &str) -> Vec<&'a str> {
    settings.text(name).map(list).unwrap_or_default()
}

fn failure(message: impl Into<String>) -> ConnectError {
    ConnectError::other(message).with_class("io.debezium.DebeziumException")
}

fn check(which: &str, items: &[&str]) -> Result<()> {
    let printed = format!("[{}]", items.join(", "));
    let form = Pattern::whole(FORM).map_err(|error| ConnectError::other(error.to_string()))?;
    if form.matches(&printed) {
        return Ok(());
    }
    Err(failure(format!(
        "Invalid {which} list format. Please specify a list of rules in the format of \
         \"source:<tablename>:<fieldnames>\", \"topic:<topicname>:<fieldnames>\", \
         \"<matchname>:<fieldnames>\""
    )))
}

/// Why a list holds what is no regular expression, if it does.
pub(super) fn no_regex(settings: &Settings<'_>, name: &str) -> Option<String> {
    let items = split(settings.text(name)?, ',').into_iter();
    let mut errors = items.filter_map(|item| Pattern::whole_ignoring_case(item).err());
    errors.next().map(|error| {
        format!("A comma-separated list of valid regular expressions is expected, but {error}")
    })
}
