//! The transformations of a connector, in order, each under its condition
//! (`TransformationChain`, `TransformationStage`; KIP-66, KIP-585).

use tether_api::config::{ConfigMap, with_prefix};
use tether_api::plugin::PluginKind;
use tether_api::record::ConnectRecord;
use tether_api::transform::{Predicate, Transformation};
use tether_api::{ConnectError, Result};
use tether_metrics::{Group, Metrics};
use tether_storage::TaskId;

use super::error_handling::{self, Failure};
use crate::metrics::register_transformations;
use crate::plugins::Plugins;

/// The transformations that one task applies.
#[derive(Default)]
pub(super) struct TransformationChain {
    stages: Vec<Stage>,
}

struct Stage {
    /// The alias in `transforms`, for errors.
    alias: String,
    /// The Java class, for errors.
    class: &'static str,
    version: &'static str,
    transformation: Box<dyn Transformation>,
    condition: Option<Condition>,
}

struct Condition {
    alias: String,
    class: &'static str,
    version: &'static str,
    predicate: Box<dyn Predicate>,
    negate: bool,
}

impl Condition {
    fn new(plugins: &Plugins, connector: &ConfigMap, alias: &str, negate: bool) -> Result<Self> {
        let mut config = with_prefix(connector, &format!("predicates.{alias}."));
        let class = take(&mut config, "type").ok_or_else(|| missing("predicates", alias))?;
        let found = plugins.find(&[PluginKind::Predicate], class.trim());
        Ok(Self {
            alias: alias.to_owned(),
            class: found.map_or("", |plugin| plugin.class),
            version: found.map_or("", |plugin| plugin.version),
            predicate: plugins.new_predicate(class.trim(), &config)?,
            negate,
        })
    }

    fn holds(&mut self, record: &ConnectRecord) -> bool {
        self.predicate.test(record) != self.negate
    }
}

impl TransformationChain {
    /// Makes what `transforms` and `predicates` name.
    ///
    /// # Errors
    /// Config, if a plugin is missing or its configuration is wrong; the
    /// message names the alias.
    pub(super) fn new(plugins: &Plugins, connector: &ConfigMap) -> Result<Self> {
        let aliases = connector.get("transforms").map_or("", String::as_str);
        let stages = aliases
            .split(',')
            .map(str::trim)
            .filter(|alias| !alias.is_empty())
            .map(|alias| {
                Stage::new(plugins, connector, alias)
                    .map_err(|error| error.context(format!("The transformation {alias}")))
            })
            .collect::<Result<_>>()?;
        Ok(Self { stages })
    }

    /// Whether there are no transformations.
    pub(super) fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// Registers what the chain of a task consists of.
    pub(super) fn register(&self, metrics: &Metrics, id: &TaskId) -> Vec<Group> {
        let transformations = self.stages.iter();
        let transformations =
            transformations.map(|stage| (stage.alias.clone(), stage.class, stage.version));
        let predicates = self
            .stages
            .iter()
            .filter_map(|stage| stage.condition.as_ref());
        let predicates = predicates.map(|found| (found.alias.clone(), found.class, found.version));
        register_transformations(metrics, id, transformations.collect(), predicates.collect())
    }

    /// The record after all transformations; `None` if one dropped it.
    ///
    /// # Errors
    /// Which transformation failed, and how.
    pub(super) fn apply(
        &mut self,
        mut record: ConnectRecord,
    ) -> Result<Option<ConnectRecord>, Failure> {
        for stage in &mut self.stages {
            if let Some(condition) = &mut stage.condition
                && !condition.holds(&record)
            {
                continue;
            }
            match stage.transformation.apply(record) {
                Ok(Some(changed)) => record = changed,
                Ok(None) => return Ok(None),
                Err(error) => {
                    let stage_name = error_handling::Stage::Transformation;
                    let failure = Failure::new(stage_name, stage.class, error);
                    return Err(failure.of(format!("transformation {}", stage.alias)));
                }
            }
        }
        Ok(Some(record))
    }
}

impl Stage {
    fn new(plugins: &Plugins, connector: &ConfigMap, alias: &str) -> Result<Self> {
        let mut config = with_prefix(connector, &format!("transforms.{alias}."));
        let class = take(&mut config, "type").ok_or_else(|| missing("transforms", alias))?;
        let predicate = take(&mut config, "predicate");
        let negate = take(&mut config, "negate")
            .is_some_and(|negate| negate.trim().eq_ignore_ascii_case("true"));
        let condition = predicate
            .map(|predicate| Condition::new(plugins, connector, predicate.trim(), negate))
            .transpose()?;
        let found = plugins.find(&[PluginKind::Transformation], class.trim());
        Ok(Self {
            alias: alias.to_owned(),
            class: found.map_or("", |plugin| plugin.class),
            version: found.map_or("", |plugin| plugin.version),
            transformation: plugins.new_transformation(class.trim(), &config)?,
            condition,
        })
    }
}

