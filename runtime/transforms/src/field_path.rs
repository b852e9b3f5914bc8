//! Paths to fields within structs and maps
//! (`org.apache.kafka.connect.transforms.field`, KIP-821).

use tether_api::config::{ConfigKey, ConfigType, Importance, ParsedConfig, Validator};
use tether_api::data::{MapValue, Schema, SchemaRef, Struct, Text, Type, Value};
use tether_api::{ConnectError, Result};

use crate::nulls::Nulls;
use crate::requirements::{require_map_ref, require_struct_ref};

const FIELD_SYNTAX_VERSION: &str = "field.syntax.version";
const PURPOSE: &str = "nested field access";

/// The key that says how paths are written.
pub(crate) fn syntax_key() -> ConfigKey {
    ConfigKey::new(FIELD_SYNTAX_VERSION, ConfigType::String)
        .default_string("V1")
        .validator(Validator::OneOfIgnoreCase(&["V1", "V2"]))
        .importance(Importance::High)
        .doc(
            "How fields are named: V1 has names of the outermost fields only. With V2 dots lead \
             into structs and maps, and names that have dots themselves stand in backticks: \
             `foo.bar`.baz.",
        )
}

/// The names on the way to a field, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldPath(Vec<Text>);

/// Where a path leads in structs of one schema.
#[derive(Debug)]
pub(crate) struct ResolvedPath {
    /// The indices on the way, at least one.
    indices: Box<[usize]>,
    /// The schema at the end.
    pub(crate) schema: SchemaRef,
}

impl FieldPath {
    /// Reads a path in the syntax that the configuration names.
    ///
    /// # Errors
    /// Config, if a backtick has no counterpart or the path is empty.
    pub(crate) fn new(config: &ParsedConfig, path: &str) -> Result<Self> {
        if config
            .string(FIELD_SYNTAX_VERSION)?
            .eq_ignore_ascii_case("V1")
        {
            return Ok(Self(vec![path.into()]));
        }
        Self::nested(path)
    }

    fn nested(path: &str) -> Result<Self> {
        let mut steps: Vec<Text> = Vec::new();
        let mut rest = path;
        while !rest.is_empty() {
            if let Some(quoted) = rest.strip_prefix('`') {
                let (step, after) = quoted_step(quoted).ok_or_else(|| {
                    ConnectError::config(format!(
                        "Incomplete backtick pair in path: [{path}], consider adding a backslash \
                         before backtick at position {} to escape it",
                        // As Java counts.
                        path[..path.len() - rest.len()].encode_utf16().count()
                    ))
                })?;
                steps.push(step.into());
                rest = after;
            } else {
                let (step, after) = rest.split_once('.').unwrap_or((rest, ""));
                steps.push(step.into());
                rest = after;
            }
        }
        if path.ends_with('.') {
            steps.push(Text::new());
        }
        if steps.is_empty() {
            return Err(ConnectError::config("The path to a field is empty"));
        }
        Ok(Self(steps))
    }

    fn last(&self) -> (&str, &[Text]) {
        match self.0.split_last() {
            Some((last, steps)) => (last, steps),
            None => ("", &[]),
        }
    }

    /// Follows the path in a schema; `None` if it leads nowhere.
    ///
    /// # Errors
    /// Data, if it leads through something that is no struct.
    pub(crate) fn resolve(&self, schema: &SchemaRef) -> Result<Option<ResolvedPath>> {
        let mut indices = Vec::with_capacity(self.0.len());
        let mut current = schema.clone();
        for step in &self.0 {
            let Some(field) = look_up(&current, step)? else {
                return Ok(None);
            };
            indices.push(field.0);
            current = field.1;
        }
        Ok(Some(ResolvedPath {
            indices: indices.into_boxed_slice(),
            schema: current,
        }))
    }

