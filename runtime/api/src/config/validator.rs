//! Rules for single values (`org.apache.kafka.common.config.ConfigDef.Validator`).

use std::fmt;
use std::sync::Arc;

use super::ConfigData;

/// A rule for a value that has its type already. Unless said otherwise, the text
/// of a failure is the part after `Invalid value <v> for configuration <k>: `.
#[derive(Clone)]
pub enum Validator {
    /// A number of at least this.
    AtLeast(i64),
    /// A number between these, both included.
    Between(i64, i64),
    /// One of these texts, as they are.
    OneOf(&'static [&'static str]),
    /// One of these texts, whatever their case.
    OneOfIgnoreCase(&'static [&'static str]),
    /// Text that is not empty; null passes.
    NonEmpty,
    /// Text that is neither empty nor has control characters.
    NonEmptyWithoutControlChars,
    /// Anything but null.
    NonNull,
    /// A list without repetitions and without empty texts. Repetitions are an
    /// error when a configuration is validated, and left out when it is used.
    Distinct {
        /// Whether the list may be empty.
        empty: bool,
    },
    /// A rule of one's own, with the description that documentation shows.
    Custom(Arc<Rule>, &'static str),
    /// A rule of one's own that gives the whole text of a failure, with the
    /// description that documentation shows.
    Stated(Arc<Rule>, &'static str),
}

/// A rule of one's own: key and value in, the reason of a failure out.
pub type Rule = dyn Fn(&str, &ConfigData) -> Result<(), String> + Send + Sync;

impl Validator {
    /// A rule of one's own.
    pub fn custom(
        description: &'static str,
        rule: impl Fn(&str, &ConfigData) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self::Custom(Arc::new(rule), description)
    }

    /// A rule of one's own that gives the whole text of a failure.
    pub fn stated(
        description: &'static str,
        rule: impl Fn(&str, &ConfigData) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self::Stated(Arc::new(rule), description)
    }

    /// Whether the text of a failure is the whole message.
    pub(super) fn is_stated(&self) -> bool {
        matches!(self, Self::Distinct { .. } | Self::Stated(..))
    }

    /// Checks a value.
    ///
    /// # Errors
    /// The reason, in the reference's words.
    pub fn check(&self, key: &str, value: &ConfigData) -> Result<(), String> {
        match self {
            Self::AtLeast(least) => match value.number() {
                Some(number) if number >= *least as f64 => Ok(()),
                Some(_) => Err(format!("Value must be at least {least}")),
                None => Err("Value must be non-null".to_owned()),
            },
            Self::Between(least, most) => match value.number() {
                Some(number) if number < *least as f64 => {
                    Err(format!("Value must be at least {least}"))
                }
                Some(number) if number > *most as f64 => {
                    Err(format!("Value must be no more than {most}"))
                }
                Some(_) => Ok(()),
                None => Err("Value must be non-null".to_owned()),
            },
            Self::OneOf(allowed) => match value.text() {
                Some(text) if allowed.contains(&text) => Ok(()),
                _ => Err(format!("String must be one of: {}", allowed.join(", "))),
            },
            Self::OneOfIgnoreCase(allowed) => match value.text() {
                Some(text) if allowed.iter().any(|word| word.eq_ignore_ascii_case(text)) => Ok(()),
                _ => Err(format!(
                    "String must be one of (case insensitive): {}",
                    allowed.join(", ")
                )),
            },
            Self::NonEmpty => match value.text() {
                Some("") => Err("String must be non-empty".to_owned()),
                _ => Ok(()),
            },
            Self::NonEmptyWithoutControlChars => without_control_chars(value),
            Self::NonNull => match value {
                ConfigData::Null => Err("entry must be non null".to_owned()),
                _ => Ok(()),
            },
            Self::Distinct { empty } => distinct(key, value, *empty),
            Self::Custom(rule, _) | Self::Stated(rule, _) => rule(key, value),
        }
    }
}

fn without_control_chars(value: &ConfigData) -> Result<(), String> {
    let Some(text) = value.text() else {
        // Null is reported by the definition, as a missing value.
        return Ok(());
    };
    if text.is_empty() {
        return Err("String may not be empty".to_owned());
    }
    let codes: Vec<String> = text
        .chars()
        .filter(|c| c.is_control())
        .map(|c| u32::from(c).to_string())
        .collect();
    if codes.is_empty() {
        return Ok(());
    }
    Err(format!(
        "String may not contain control sequences but had the following ASCII chars: {}",
        codes.join(", ")
    ))
}

fn distinct(key: &str, value: &ConfigData, empty: bool) -> Result<(), String> {
    let ConfigData::List(values) = value else {
        return Err(format!("Configuration '{key}' values must not be null."));
    };
    if values.is_empty() && !empty {
        return Err(format!(
            "Configuration '{key}' must not be empty. Valid values include: any non-empty value"
        ));
    }
    if (1..values.len()).any(|at| values[..at].contains(&values[at])) {
        return Err(format!(
            "Configuration '{key}' values must not be duplicated."
        ));
    }
    if values.iter().any(String::is_empty) {
        return Err(format!("Configuration '{key}' values must not be empty."));
    }
    Ok(())
}

impl fmt::Debug for Validator {
    /// The description that generated documentation shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "[{least},...]"),
            Self::Between(least, most) => write!(f, "[{least},...,{most}]"),
            Self::OneOf(allowed) => write!(f, "[{}]", allowed.join(", ")),
            Self::OneOfIgnoreCase(allowed) => {
                write!(f, "(case insensitive) [{}]", allowed.join(", "))
            }
            Self::NonEmpty => f.write_str("non-empty string"),
            Self::NonEmptyWithoutControlChars => {
                f.write_str("non-empty string without ISO control characters")
            }
            Self::NonNull => f.write_str("non-null"),
            Self::Distinct { .. } => Ok(()),
            Self::Custom(_, description) | Self::Stated(_, description) => f.write_str(description),
        }
    }
}
