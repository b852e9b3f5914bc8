//! The values of options, and what the converter takes from them.

/// The value of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OptionValue {
    /// A number, a name or a text.
    Plain(String),
    Message(Vec<(String, OptionValue)>),
    List(Vec<OptionValue>),
}

/// An option with its name, parentheses and a leading dot left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OptionSetting {
    pub(super) name: String,
    pub(super) value: OptionValue,
}

impl OptionSetting {
    /// The value of this plain option.
    pub(super) fn plain(&self, name: &str) -> Option<&str> {
        match &self.value {
            OptionValue::Plain(value) if self.name == name => Some(value),
            _ => None,
        }
    }

    /// Adds the parameters that this option of a field sets, if it is
    /// `confluent.field_meta`.
    pub(super) fn add_params(&self, params: &mut Vec<(String, String)>) {
        match self.name.strip_prefix("confluent.field_meta") {
            Some("") => {
                if let OptionValue::Message(fields) = &self.value {
                    for (name, value) in fields {
                        if name == "params" {
                            add(value, params);
                        }
                    }
                }
            }
            Some(".params") => add(&self.value, params),
            _ => {}
        }
    }
}

/// Adds an entry, or each of a list.
fn add(value: &OptionValue, params: &mut Vec<(String, String)>) {
    match value {
        OptionValue::List(entries) => entries.iter().for_each(|entry| add(entry, params)),
        OptionValue::Message(fields) => {
            let find = |name| {
                let found = fields.iter().find(|(field, _)| field == name);
                found.and_then(|(_, value)| match value {
                    OptionValue::Plain(value) => Some(value.clone()),
                    _ => None,
                })
            };
            if let (Some(key), Some(value)) = (find("key"), find("value")) {
                params.retain(|(known, _)| *known != key);
                params.push((key, value));
            }
        }
        OptionValue::Plain(_) => {}
    }
}