    /// Follows the path in a map; null if it leads nowhere.
    ///
    /// # Errors
    /// Data, if it leads through something that is no map.
    pub(crate) fn value_in_map(&self, map: &MapValue) -> Result<Value> {
        let mut current = map;
        let (last, steps) = self.last();
        for step in steps {
            match current.get_text(step) {
                None | Some(Value::Null) => return Ok(Value::Null),
                Some(value) => current = require_map_ref(value, PURPOSE)?,
            }
        }
        Ok(current.get_text(last).cloned().unwrap_or_default())
    }
}

fn look_up(schema: &SchemaRef, name: &str) -> Result<Option<(usize, SchemaRef)>> {
    let target = schema.target();
    let schema: &Schema = target.as_ref().unwrap_or(schema);
    if schema.kind() != Type::Struct {
        return Err(ConnectError::data(
            "Cannot look up fields on non-struct type",
        ));
    }
    Ok(schema
        .field(name)
        .map(|field| (field.index, field.schema.clone())))
}

impl ResolvedPath {
    /// The value at the end; null if one on the way is.
    ///
    /// # Errors
    /// Data, if it leads through something that is no struct.
    pub(crate) fn value(&self, value: &Struct, nulls: Nulls) -> Result<Value> {
        let mut current = value;
        let Some((last, steps)) = self.indices.split_last() else {
            return Ok(Value::Null);
        };
        for index in steps {
            match current.get_at(*index) {
                None | Some(Value::Null) => return Ok(Value::Null),
                Some(value) => current = require_struct_ref(value, PURPOSE)?,
            }
        }
        let found = match nulls {
            Nulls::Default => current.get_at(*last),
            Nulls::Keep => current.values().get(*last),
        };
        Ok(found.cloned().unwrap_or_default())
    }
}

/// The name up to the backtick that ends it, and what follows the dot after
/// that. A backtick ends a name only at the end of the path or before a dot,
/// and not after a backslash.
fn quoted_step(text: &str) -> Option<(String, &str)> {
    let mut step = String::new();
    let mut start = 0;
    let mut from = 0;
    loop {
        let at = from + text[from..].find('`')?;
        let escaped = text[..at].ends_with('\\');
        let after = &text[at + 1..];
        if after.is_empty() {
            if escaped {
                return None;
            }
            step.push_str(&text[start..at]);
            return Some((step, ""));
        }
        if let Some(after) = after.strip_prefix('.') {
            if !escaped {
                step.push_str(&text[start..at]);
                return Some((step, after));
            }
            step.push_str(&text[start..at - 1]);
            step.push('`');
            start = at + 1;
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn steps(path: &str) -> Vec<String> {
        let path = FieldPath::nested(path).unwrap();
        path.0.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn dots_part_names() {
        assert_eq!(steps("a"), ["a"]);
        assert_eq!(steps("a.b.c"), ["a", "b", "c"]);
        assert_eq!(steps("a..b."), ["a", "", "b", ""]);
        assert_eq!(steps("."), ["", ""]);
    }

    #[test]
    fn backticks_keep_dots() {
        assert_eq!(steps("`a.b`.c"), ["a.b", "c"]);
        assert_eq!(steps("a.`b.c`"), ["a", "b.c"]);
        assert_eq!(steps("`a`b`.c"), ["a`b", "c"]);
        assert_eq!(steps(r"`a\`.b`.c"), ["a`.b", "c"]);
        assert_eq!(steps("a`b.c"), ["a`b", "c"]);
        let error = FieldPath::nested("x.`a.b").unwrap_err().to_string();
        assert!(error.contains("position 2 "), "{error}");
        assert!(FieldPath::nested("").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_path_or_refused(path in "[a.`\\\\é]{0,12}") {
            let _ = FieldPath::nested(&path);
        }

        #[test]
        fn quoted_names_read_back(names in proptest::collection::vec("[a-z.]{1,5}", 1..4)) {
            let path: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            prop_assert_eq!(steps(&path.join(".")), names);
        }
    }
}
