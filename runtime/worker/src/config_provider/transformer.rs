//! Finding and replacing variables (`org.apache.kafka.common.config.ConfigTransformer`).

use std::collections::BTreeMap;

use tether_api::Result;
use tether_api::config::ConfigMap;

use super::{ConfigProvider, Redaction, providers};

/// Replaces variables by what their providers say.
pub struct VariableResolver {
    providers: BTreeMap<String, Box<dyn ConfigProvider>>,
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
        })
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
        let mut rest = text;
        while let Some(variable) = next_variable(rest) {
            let start = variable.text.as_ptr() as usize - rest.as_ptr() as usize;
            let value = match self.providers.get(variable.provider) {
                Some(provider) => provider
                    .get(variable.path, &[variable.key])?
                    .remove(variable.key),
                None => None,
            };
            out.push_str(&rest[..start]);
            if let Some(value) = &value {
                redaction.add(value, variable.text);
            }
            out.push_str(value.as_deref().unwrap_or(variable.text));
            rest = &rest[start + variable.text.len()..];
        }
        out.push_str(rest);
        Ok(out)
    }
}

/// Whether a text contains a variable of any provider.
pub fn has_variable(text: &str) -> bool {
    next_variable(text).is_some()
}

/// The first variable, as the reference's pattern finds it:
/// `\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}`.
fn next_variable(text: &str) -> Option<Variable<'_>> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find("${")?;
        let end = start + text[start..].find('}')?;
        let inner = &text[start + 2..end];
        if let Some((provider, rest)) = inner.split_once(':') {
            let (path, key) = rest.split_once(':').unwrap_or(("", rest));
            return Some(Variable {
                text: &text[start..=end],
                provider,
                path,
                key,
            });
        }
        from = end;
    }
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
}
