//! Rules of schemas (`RuleSet`). They change data, or check it, on its way; a
//! schema whose rules would have to be executed is refused, so that nothing is
//! written in plain text that a rule would encrypt.

use serde::Deserialize;

use super::RegistryError;

/// What data is on its way to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Read,
    Write,
}

/// The rules of a schema.
#[derive(Debug, Default, Deserialize)]
pub(super) struct RuleSet {
    #[serde(rename = "domainRules", default)]
    domain_rules: Option<Vec<Rule>>,
}

#[derive(Debug, Deserialize)]
struct Rule {
    #[serde(default)]
    name: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    mode: Option<String>,
    #[serde(rename = "onFailure", default)]
    on_failure: Option<String>,
    #[serde(default)]
    disabled: bool,
}

impl Rule {
    fn applies(&self, mode: Mode) -> bool {
        let applies = match self.mode.as_deref() {
            None | Some("WRITEREAD") => true,
            Some("WRITE") => mode == Mode::Write,
            Some("READ") => mode == Mode::Read,
            Some(_) => false,
        };
        // A rule may say that its failure does not matter.
        let mut on_failure = self.on_failure.iter().flat_map(|text| text.split(','));
        let matters = self.on_failure.is_none() || on_failure.any(|action| action != "NONE");
        applies && matters && !self.disabled
    }
}

/// Refuses a schema that has rules for what data is on its way to.
///
/// # Errors
/// It has some.
pub(super) fn check(rules: Option<&RuleSet>, mode: Mode) -> Result<(), RegistryError> {
    let rules = rules.and_then(|rules| rules.domain_rules.as_ref());
    match rules.into_iter().flatten().find(|rule| rule.applies(mode)) {
        None => Ok(()),
        Some(rule) => Err(RegistryError::Rule {
            name: rule.name.clone(),
            kind: rule.kind.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(rule: &str, mode: Mode) -> bool {
        let rules = format!(r#"{{"migrationRules":[],"domainRules":[{rule}]}}"#);
        check(serde_json::from_str(&rules).ok().as_ref(), mode).is_err()
    }

    #[test]
    fn rules_that_matter_are_refused() {
        let encrypt = r#"{"name":"e","kind":"TRANSFORM","type":"ENCRYPT","mode":"WRITEREAD","onFailure":"ERROR,NONE"}"#;
        assert!(refused(encrypt, Mode::Write) && refused(encrypt, Mode::Read));
        let write = r#"{"name":"c","kind":"CONDITION","type":"CEL","mode":"WRITE"}"#;
        assert!(refused(write, Mode::Write) && !refused(write, Mode::Read));
        for harmless in [
            r#"{"name":"c","type":"CEL","mode":"WRITE","disabled":true}"#,
            r#"{"name":"c","type":"CEL","mode":"WRITE","onFailure":"NONE"}"#,
            r#"{"name":"c","type":"CEL","mode":"UPGRADE"}"#,
        ] {
            assert!(!refused(harmless, Mode::Write), "{harmless}");
        }
        assert!(check(None, Mode::Write).is_ok());
    }
}
