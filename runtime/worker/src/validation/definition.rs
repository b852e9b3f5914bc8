//! The keys that the framework gives to every connector (`ConnectorConfig`,
//! `SourceConnectorConfig`, `SinkConnectorConfig`).

use std::sync::Arc;

use tether_api::config::{
    ConfigData, ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Recommender, Validator,
    Width,
};
use tether_api::plugin::{PluginDescriptor, PluginKind};
use tether_java_regex::Pattern;

use crate::config::PluginConfig;
use crate::plugins::Plugins;
use crate::restart_policy;
use crate::source_dead_letters;

use ConfigType::{Boolean, Class, Int, List, Long, Short, String};
use Importance::{High, Low, Medium};

const COMMON: &str = "Common";
const TRANSFORMS: &str = "Transforms";
const PREDICATES: &str = "Predicates";
const ERRORS: &str = "Error Handling";
const TOPIC_CREATION: &str = "Topic Creation";
const EXACTLY_ONCE: &str = "Exactly Once Support";
const OFFSETS_TOPIC: &str = "offsets.topic";

/// The version of a plugin that tells none.
const UNDEFINED: &str = "undefined";

/// The converters that a connector gets which names none; REST shows them as
/// defaults (from 4.1 on).
#[derive(Clone)]
pub(crate) struct ConverterDefaults {
    pub key: PluginConfig,
    pub value: PluginConfig,
    pub header: PluginConfig,
}

/// What the framework's keys depend on.
pub(super) struct Surroundings<'a> {
    /// The connector.
    pub(super) connector: &'a PluginDescriptor,
    /// The worker's converters, which are the defaults of a connector that is
    /// validated.
    pub(super) converters: Option<&'a ConverterDefaults>,
    /// The connector's configuration.
    pub(super) config: &'a ConfigMap,
}

/// Keys of every source connector.
pub(super) fn source(plugins: &Arc<Plugins>, around: &Surroundings<'_>) -> ConfigDef {
    let mut definition = common(plugins, around)
        .define(
            ConfigKey::new("topic.creation.groups", List)
                .default_list(&[])
                .validator(unique_aliases("unique topic creation groups"))
                .importance(Low)
                .doc("Names of groups of settings for topics that the connector's records create.")
                .form(TOPIC_CREATION, 1, Width::Long, "Topic Creation Groups"),
        )
        .define(
            ConfigKey::new("exactly.once.support", String)
                .default_string("requested")
                .validator(Validator::OneOfIgnoreCase(&["REQUIRED", "REQUESTED"]))
                .doc("'required' refuses the connector unless worker and connector support exactly-once delivery.")
                .form(EXACTLY_ONCE, 2, Width::Short, "Exactly once support"),
        )
        .define(
            ConfigKey::new("transaction.boundary", String)
                .default_string("poll")
                .validator(Validator::OneOfIgnoreCase(&["INTERVAL", "POLL", "CONNECTOR"]))
                .doc("When transactions are committed: after each batch of records, after an interval, or when the connector says so.")
                .form(EXACTLY_ONCE, 3, Width::Short, "Transaction Boundary"),
        )
        .define(
            ConfigKey::new("transaction.boundary.interval.ms", Long)
                .default_null()
                .validator(Validator::custom("[0,...]", |key, value| match value {
                    ConfigData::Null => Ok(()),
                    _ => Validator::AtLeast(0).check(key, value),
                }))
                .importance(Low)
                .doc("The interval of transactions with transaction.boundary=interval; the worker's offset.flush.interval.ms if unset.")
                .form(EXACTLY_ONCE, 4, Width::Short, "Transaction boundary interval"),
        )
        .define(
            ConfigKey::new("offsets.storage.topic", String)
                .default_null()
                .validator(Validator::NonEmpty)
                .importance(Low)
                .doc("A topic of the connector's own for its offsets, in place of the worker's.")
                .form(OFFSETS_TOPIC, 1, Width::Long, "Offsets topic"),
        );
    extend(
        &mut definition,
        source_dead_letters::PREFIX,
        source_dead_letters::keys(ERRORS),
        around,
    );
    definition
}

