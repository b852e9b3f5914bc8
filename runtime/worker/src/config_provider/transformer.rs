//! Finding and replacing variables (`org.apache.kafka.common.config.ConfigTransformer`).

use std::collections::BTreeMap;
use std::time::Duration;

use tether_api::Result;
use tether_api::config::ConfigMap;

use super::{ConfigProvider, Redaction, providers, times_to_live};

/// Replaces variables by what their providers say.
pub struct VariableResolver {
    providers: BTreeMap<String, Box<dyn ConfigProvider>>,
    times_to_live: BTreeMap<String, Duration>,
}

/// A configuration whose variables have been replaced.
pub struct Resolved {
    /// The configuration.
    pub config: ConfigMap,
    /// Keeps the values of its variables out of messages.
    pub redaction: Redaction,
}

/// `${provider:path:key}` within a text.
struct Variable<'a> {
    /// Where it begins.
    start: usize,
    /// The whole variable.
    text: &'a str,
    provider: &'a str,
    path: &'a str,
    key: &'a str,
}

impl VariableResolver {
    /// A resolver with the providers that a worker's properties name.
    ///
    /// # Errors
    /// Config, if a provider is wrong.
    pub fn new(properties: &ConfigMap) -> Result<Self> {
        Ok(Self {
            providers: providers(properties)?,
            times_to_live: times_to_live(properties)?,
        })
    }

    /// How long the values of a configuration's variables count, if not for
    /// ever: the shortest time that any of their providers gives.
    pub fn time_to_live(&self, config: &ConfigMap) -> Option<Duration> {
        config
            .values()
            .flat_map(|text| variables(text))
            .filter_map(|variable| self.times_to_live.get(variable.provider))
            .min()
            .copied()
    }

    /// The configuration with variables replaced. Variables of unknown
    /// providers and keys that their provider does not have stay as they are;
    /// values are not searched again.
    ///
    /// # Errors
    /// Config, if a provider cannot read its path. The message names the key
    /// that has the variable.
    pub fn resolve(&self, config: &ConfigMap) -> Result<ConfigMap> {
        Ok(self.resolved(config)?.config)
    }

    /// The same, together with what keeps the values of the variables out of
    /// messages.
    ///
    /// # Errors
    /// As [`VariableResolver::resolve`].
    pub fn resolved(&self, config: &ConfigMap) -> Result<Resolved> {
        let mut redaction = Redaction::default();
        let config = config
            .iter()
            .map(|(key, value)| {
                let value = self
                    .resolve_text(value, &mut redaction)
                    .map_err(|error| error.context(format!("Configuration {key}")))?;
                Ok((key.clone(), value))
            })
            .collect::<Result<_>>()?;
        Ok(Resolved { config, redaction })
    }

    fn resolve_text(&self, text: &str, redaction: &mut Redaction) -> Result<String> {
        let mut out = String::new();
        let mut end = 0;
        for variable in variables(text) {
            let value = match self.providers.get(variable.provider) {
                Some(provider) => provider
                    .get(variable.path, &[variable.key])?
                    .remove(variable.key),
                None => None,
            };
            out.push_str(&text[end..variable.start]);
            end = variable.start + variable.text.len();
            if let Some(value) = &value {
                redaction.add(value, variable.text);
            }
            out.push_str(value.as_deref().unwrap_or(variable.text));
        }
        out.push_str(&text[end..]);
        Ok(out)
    }
}

/// Whether a text contains a variable of any provider.
pub fn has_variable(text: &str) -> bool {
    variables(text).next().is_some()
}

/// The variables in a text, as the reference's pattern finds them:
/// `\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}`.
fn variables(text: &str) -> impl Iterator<Item = Variable<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + text[from..].find("${")?;
            let end = start + text[start..].find('}')?;
            from = end;
            let inner = &text[start + 2..end];
            if let Some((provider, rest)) = inner.split_once(':') {
                let (path, key) = rest.split_once(':').unwrap_or(("", rest));
                return Some(Variable {
                    start,
                    text: &text[start..=end],
                    provider,
                    path,
                    key,
                });
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl ConfigProvider for Fixed {
        fn get(&self, path: &str, keys: &[&str]) -> Result<BTreeMap<String, String>> {
            Ok(keys
                .iter()
                .filter(|key| !key.starts_with("no"))
                .map(|key| ((*key).to_owned(), format!("<{path}|{key}>")))
                .collect())
        }
    }

    fn resolve(text: &str) -> String {
        let resolver = VariableResolver {
            providers: BTreeMap::from([(
                "p".to_owned(),
                Box::new(Fixed) as Box<dyn ConfigProvider>,
            )]),
            times_to_live: BTreeMap::new(),
        };
        resolver
            .resolve_text(text, &mut Redaction::default())
            .expect("resolves")
    }

    #[test]
    fn variables_are_replaced_once() {
        assert_eq!(resolve("a ${p:k} b ${p:/x:k} c"), "a <|k> b </x|k> c");
        assert_eq!(resolve("${p:/x:k:more}"), "</x|k:more>");
        assert_eq!(
            resolve("${p:nokey} ${q:k} ${p} ${p:k"),
            "${p:nokey} ${q:k} ${p} ${p:k"
        );
        assert!(has_variable("x${env:A}"));
        assert!(!has_variable("${A}"));
    }

    #[test]
    fn the_shortest_time_to_live_counts() {
        let properties = [
            ("config.providers.a.param.ttl.ms", "500"),
            ("config.providers.b.param.ttl.ms", " 70 "),
            ("config.providers", "a, b, c"),
            ("config.providers.a.class", "EnvVarConfigProvider"),
            ("config.providers.b.class", "FileConfigProvider"),
            ("config.providers.c.class", "EnvVarConfigProvider"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into_iter()
        .collect();
        let resolver = VariableResolver::new(&properties).expect("providers");
        let of = |text: &str| {
            let config = [("k".to_owned(), text.to_owned())].into_iter().collect();
            resolver.time_to_live(&config).map(|time| time.as_millis())
        };
        assert_eq!(of("${a:x}"), Some(500));
        assert_eq!(of("${a:x} ${b:/f:x}"), Some(70));
        assert_eq!(of("${c:x} ${d:x} a"), None);
    }
}
