//! Settings of the topics that a source connector's records create
//! (`SourceConnectorConfig`, `TopicCreationGroup`, KIP-158; spec section 5.5).

use tether_api::config::{
    ConfigData, ConfigDef, ConfigKey, ConfigMap, ConfigType, ParsedConfig, Validator, with_prefix,
};
use tether_api::{ConnectError, Result};
use tether_kafka::{NewTopic, TopicPattern};

const PREFIX: &str = "topic.creation.";
const GROUPS: &str = "topic.creation.groups";

/// The group of topics that no other group wants. It is always there.
const DEFAULT: &str = "default";

const INCLUDE: &str = "include";
const EXCLUDE: &str = "exclude";
const REPLICATION_FACTOR: &str = "replication.factor";
const PARTITIONS: &str = "partitions";

/// The groups of a connector, in the order in which they are tried.
#[derive(Debug)]
pub(crate) struct TopicCreation {
    groups: Vec<Group>,
    default: Settings,
}

/// The topics that a group wants, and what they are like.
#[derive(Debug)]
struct Group {
    include: TopicPattern,
    exclude: TopicPattern,
    settings: Settings,
}

/// What new topics of a group are like.
#[derive(Debug)]
struct Settings {
    group: String,
    partitions: i32,
    replication_factor: i16,
    config: ConfigMap,
}

impl TopicCreation {
    /// The groups that a connector's configuration defines; none if it has no
    /// key of topic creation, which leaves topics to the brokers. `enabled` is
    /// the worker's `topic.creation.enable`.
    ///
    /// # Errors
    /// Config, in the reference's words. As there, the validation of a
    /// configuration does not look at groups: they are read when the connector
    /// or a task starts.
    pub(crate) fn new(connector: &ConfigMap, enabled: bool) -> Result<Option<Self>> {
        if !enabled || !connector.keys().any(|key| key.starts_with(PREFIX)) {
            return Ok(None);
        }
        let parsed = with_default_group().parse(connector)?;
        let mut names = parsed.list(GROUPS)?;
        let listed = names.len();
        names.retain(|name| name != DEFAULT);
        if names.len() < listed {
            tracing::warn!(
                "'{DEFAULT}' topic creation group always exists and does not need to be listed explicitly"
            );
        }
        let default = Settings::new(DEFAULT, connector, &parsed)?;
        let mut definition = ConfigDef::new();
        for name in &names {
            definition.embed(&prefix(name), name, 0, &group_keys(&default));
        }
        let parsed = definition.parse(connector)?;
        let groups = names
            .iter()
            .map(|name| Group::new(name, connector, &parsed))
            .collect::<Result<_>>()?;
        Ok(Some(Self { groups, default }))
    }

    /// The topic of this name as the first group that wants it has it, and the
    /// name of the group.
    pub(crate) fn describe(&self, topic: &str) -> (NewTopic, &str) {
        let settings = self
            .groups
            .iter()
            .find(|group| group.include.matches(topic) && !group.exclude.matches(topic))
            .map_or(&self.default, |group| &group.settings);
        let new = NewTopic {
            name: topic.to_owned(),
            partitions: settings.partitions,
            replication_factor: settings.replication_factor,
            config: settings.config.clone().into_iter().collect(),
        };
        (new, &settings.group)
    }
}

impl Group {
    fn new(name: &str, connector: &ConfigMap, parsed: &ParsedConfig) -> Result<Self> {
        let pattern = |key| {
            let key = format!("{}{key}", prefix(name));
            // Without any, nothing but the empty text matches.
            let expressions = parsed.list(&key)?.join("|");
            TopicPattern::new(&expressions).map_err(|error| {
                ConnectError::config(format!(
                    "Invalid value {expressions} for configuration {key}: {error}"
                ))
            })
        };
        Ok(Self {
            include: pattern(INCLUDE)?,
            exclude: pattern(EXCLUDE)?,
            settings: Settings::new(name, connector, parsed)?,
        })
    }
}

impl Settings {
    fn new(group: &str, connector: &ConfigMap, parsed: &ParsedConfig) -> Result<Self> {
        let prefix = prefix(group);
        let mut config = with_prefix(connector, &prefix);
        let own = [INCLUDE, EXCLUDE, REPLICATION_FACTOR, PARTITIONS];
        config.retain(|key, _| !own.contains(&key.as_str()));
        Ok(Self {
            group: group.to_owned(),
            partitions: parsed.int(&format!("{prefix}{PARTITIONS}"))?,
            replication_factor: parsed.short(&format!("{prefix}{REPLICATION_FACTOR}"))?,
            config,
        })
    }
}

fn prefix(group: &str) -> String {
    format!("{PREFIX}{group}.")
}

/// The names of the groups, and the keys of the default group. Patterns of that
/// one are not looked at: it gets what the others leave.
fn with_default_group() -> ConfigDef {
    let groups = ConfigKey::new(GROUPS, ConfigType::List).default_list(&[]);
    let mut definition = ConfigDef::new().define(groups);
    let own = ConfigDef::new()
        .define(replication_factor())
        .define(partitions());
    definition.embed(&prefix(DEFAULT), DEFAULT, 0, &own);
    definition
}

/// The keys of a group, which has from the default group what it does not say.
fn group_keys(default: &Settings) -> ConfigDef {
    ConfigDef::new()
        .define(expressions(INCLUDE, 1))
        .define(expressions(EXCLUDE, 2))
        .define(replication_factor().default(ConfigData::Short(default.replication_factor)))
        .define(partitions().default_int(default.partitions))
}

