//! Definitions of configuration keys (`org.apache.kafka.common.config.ConfigDef`).

use std::borrow::Cow;
use std::sync::Arc;

use indexmap::IndexMap;

use super::{ConfigData, ConfigMap, Validator};
use crate::data::Text;

/// The type of a key's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum ConfigType {
    Boolean,
    String,
    Int,
    Short,
    Long,
    Double,
    List,
    Class,
    Password,
}

impl ConfigType {
    /// The name in upper case, as REST shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Int => "INT",
            Self::Short => "SHORT",
            Self::Long => "LONG",
            Self::Double => "DOUBLE",
            Self::List => "LIST",
            Self::Class => "CLASS",
            Self::Password => "PASSWORD",
        }
    }
}

/// How likely a user is to set a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Importance {
    High,
    Medium,
    Low,
}

impl Importance {
    /// The name in upper case, as REST shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "HIGH",
            Self::Medium => "MEDIUM",
            Self::Low => "LOW",
        }
    }
}

/// How wide a form's input field should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Width {
    None,
    Short,
    Medium,
    Long,
}

impl Width {
    /// The name in upper case, as REST shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Short => "SHORT",
            Self::Medium => "MEDIUM",
            Self::Long => "LONG",
        }
    }
}

type Suggest = dyn Fn(&ConfigMap) -> Vec<String> + Send + Sync;

/// Suggests values for a key and says whether a form should show it, given the
/// rest of the configuration.
#[derive(Clone)]
pub struct Recommender {
    /// Values to choose from.
    pub values: Arc<Suggest>,
    /// Whether the key has any effect.
    pub visible: Arc<dyn Fn(&ConfigMap) -> bool + Send + Sync>,
}

impl Recommender {
    /// Suggests these values; always visible.
    pub fn values(values: impl Fn(&ConfigMap) -> Vec<String> + Send + Sync + 'static) -> Self {
        Self {
            values: Arc::new(values),
            visible: Arc::new(|_| true),
        }
    }

    /// Suggests nothing; visible under this condition.
    pub fn visible_if(visible: impl Fn(&ConfigMap) -> bool + Send + Sync + 'static) -> Self {
        Self {
            values: Arc::new(|_| Vec::new()),
            visible: Arc::new(visible),
        }
    }
}

/// The full name of a class that a user named in full or by an alias; `None` if
/// there is no such class.
pub type ClassNames = dyn Fn(&str) -> Option<String> + Send + Sync;

/// The definition of one key.
#[derive(Clone)]
pub struct ConfigKey {
    /// The key.
    pub name: Text,
    /// The type of its values.
    pub kind: ConfigType,
    /// The default; `None` makes the key required.
    pub default: Option<ConfigData>,
    /// The classes that there are, for keys of type [`ConfigType::Class`].
    pub classes: Option<Arc<ClassNames>>,
    /// A rule for its values.
    pub validator: Option<Validator>,
    /// How likely a user is to set it.
    pub importance: Importance,
    /// What it means.
    pub documentation: Cow<'static, str>,
    /// The group of a form that it belongs to.
    pub group: Option<Cow<'static, str>>,
    /// The position within the group; -1 if undefined.
    pub order: i32,
    /// How wide a form's field should be.
    pub width: Width,
    /// The label of a form's field.
    pub display_name: Cow<'static, str>,
    /// Keys whose recommendations depend on this one.
    pub dependents: Vec<Text>,
    /// Suggests values.
    pub recommender: Option<Recommender>,
    /// Left out of REST answers.
    pub internal: bool,
    /// How many bytes of the name came with [`ConfigDef::embed`].
    pub prefix: usize,
}

impl ConfigKey {
    /// A required key of medium importance without group.
    pub fn new(name: impl Into<Text>, kind: ConfigType) -> Self {
        let name = name.into();
        Self {
            display_name: Cow::Owned(name.to_string()),
            name,
            kind,
            default: None,
            classes: None,
            validator: None,
            importance: Importance::Medium,
            documentation: Cow::Borrowed(""),
            group: None,
            order: -1,
            width: Width::None,
            dependents: Vec::new(),
            recommender: None,
            internal: false,
            prefix: 0,
        }
    }

    /// Gives a default, which makes the key optional.
    pub fn default(mut self, value: ConfigData) -> Self {
        self.default = Some(value);
        self
    }

