//! From what a connector wants its tasks to be to what is stored
//! (`Worker.connectorTaskConfigs`, `AbstractHerder.reverseTransform`).

use tether_api::config::ConfigMap;
use tether_api::{ConnectError, Result};

use crate::config_provider::has_variable;

/// What a connector wants its tasks to be.
pub(crate) struct Tasks {
    /// The Java class of the tasks.
    pub(crate) class: &'static str,
    /// One configuration per task, variables resolved.
    pub(crate) configs: Vec<ConfigMap>,
}

/// `tasks.max` and `tasks.max.enforce` (KIP-1004).
pub(crate) struct TaskLimit {
    pub(super) tasks: usize,
    enforce: bool,
}

impl TaskLimit {
    /// The limit that a connector's configuration sets.
    ///
    /// # Errors
    /// Config, if `tasks.max` is not a positive number.
    pub(crate) fn new(config: &ConfigMap) -> Result<Self> {
        let tasks = match config.get("tasks.max") {
            None => 1,
            Some(text) => text
                .trim()
                .parse()
                .ok()
                .filter(|tasks| *tasks >= 1)
                .ok_or_else(|| {
                    ConnectError::config(format!(
                        "Invalid value {text} for configuration tasks.max: Value must be at least 1"
                    ))
                })?,
        };
        let enforce = config
            .get("tasks.max.enforce")
            .is_none_or(|text| !text.trim().eq_ignore_ascii_case("false"));
        Ok(Self { tasks, enforce })
    }

    /// Refuses more tasks than there may be.
    ///
    /// # Errors
    /// Other, unless more are tolerated.
    pub(crate) fn check(&self, connector: &str, made: usize) -> Result<()> {
        if made <= self.tasks {
            return Ok(());
        }
        let beginning = format!(
            "The connector {connector} has generated {made} tasks, which is greater than {}, the maximum \
             number of tasks it is configured to create.",
            self.tasks
        );
        if self.enforce {
            return Err(ConnectError::other(format!(
                "{beginning} This behaviour should be considered a bug and is disallowed. If necessary, it \
                 can be permitted by reconfiguring the connector with 'tasks.max.enforce' set to false; \
                 however, this option will be removed in a future release of Kafka Connect."
            ))
            .with_class("org.apache.kafka.connect.runtime.TooManyTasksException"));
        }
        tracing::warn!(
            "{beginning} This behavior should be considered a bug and will be disallowed in future releases \
             of Kafka Connect. Please report this to the maintainers of the connector and request that they \
             adjust their connector's taskConfigs() method to respect the maxTasks parameter."
        );
        Ok(())
    }
}

impl Tasks {
    /// The configurations as they are stored: with what the framework adds,
    /// and with variables put back. Wherever the connector's configuration has
    /// a variable, a task's value of the same key becomes that text again, so
    /// that no secret is stored.
    pub(crate) fn stored(self, connector: &ConfigMap) -> Vec<ConfigMap> {
        let Self { class, configs } = self;
        configs
            .into_iter()
            .map(|mut config| {
                config.insert("task.class".to_owned(), class.to_owned());
                for key in ["topics", "topics.regex"] {
                    if let Some(value) = connector.get(key) {
                        config.insert(key.to_owned(), value.clone());
                    }
                }
                for (key, value) in &mut config {
                    if let Some(raw) = connector.get(key)
                        && has_variable(raw)
                    {
                        value.clone_from(raw);
                    }
                }
                config
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, &str)]) -> ConfigMap {
        entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn task_configs_are_completed_and_secrets_put_back() {
        let connector = map(&[
            ("topics", "a,b"),
            ("password", "${file:/f:p}"),
            ("user", "u"),
        ]);
        let tasks = Tasks {
            class: "x.Task",
            configs: vec![map(&[("password", "hunter2"), ("user", "changed")])],
        };
        assert_eq!(
            tasks.stored(&connector),
            [map(&[
                ("password", "${file:/f:p}"),
                ("user", "changed"),
                ("task.class", "x.Task"),
                ("topics", "a,b"),
            ])]
        );
    }

    #[test]
    fn too_many_tasks_are_refused_unless_tolerated() {
        let limit = TaskLimit::new(&map(&[("tasks.max", "2")])).unwrap();
        assert!(limit.check("c", 2).is_ok());
        let error = limit.check("c", 3).unwrap_err();
        assert!(
            error.message().starts_with(
                "The connector c has generated 3 tasks, which is greater than 2, the maximum number of \
                 tasks it is configured to create. This behaviour"
            ),
            "{error}"
        );
        let lenient =
            TaskLimit::new(&map(&[("tasks.max", "2"), ("tasks.max.enforce", "false")])).unwrap();
        assert!(lenient.check("c", 3).is_ok());
        assert!(TaskLimit::new(&map(&[("tasks.max", "0")])).is_err());
        assert_eq!(TaskLimit::new(&map(&[])).unwrap().tasks, 1);
    }
}
