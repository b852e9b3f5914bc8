//! Names of records, enumerations and fixed types.

use super::SchemaError;

/// A name within a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::avro) struct Name {
    pub(in crate::avro) namespace: Option<String>,
    pub(in crate::avro) name: String,
}

/// Names that a type without namespace would hide; the last eight are those of
/// simple types.
const TYPES: [&str; 14] = [
    "record", "enum", "array", "map", "union", "fixed", "string", "bytes", "int", "long", "float",
    "double", "boolean", "null",
];

impl Name {
    /// A name; one with dots has its namespace in it.
    pub(in crate::avro) fn new(name: &str, namespace: Option<&str>) -> Self {
        let (namespace, name) = match name.rsplit_once('.') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (namespace, name),
        };
        Self {
            namespace: namespace.filter(|text| !text.is_empty()).map(str::to_owned),
            name: name.to_owned(),
        }
    }

    /// A name that must be one.
    ///
    /// # Errors
    /// If it has characters that no name may have.
    pub(in crate::avro) fn checked(
        name: &str,
        namespace: Option<&str>,
    ) -> Result<Self, SchemaError> {
        let name = Self::new(name, namespace);
        check_name(&name.name)?;
        Ok(name)
    }

    /// Why a type may not have this name: without a namespace, it is a simple
    /// type's.
    pub(in crate::avro) fn refused(&self) -> Option<String> {
        let simple = &TYPES[TYPES.len() - 8..];
        let refused = self.namespace.is_none() && simple.contains(&self.name.as_str());
        refused.then(|| format!("Schemas may not be named after primitives: {}", self.name))
    }

    /// The name with its namespace.
    pub(in crate::avro) fn full(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}.{}", self.name),
            None => self.name.clone(),
        }
    }

    /// The name as it is written within a namespace.
    pub(in crate::avro) fn within(&self, namespace: Option<&str>) -> String {
        let same = self.namespace.is_some() && self.namespace.as_deref() == namespace;
        if same && !TYPES.contains(&self.name.as_str()) {
            self.name.clone()
        } else {
            self.full()
        }
    }
}

/// Checks a name of a type or field.
///
/// # Errors
/// If it has characters that no name may have.
pub(in crate::avro) fn check_name(name: &str) -> Result<(), SchemaError> {
    let mut characters = name.chars();
    match characters.next() {
        None => return Err(SchemaError("Empty name".to_owned())),
        Some(first) if !(first.is_alphabetic() || first == '_') => {
            return Err(SchemaError(format!("Illegal initial character: {name}")));
        }
        Some(_) => {}
    }
    if characters.all(|c| c.is_alphanumeric() || c == '_') {
        Ok(())
    } else {
        Err(SchemaError(format!("Illegal character in: {name}")))
    }
}