    /// Makes null the default.
    pub fn default_null(self) -> Self {
        self.default(ConfigData::Null)
    }

    /// Makes this text the default.
    pub fn default_string(self, value: &str) -> Self {
        self.default(ConfigData::String(value.to_owned()))
    }

    /// Makes this number the default.
    pub fn default_int(self, value: i32) -> Self {
        self.default(ConfigData::Int(value))
    }

    /// Makes this number the default.
    pub fn default_long(self, value: i64) -> Self {
        self.default(ConfigData::Long(value))
    }

    /// Makes this truth value the default.
    pub fn default_boolean(self, value: bool) -> Self {
        self.default(ConfigData::Boolean(value))
    }

    /// Makes this list the default.
    pub fn default_list(self, values: &[&str]) -> Self {
        self.default(ConfigData::List(
            values.iter().map(|value| (*value).to_owned()).collect(),
        ))
    }

    /// Sets which classes there are; others are errors.
    pub fn classes(
        mut self,
        find: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.classes = Some(Arc::new(find));
        self
    }

    /// Sets the rule for values.
    pub fn validator(mut self, validator: Validator) -> Self {
        self.validator = Some(validator);
        self
    }

    /// Sets the importance.
    pub fn importance(mut self, importance: Importance) -> Self {
        self.importance = importance;
        self
    }

    /// Sets the documentation.
    pub fn doc(mut self, documentation: impl Into<Cow<'static, str>>) -> Self {
        self.documentation = documentation.into();
        self
    }

    /// Places the key in a form: group, position, width and label.
    pub fn form(
        mut self,
        group: impl Into<Cow<'static, str>>,
        order: i32,
        width: Width,
        display_name: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.group = Some(group.into());
        self.order = order;
        self.width = width;
        self.display_name = display_name.into();
        self
    }

    /// Names the keys whose recommendations depend on this one.
    pub fn dependents(mut self, dependents: &[&'static str]) -> Self {
        self.dependents = dependents.iter().map(|name| Text::from(*name)).collect();
        self
    }

    /// Sets the recommender.
    pub fn recommender(mut self, recommender: Recommender) -> Self {
        self.recommender = Some(recommender);
        self
    }

    /// Leaves the key out of REST answers.
    pub fn internal(mut self) -> Self {
        self.internal = true;
        self
    }
}

/// The keys of a plugin or of the worker, in the order in which forms show
/// them.
#[derive(Clone, Default)]
pub struct ConfigDef {
    keys: IndexMap<Text, ConfigKey>,
    groups: Vec<Cow<'static, str>>,
}

impl ConfigDef {
    /// No keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key. A key of the same name is replaced in its place.
    pub fn define(mut self, key: ConfigKey) -> Self {
        self.add(key);
        self
    }

    /// Adds a key. A key of the same name is replaced in its place.
    pub fn add(&mut self, key: ConfigKey) {
        if let Some(group) = &key.group
            && !self.groups.contains(group)
        {
            self.groups.push(group.clone());
        }
        self.keys.insert(key.name.clone(), key);
    }

    /// Adds all keys of another definition, each with a prefix and in this
    /// group, numbered from `order` on: required keys first, then by importance
    /// and name within a group of their own (`ConfigDef.embed`).
    pub fn embed(&mut self, prefix: &str, group: &str, order: i32, other: &ConfigDef) {
        let mut keys: Vec<&ConfigKey> = other.keys.values().collect();
        keys.sort_by_cached_key(|key| {
            let group = other
                .groups
                .iter()
                .position(|group| key.group.as_ref() == Some(group));
            (
                group,
                key.order,
                key.default.is_some(),
                key.importance,
                key.name.clone(),
            )
        });
        for (key, order) in keys.into_iter().zip(order..) {
            let mut key = key.clone();
            key.name = format!("{prefix}{}", key.name).into();
            key.prefix += prefix.len();
            key.dependents = key
                .dependents
                .iter()
                .map(|name| format!("{prefix}{name}").into())
                .collect();
            key.group = Some(group.to_owned().into());
            key.order = order;
            self.add(key);
        }
    }

    /// The keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &ConfigKey> {
        self.keys.values()
    }

    /// The key of this name.
    pub fn key(&self, name: &str) -> Option<&ConfigKey> {
        self.keys.get(name)
    }

    /// The groups in the order in which they were first named.
    pub fn groups(&self) -> &[Cow<'static, str>] {
        &self.groups
    }
}
