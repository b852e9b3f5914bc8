//! Looks whether the values of a connector's variables have changed
//! (`config.action.reload`, spec section 2.4).
//!
//! The reference restarts the connector instance whenever values have lived
//! their time, changed or not, and leaves the tasks with the old ones. Here the
//! values are read again, and if they have changed, the instance and all its
//! tasks start anew: it is they who log in somewhere.

use std::time::Duration;

use tether_api::config::ConfigMap;
use tokio::time::Instant;

use crate::config_provider::VariableResolver;

/// The values that a connector runs with, if they do not count for ever.
#[derive(Default)]
pub(super) struct VariableWatch {
    watched: Option<Watched>,
}

struct Watched {
    /// None, if they could not be read. They are secrets: never shown.
    values: Option<ConfigMap>,
    time_to_live: Duration,
    due: Instant,
}

impl VariableWatch {
    /// Begins anew. It has to be called before the connector starts: values that
    /// change in between are found to have changed.
    pub(super) fn begin(&mut self, variables: &VariableResolver, config: &ConfigMap) {
        let reloads = config
            .get("config.action.reload")
            .is_none_or(|action| !action.trim().eq_ignore_ascii_case("none"));
        self.watched = variables
            .time_to_live(config)
            .filter(|_| reloads)
            .map(|time_to_live| Watched {
                values: variables.resolve(config).ok(),
                time_to_live,
                due: Instant::now() + time_to_live,
            });
    }

    /// Begins if it has not: for tasks whose connector instance is on another
    /// worker.
    pub(super) fn begin_unless_watched(
        &mut self,
        variables: &VariableResolver,
        config: &ConfigMap,
    ) {
        if self.watched.is_none() {
            self.begin(variables, config);
        }
    }

    /// Ends.
    pub(super) fn clear(&mut self) {
        self.watched = None;
    }

    /// When to look next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.watched.as_ref().map(|watched| watched.due)
    }

    /// Whether the values have changed. Values that cannot be read just now have
    /// not: what runs with the old ones goes on.
    pub(super) fn has_changed(
        &mut self,
        connector: &str,
        variables: &VariableResolver,
        config: &ConfigMap,
    ) -> bool {
        let Some(watched) = &mut self.watched else {
            return false;
        };
        watched.due = Instant::now() + watched.time_to_live;
        match variables.resolve(config) {
            Ok(values) => watched.values.as_ref() != Some(&values),
            Err(error) => {
                tracing::warn!(
                    connector,
                    %error,
                    "The values of variables cannot be read again; the connector keeps those that it has"
                );
                false
            }
        }
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

    #[tokio::test(start_paused = true)]
    async fn only_changes_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.properties");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        let variables = VariableResolver::new(&map(&[
            ("config.providers", "f"),
            ("config.providers.f.class", "FileConfigProvider"),
            ("config.providers.f.param.ttl.ms", "1000"),
        ]))
        .unwrap();
        let variable = format!("${{f:{}:p}}", path.display());
        let config = map(&[("password", &variable)]);
        let mut watch = VariableWatch::default();
        write("p=1");
        watch.begin(&variables, &config);
        let due = watch.next_due().unwrap();
        assert_eq!(due, Instant::now() + Duration::from_secs(1));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!watch.has_changed("c", &variables, &config));
        assert_eq!(watch.next_due().unwrap(), due + Duration::from_secs(1));
        write("p=2");
        assert!(watch.has_changed("c", &variables, &config));

        // A file that is away for a moment is no change; one that comes is.
        std::fs::remove_file(&path).unwrap();
        assert!(!watch.has_changed("c", &variables, &config));
        watch.begin(&variables, &config);
        assert!(!watch.has_changed("c", &variables, &config));
        write("p=1");
        assert!(watch.has_changed("c", &variables, &config));

        let off = map(&[("config.action.reload", "none"), ("password", &variable)]);
        watch.begin(&variables, &off);
        assert_eq!(watch.next_due(), None);
        watch.begin(&variables, &map(&[("password", "plain")]));
        assert_eq!(watch.next_due(), None);
    }
}