/// Keys of every sink connector.
pub(super) fn sink(plugins: &Arc<Plugins>, around: &Surroundings<'_>) -> ConfigDef {
    common(plugins, around)
        .define(
            ConfigKey::new("topics", List)
                .default_list(&[])
                .importance(High)
                .doc("The topics to read, separated by commas.")
                .form(COMMON, 4, Width::Long, "Topics"),
        )
        .define(
            ConfigKey::new("topics.regex", String)
                .default_string("")
                .validator(Validator::custom("valid regex", |_, value| {
                    Pattern::whole(value.text().unwrap_or_default())
                        .map(drop)
                        .map_err(|error| format!("Invalid regex: {error}"))
                }))
                .importance(High)
                .doc("A regular expression in Java's dialect; every topic whose whole name matches is read. Give either this or topics.")
                .form(COMMON, 4, Width::Long, "Topics regex"),
        )
        .define(
            ConfigKey::new("errors.deadletterqueue.topic.name", String)
                .default_string("")
                .doc("The topic that gets records which the connector, its converters or transformations could not handle. None if blank.")
                .form(ERRORS, 6, Width::Medium, "Dead Letter Queue Topic Name"),
        )
        .define(
            ConfigKey::new("errors.deadletterqueue.topic.replication.factor", Short)
                .default(ConfigData::Short(3))
                .doc("The replication factor with which the dead letter queue is created if it does not exist.")
                .form(ERRORS, 7, Width::Medium, "Dead Letter Queue Topic Replication Factor"),
        )
        .define(
            ConfigKey::new("errors.deadletterqueue.context.headers.enable", Boolean)
                .default_boolean(false)
                .doc("Whether dead letters carry headers that tell what failed; their names start with __connect.errors.")
                .form(ERRORS, 8, Width::Medium, "Enable Error Context Headers"),
        )
}

fn common(plugins: &Arc<Plugins>, around: &Surroundings<'_>) -> ConfigDef {
    let mut definition = ConfigDef::new()
        .define(
            ConfigKey::new("name", String)
                .validator(Validator::NonEmptyWithoutControlChars)
                .importance(High)
                .doc("The connector's name, unique among all connectors of the group of workers.")
                .form(COMMON, 1, Width::Medium, "Connector name"),
        )
        .define(
            ConfigKey::new("connector.class", String)
                .importance(High)
                .doc("The connector's class name, or its alias: the simple class name with or without 'Connector'.")
                .form(COMMON, 2, Width::Long, "Connector class"),
        )
        .define(
            plugin_version("connector.plugin.version", Some(around.connector), Medium)
                .form(COMMON, 3, Width::Medium, "Connector version"),
        )
        .define(
            ConfigKey::new("tasks.max", Int)
                .default_int(1)
                .validator(Validator::AtLeast(1))
                .importance(High)
                .doc("The largest number of tasks that the connector may have.")
                .form(COMMON, 4, Width::Short, "Tasks max"),
        )
        .define(
            ConfigKey::new("tasks.max.enforce", Boolean)
                .default_boolean(true)
                .importance(Low)
                .doc("(Deprecated) Whether a connector fails that makes more tasks than tasks.max.")
                .form(COMMON, 5, Width::Short, "Enforce tasks max"),
        );
    let default = |of: fn(&ConverterDefaults) -> &PluginConfig| around.converters.map(of);
    let converters = [
        (
            "key",
            "Key",
            PluginKind::Converter,
            default(|all| &all.key),
            6,
        ),
        (
            "value",
            "Value",
            PluginKind::Converter,
            default(|all| &all.value),
            8,
        ),
        (
            "header",
            "Header",
            PluginKind::HeaderConverter,
            default(|all| &all.header),
            10,
        ),
    ];
    for (word, title, kind, default, order) in converters {
        let property = format!("{word}.converter");
        let class = around
            .config
            .get(&property)
            .or(default.map(|default| &default.class));
        let chosen = class
            .filter(|_| around.converters.is_some())
            .and_then(|class| plugins.find(&[kind], class.trim()));
        let label = format!("{title} converter version");
        let mut version = plugin_version(&format!("{property}.plugin.version"), chosen, Low).form(
            COMMON,
            order + 1,
            Width::Short,
            label,
        );
        if chosen.is_none() {
            version.recommender = Some(Recommender::visible_if(|_| false));
        }
        definition.add(converter(plugins, word, title, kind, default, order));
        definition.add(version);
    }
    let mut definition = definition
        .define(
            ConfigKey::new("transforms", List)
                .default_list(&[])
                .validator(unique_aliases("unique transformation aliases"))
                .importance(Low)
                .doc("Aliases of the transformations that records pass, in order.")
                .form(TRANSFORMS, 12, Width::Long, "Transforms"),
        )
        .define(
            ConfigKey::new("predicates", List)
                .default_list(&[])
                .validator(unique_aliases("unique predicate aliases"))
                .importance(Low)
                .doc("Aliases of the predicates that transformations refer to.")
                .form(PREDICATES, 13, Width::Long, "Predicates"),
        )
        .define(
            ConfigKey::new("config.action.reload", String)
                .default_string("restart")
                .validator(Validator::OneOf(&["none", "restart"]))
                .importance(Low)
                .doc("What to do when a config provider says that a value has changed: nothing, or restart the connector.")
                .form(COMMON, 14, Width::Medium, "Reload Action"),
        )
        .define(
            ConfigKey::new("errors.retry.timeout", Long)
                .default_long(0)
                .doc("How long a failed operation is repeated, in milliseconds; 0 is not at all, -1 without end.")
                .form(ERRORS, 1, Width::Medium, "Retry Timeout for Errors"),
        )
        .define(
            ConfigKey::new("errors.retry.delay.max.ms", Long)
                .default_long(60_000)
                .doc("The longest wait between two attempts, in milliseconds.")
                .form(ERRORS, 2, Width::Medium, "Maximum Delay Between Retries for Errors"),
        )
        .define(
            ConfigKey::new("errors.tolerance", String)
                .default_string("none")
                .validator(Validator::OneOf(&["none", "all"]))
                .doc("'none' fails the task at the first error, 'all' passes over records that cause errors.")
                .form(ERRORS, 3, Width::Short, "Error Tolerance"),
        )
        .define(
            ConfigKey::new("errors.log.enable", Boolean)
                .default_boolean(false)
                .doc("Whether errors that are tolerated are logged.")
                .form(ERRORS, 4, Width::Short, "Log Errors"),
        )
        .define(
            ConfigKey::new("errors.log.include.messages", Boolean)
                .default_boolean(false)
                .doc("Whether logged errors tell which record caused them.")
                .form(ERRORS, 5, Width::Short, "Log Error Details"),
        );
    extend(
        &mut definition,
        restart_policy::PREFIX,
        restart_policy::keys(ERRORS),
        around,
    );
    definition
}