fn replication_factor() -> ConfigKey {
    ConfigKey {
        order: 3,
        ..ConfigKey::new(REPLICATION_FACTOR, ConfigType::Short).validator(positive(
            "Replication factor must be positive and not larger than the number of brokers in the Kafka \
             cluster, or -1 to use the broker's default",
        ))
    }
}

fn partitions() -> ConfigKey {
    ConfigKey {
        order: 4,
        ..ConfigKey::new(PARTITIONS, ConfigType::Int).validator(positive(
            "Number of partitions must be positive, or -1 to use the broker's default",
        ))
    }
}

/// A number that is positive, or -1.
fn positive(otherwise: &'static str) -> Validator {
    Validator::custom("positive, or -1", move |_, value| match value.number() {
        Some(number) if number < 1.0 && number != -1.0 => Err(otherwise.to_owned()),
        _ => Ok(()),
    })
}

/// A list of regular expressions.
fn expressions(name: &'static str, order: i32) -> ConfigKey {
    let rule = |_: &str, value: &ConfigData| match value {
        ConfigData::List(expressions) => expressions
            .iter()
            .try_for_each(|expression| TopicPattern::new(expression).map(drop))
            .map_err(|error| format!("Syntax error in regular expression: {error}")),
        _ => Ok(()),
    };
    ConfigKey {
        order,
        ..ConfigKey::new(name, ConfigType::List)
            .default_list(&[])
            .validator(Validator::custom("regular expressions", rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, &str)]) -> ConfigMap {
        let defaults = [
            ("topic.creation.default.replication.factor", "1"),
            ("topic.creation.default.partitions", "2"),
        ];
        defaults
            .iter()
            .chain(entries)
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn creation(entries: &[(&str, &str)]) -> TopicCreation {
        TopicCreation::new(&map(entries), true).unwrap().unwrap()
    }

    fn refused(config: &ConfigMap) -> String {
        let error = TopicCreation::new(config, true).unwrap_err();
        error.message().to_owned()
    }

    #[test]
    fn the_first_group_that_wants_a_topic_describes_it() {
        let creation = creation(&[
            ("topic.creation.groups", "none, logs, default, rest"),
            ("topic.creation.none.partitions", "9"),
            ("topic.creation.logs.include", "log\\..*, audit"),
            ("topic.creation.logs.exclude", "log\\.old.*"),
            ("topic.creation.logs.cleanup.policy", "compact"),
            ("topic.creation.logs.partitions", "-1"),
            ("topic.creation.rest.include", "[a-z.]+"),
            ("topic.creation.rest.replication.factor", "3"),
            ("topic.creation.default.include", "("),
            ("topic.creation.default.retention.ms", "5"),
        ]);
        let describe = |topic| {
            let (new, group) = creation.describe(topic);
            let config: Vec<_> = new.config.into_iter().collect();
            (
                group.to_owned(),
                new.partitions,
                new.replication_factor,
                config,
            )
        };
        let compact = vec![("cleanup.policy".to_owned(), "compact".to_owned())];
        assert_eq!(describe("log.a"), ("logs".to_owned(), -1, 1, compact));
        assert_eq!(describe("audit").0, "logs");
        assert_eq!(describe("log.old1").0, "default");
        assert_eq!(
            describe("audits"),
            ("rest".to_owned(), 2, 3, Vec::new()),
            "the whole name has to match"
        );
        let retention = vec![("retention.ms".to_owned(), "5".to_owned())];
        assert_eq!(describe("A"), ("default".to_owned(), 2, 1, retention));
    }

    #[test]
    fn without_keys_or_leave_there_is_none() {
        assert!(
            TopicCreation::new(&ConfigMap::new(), true)
                .unwrap()
                .is_none()
        );
        let wrong: ConfigMap = [("topic.creation.x".to_owned(), String::new())].into();
        assert!(TopicCreation::new(&wrong, false).unwrap().is_none());
        assert_eq!(
            refused(&wrong),
            "Missing required configuration \"topic.creation.default.replication.factor\" which has no \
             default value."
        );
    }

    #[test]
    fn mistakes_are_told_in_the_references_words() {
        for (key, value, message) in [
            (
                "topic.creation.default.replication.factor",
                "0",
                "Invalid value 0 for configuration replication.factor: Replication factor must be positive \
                 and not larger than the number of brokers in the Kafka cluster, or -1 to use the broker's \
                 default",
            ),
            (
                "topic.creation.default.partitions",
                "x",
                "Invalid value x for configuration topic.creation.default.partitions: Not a number of type INT",
            ),
            (
                "topic.creation.g.partitions",
                "-2",
                "Invalid value -2 for configuration partitions: Number of partitions must be positive, or -1 \
                 to use the broker's default",
            ),
            (
                "topic.creation.g.replication.factor",
                "40000",
                "Invalid value 40000 for configuration topic.creation.g.replication.factor: Not a number of \
                 type SHORT",
            ),
        ] {
            let config = map(&[("topic.creation.groups", "g"), (key, value)]);
            assert_eq!(refused(&config), message);
        }
        let config = map(&[
            ("topic.creation.groups", "g"),
            ("topic.creation.g.exclude", "a,["),
        ]);
        let message = refused(&config);
        assert!(
            message.starts_with(
                "Invalid value [a, [] for configuration exclude: Syntax error in regular expression: "
            ),
            "{message}"
        );
    }
}