fn take(config: &mut ConfigMap, key: &str) -> Option<String> {
    config.shift_remove(key)
}

fn missing(kind: &str, alias: &str) -> ConnectError {
    ConnectError::config(format!(
        "Missing required configuration \"{kind}.{alias}.type\" which has no default value."
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tether_api::config::ConfigDef;
    use tether_api::plugin::{PluginDescriptor, PluginFactory};

    use super::*;

    /// Appends a text to the topic, or drops the record if there is none.
    struct Append(Option<String>);

    impl Transformation for Append {
        fn apply(&mut self, mut record: ConnectRecord) -> Result<Option<ConnectRecord>> {
            match &self.0 {
                Some(text) if text == "!" => Err(ConnectError::data("refused")),
                Some(text) => {
                    record.topic = format!("{}{text}", record.topic).into();
                    Ok(Some(record))
                }
                None => Ok(None),
            }
        }
    }

    /// Whether the topic contains a text.
    struct Contains(String);

    impl Predicate for Contains {
        fn test(&mut self, record: &ConnectRecord) -> bool {
            record.topic.contains(&self.0)
        }
    }

    fn plugins() -> Plugins {
        let plugin = |class, factory| PluginDescriptor {
            class,
            aliases: &[],
            version: "1",
            config_def: || Arc::new(ConfigDef::new()),
            factory,
        };
        Plugins::new(vec![
            plugin(
                "t.Append",
                PluginFactory::Transformation(|config| {
                    assert!(!config.contains_key("predicate"));
                    Ok(Box::new(Append(config.get("text").cloned())))
                }),
            ),
            plugin(
                "t.Contains",
                PluginFactory::Predicate(|config| Ok(Box::new(Contains(config["text"].clone())))),
            ),
        ])
    }

    fn chain(entries: &[(&str, &str)]) -> Result<TransformationChain> {
        let config = entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        TransformationChain::new(&plugins(), &config)
    }

    fn topic(chain: &mut TransformationChain, topic: &str) -> Option<String> {
        chain
            .apply(ConnectRecord::new(topic))
            .unwrap()
            .map(|record| record.topic.to_string())
    }

    #[test]
    fn transformations_apply_in_order() {
        let mut chain = chain(&[
            ("transforms", "a, b"),
            ("transforms.a.type", "t.Append"),
            ("transforms.a.text", "1"),
            ("transforms.b.type", "t.Append"),
            ("transforms.b.text", "2"),
        ])
        .unwrap();
        assert_eq!(topic(&mut chain, "t").as_deref(), Some("t12"));
    }

    #[test]
    fn conditions_guard_and_can_be_negated() {
        let base = [
            ("transforms", "a"),
            ("transforms.a.type", "t.Append"),
            ("transforms.a.predicate", "p"),
            ("predicates", "p"),
            ("predicates.p.type", "t.Contains"),
            ("predicates.p.text", "x"),
        ];
        let mut drop_x = chain(&base).unwrap();
        assert_eq!(topic(&mut drop_x, "ax"), None);
        assert_eq!(topic(&mut drop_x, "ay").as_deref(), Some("ay"));
        let mut keep_x = chain(&[&base[..], &[("transforms.a.negate", "true")]].concat()).unwrap();
        assert_eq!(topic(&mut keep_x, "ax").as_deref(), Some("ax"));
        assert_eq!(topic(&mut keep_x, "ay"), None);
    }

    #[test]
    fn errors_name_the_alias() {
        let error = chain(&[("transforms", "a")]).err().unwrap().to_string();
        assert!(error.contains("transforms.a.type"), "{error}");
        let error = chain(&[
            ("transforms", "a"),
            ("transforms.a.type", "t.Append"),
            ("transforms.a.predicate", "p"),
        ])
        .err()
        .unwrap()
        .to_string();
        assert!(error.contains("predicates.p.type"), "{error}");
        let mut chain = chain(&[
            ("transforms", "a"),
            ("transforms.a.type", "t.Append"),
            ("transforms.a.text", "!"),
        ])
        .unwrap();
        let failure = chain.apply(ConnectRecord::new("t")).unwrap_err();
        assert_eq!(failure.part.as_deref(), Some("transformation a"));
        assert_eq!(failure.class, "t.Append");
        assert_eq!(failure.error.to_string(), "refused");
    }
}