/// Adds keys that the reference has not, for those who use any of them.
fn extend(
    definition: &mut ConfigDef,
    prefix: &str,
    keys: [ConfigKey; 2],
    around: &Surroundings<'_>,
) {
    if around.config.keys().any(|key| key.starts_with(prefix)) {
        for key in keys {
            definition.add(key);
        }
    }
}

/// The key for the version of a plugin (KIP-891). There is one version of each,
/// so it is the default, too.
pub(super) fn plugin_version(
    name: &str,
    plugin: Option<&PluginDescriptor>,
    importance: Importance,
) -> ConfigKey {
    let known = plugin
        .map(|plugin| plugin.version)
        .filter(|version| *version != UNDEFINED);
    let key = ConfigKey::new(name.to_owned(), String)
        .importance(importance)
        .doc("The version, or a range of versions, that the plugin must have (KIP-891).");
    match known {
        Some(version) => key
            .default_string(version)
            .recommender(Recommender::values(|_| vec![version.to_owned()])),
        None => key.default_null(),
    }
}

fn converter(
    plugins: &Arc<Plugins>,
    word: &str,
    title: &str,
    kind: PluginKind,
    default: Option<&PluginConfig>,
    order: i32,
) -> ConfigKey {
    let default = default.map_or(ConfigData::Null, |default| {
        let class = plugins
            .find(&[kind], &default.class)
            .map_or(default.class.as_str(), |found| found.class);
        ConfigData::Class(class.to_owned())
    });
    class_key(format!("{word}.converter"), plugins, kind)
        .default(default)
        .importance(Low)
        .doc(format!(
            "The class that turns {word}s into bytes and back; the worker's if unset."
        ))
        .form(
            COMMON,
            order,
            Width::Short,
            format!("{title} converter class"),
        )
}

/// A key for the class of a plugin of this kind.
pub(super) fn class_key(
    name: std::string::String,
    plugins: &Arc<Plugins>,
    kind: PluginKind,
) -> ConfigKey {
    let known = Arc::clone(plugins);
    let listed = Arc::clone(plugins);
    ConfigKey::new(name, Class)
        .classes(move |class| {
            known
                .find(&[kind], class)
                .map(|plugin| plugin.class.to_owned())
        })
        .recommender(Recommender::values(move |_| {
            let all = listed.all().iter();
            all.filter(|plugin| plugin.kind() == kind)
                .map(|plugin| plugin.class.to_owned())
                .collect()
        }))
}

fn unique_aliases(description: &'static str) -> Validator {
    Validator::custom(description, |_, value| {
        let ConfigData::List(aliases) = value else {
            return Err("entry must be non null".to_owned());
        };
        let mut sorted: Vec<_> = aliases.iter().collect();
        sorted.sort();
        sorted.dedup();
        if sorted.len() < aliases.len() {
            Err("Duplicate alias provided.".to_owned())
        } else {
            Ok(())
        }
    })
}

#[cfg(test)]
mod tests {
    use tether_api::config::ConfigValue;
    use tether_api::plugin::PluginFactory;

    use super::*;
    use crate::testing::{map, plugin, plugins};

    /// The values of the keys for dead letters of sources.
    fn source_dead_letters(
        factory: PluginFactory,
        define: fn(&Arc<Plugins>, &Surroundings<'_>) -> ConfigDef,
        config: &[(&str, &str)],
    ) -> Vec<ConfigValue> {
        let config = map(config);
        let around = Surroundings {
            connector: &plugin("t.Connector", factory),
            converters: None,
            config: &config,
        };
        let definition = define(&Arc::new(plugins(Vec::new())), &around);
        let mut values = definition.validate(&config);
        values.retain(|value| value.name.starts_with(source_dead_letters::PREFIX));
        values
    }

    fn of_source(config: &[(&str, &str)]) -> Vec<ConfigValue> {
        let factory = PluginFactory::Source(|| unreachable!("only validated"));
        source_dead_letters(factory, source, config)
    }

    const TOPIC: &str = "errors.source.deadletterqueue.topic.name";
    const FACTOR: &str = "errors.source.deadletterqueue.topic.replication.factor";

    #[test]
    fn dead_letters_of_sources_are_keys_where_one_is_set() {
        assert!(of_source(&[("errors.deadletterqueue.topic.name", "dlq")]).is_empty());
        let shown = |config: &[(&str, &str)]| -> Vec<_> {
            let values = of_source(config).into_iter();
            values
                .map(|value| (value.name, value.value, value.errors))
                .collect()
        };
        let topic = |name: &str| {
            (
                TOPIC.to_owned(),
                ConfigData::String(name.to_owned()),
                vec![],
            )
        };
        let factor = |factor| (FACTOR.to_owned(), ConfigData::Short(factor), vec![]);
        assert_eq!(shown(&[(TOPIC, "dlq")]), [topic("dlq"), factor(-1)]);
        assert_eq!(shown(&[(FACTOR, " 3 ")]), [topic(""), factor(3)]);
    }

    #[test]
    fn the_replication_factor_of_dead_letters_is_a_number_of_brokers() {
        for (factor, error) in [
            ("-1", None),
            ("1", None),
            (
                "0",
                Some("Value must be -1, for the default of the brokers, or at least 1"),
            ),
            (
                "-2",
                Some("Value must be -1, for the default of the brokers, or at least 1"),
            ),
            ("many", Some("Not a number of type SHORT")),
            ("40000", Some("Not a number of type SHORT")),
        ] {
            let values = of_source(&[(TOPIC, "dlq"), (FACTOR, factor)]);
            let errors: Vec<_> = values.into_iter().flat_map(|value| value.errors).collect();
            let expected = error
                .map(|error| format!("Invalid value {factor} for configuration {FACTOR}: {error}"));
            assert_eq!(errors, Vec::from_iter(expected));
        }
    }

    #[test]
    fn sinks_have_no_dead_letters_of_sources() {
        let factory = PluginFactory::Sink(|| unreachable!("only validated"));
        assert!(source_dead_letters(factory, sink, &[(TOPIC, "dlq"), (FACTOR, "x")]).is_empty());
    }
}
