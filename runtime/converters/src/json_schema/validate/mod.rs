//! Whether values fit a schema (`json.fail.invalid.schema`).

mod format;
mod number;

use std::collections::HashMap;

use tether_api::{ConnectError, Result};
use tether_java_regex::Pattern as Regex;

use super::schema::{
    Array, Conditional, Criterion, Document, Kind, NodeId, Number, Object, Pattern,
};
use crate::json::{Tree, TreeShape};

/// The most schemas that are tried for one value.
const MAX_STEPS: usize = 10_000_000;
/// The deepest nesting of schemas that are tried.
const MAX_DEPTH: usize = 500;

/// A schema that values are held against.
pub(super) struct Validator {
    document: Document,
    patterns: HashMap<String, Regex>,
}

impl Validator {
    /// Prepares a schema.
    ///
    /// # Errors
    /// Data, if it has a regular expression that is none.
    pub(super) fn new(document: Document) -> Result<Self> {
        let mut patterns = HashMap::new();
        for pattern in document.patterns() {
            let regex = Regex::anywhere(pattern).map_err(|error| {
                ConnectError::data(format!(
                    "the schema has the pattern {pattern}, which cannot be used: {error}"
                ))
            })?;
            patterns.insert(pattern.to_string(), regex);
        }
        Ok(Self { document, patterns })
    }

    /// Checks JSON text.
    ///
    /// # Errors
    /// Data, if it is no JSON or does not fit.
    pub(super) fn validate_text(&self, text: &[u8]) -> Result<()> {
        let text =
            std::str::from_utf8(text).map_err(|error| ConnectError::data(error.to_string()))?;
        let tree = Tree::parse(text).map_err(|error| ConnectError::data(error.to_string()))?;
        let mut check = Check {
            validator: self,
            steps: 0,
            depth: 0,
        };
        check.value(self.document.root(), &tree).map_err(|fault| {
            let reason = match fault {
                Fault::Mismatch(reason) => reason,
                Fault::Limit => format!(
                    "the check takes more than {MAX_STEPS} steps or {MAX_DEPTH} nested schemas"
                ),
            };
            ConnectError::data(format!("the JSON does not match the schema: {reason}"))
                .with_class("org.apache.kafka.common.errors.SerializationException")
        })
    }
}

/// Why a value does not fit.
enum Fault {
    Mismatch(String),
    /// Nobody knows, as it would take too long.
    Limit,
}

type Verdict = std::result::Result<(), Fault>;

fn mismatch(reason: impl Into<String>) -> Verdict {
    Err(Fault::Mismatch(reason.into()))
}

/// A mismatch within a part of a value.
fn within(part: impl std::fmt::Display, verdict: Verdict) -> Verdict {
    verdict.map_err(|fault| match fault {
        Fault::Mismatch(reason) => Fault::Mismatch(format!("{part}: {reason}")),
        Fault::Limit => Fault::Limit,
    })
}

struct Check<'a> {
    validator: &'a Validator,
    steps: usize,
    depth: usize,
}

impl Check<'_> {
    fn value(&mut self, id: NodeId, value: &Tree<'_>) -> Verdict {
        self.steps += 1;
        if self.steps > MAX_STEPS || self.depth == MAX_DEPTH {
            return Err(Fault::Limit);
        }
        self.depth += 1;
        let verdict = self.value_of(id, value);
        self.depth -= 1;
        verdict
    }

    /// Whether a value fits, if that can be told.
    fn fits(&mut self, id: NodeId, value: &Tree<'_>) -> std::result::Result<bool, Fault> {
        match self.value(id, value) {
            Ok(()) => Ok(true),
            Err(Fault::Mismatch(_)) => Ok(false),
            Err(Fault::Limit) => Err(Fault::Limit),
        }
    }

    fn value_of(&mut self, id: NodeId, value: &Tree<'_>) -> Verdict {
        let validator = self.validator;
        match &validator.document.node(id).kind {
            Kind::True | Kind::Empty => Ok(()),
            Kind::False => mismatch("nothing may be here"),
            Kind::Null => typed(matches!(value.shape, TreeShape::Null), "null"),
            Kind::Boolean => typed(matches!(value.shape, TreeShape::Boolean(_)), "a boolean"),
            Kind::Number(number) => check_number(number, value),
            Kind::String(pattern) => self.string(pattern, value),
            Kind::Const(expected) => equal_to(expected, value, "const"),
            Kind::Enum(values) => {
                let found = values.iter().any(|expected| {
                    Tree::parse(expected).is_ok_and(|expected| equal(&expected, value))
                });
                typed(found, "one of the enumerated values")
            }
            Kind::Combined(criterion, parts) => self.combined(*criterion, parts, value),
            Kind::Array(array) => self.array(array, value),
            Kind::Object(object) => self.object(object, value),
            Kind::Not(part) => match self.fits(*part, value)? {
                true => mismatch("it must not match the schema of not"),
                false => Ok(()),
            },
            Kind::Conditional(conditional) => self.conditional(conditional, value),
            Kind::Reference(Some(target)) => self.value(*target, value),
            Kind::Reference(None) => mismatch("it refers to nothing"),
        }
    }

    fn combined(&mut self, criterion: Criterion, parts: &[NodeId], value: &Tree<'_>) -> Verdict {
        if criterion == Criterion::All {
            return parts.iter().try_for_each(|part| self.value(*part, value));
        }
        let mut matching = 0;
        for part in parts {
            matching += usize::from(self.fits(*part, value)?);
        }
        match criterion {
            Criterion::One if matching != 1 => {
                mismatch(format!("{matching} schemas of oneOf match instead of one"))
            }
            Criterion::Any if matching == 0 => mismatch("no schema of anyOf matches"),
            _ => Ok(()),
        }
    }

    fn conditional(&mut self, conditional: &Conditional, value: &Tree<'_>) -> Verdict {
        let Some(condition) = conditional.condition else {
            return Ok(());
        };
        let next = match self.fits(condition, value)? {
            true => conditional.then,
            false => conditional.otherwise,
        };
        next.map_or(Ok(()), |next| self.value(next, value))
    }

    /// Whether a pattern of the schema matches.
    fn matches(&self, pattern: &str, text: &str) -> bool {
        let regex = self.validator.patterns.get(pattern);
        regex.is_none_or(|regex| regex.matches(text))
    }

    fn string(&self, schema: &Pattern, value: &Tree<'_>) -> Verdict {
        let TreeShape::String(text) = &value.shape else {
            return typed(!schema.required, "a string");
        };
        let length = text.chars().count() as u64;
        if schema.min_length.is_some_and(|least| length < least) {
            return mismatch(format!("it has {length} characters, fewer than minLength"));
        }
        if schema.max_length.is_some_and(|most| length > most) {
            return mismatch(format!("it has {length} characters, more than maxLength"));
        }
        if let Some(pattern) = &schema.pattern
            && !self.matches(pattern, text)
        {
            return mismatch(format!("it does not match the pattern {pattern}"));
        }
        match &schema.format {
            Some(format) if !format::fits(format, text) => {
                mismatch(format!("it is no valid {format}"))
            }
            _ => Ok(()),
        }
    }

    fn array(&mut self, schema: &Array, value: &Tree<'_>) -> Verdict {
        let TreeShape::Array(elements) = &value.shape else {
            return typed(!schema.required, "an array");
        };
        let length = elements.len() as u64;
        if schema.min_items.is_some_and(|least| length < least) {
            return mismatch(format!("it has {length} elements, fewer than minItems"));
        }
        if schema.max_items.is_some_and(|most| length > most) {
            return mismatch(format!("it has {length} elements, more than maxItems"));
        }
        if schema.unique {
            self.unique(elements)?;
        }
        let tuple = schema.tuple.as_deref().unwrap_or_default();
        if schema.tuple.is_some() && !schema.more && elements.len() > tuple.len() {
            return mismatch(format!("it has {length} elements, more than are described"));
        }
        for (index, element) in elements.iter().enumerate() {
            let after = if schema.tuple.is_some() {
                schema.additional
            } else {
                schema.items
            };
            if let Some(part) = tuple.get(index).copied().or(after) {
                within(index, self.value(part, element))?;
            }
        }
        let Some(contains) = schema.contains else {
            return Ok(());
        };
        for element in elements {
            if self.fits(contains, element)? {
                return Ok(());
            }
        }
        mismatch("no element matches the schema of contains")
    }

    fn unique(&mut self, elements: &[Tree<'_>]) -> Verdict {
        for (index, element) in elements.iter().enumerate() {
            self.steps += index;
            if self.steps > MAX_STEPS {
                return Err(Fault::Limit);
            }
            if elements[..index].iter().any(|other| equal(other, element)) {
                return mismatch("its elements are not unique");
            }
        }
        Ok(())
    }

    fn object(&mut self, schema: &Object, value: &Tree<'_>) -> Verdict {
        let TreeShape::Object(members) = &value.shape else {
            return typed(!schema.required, "an object");
        };
        let length = members.len() as u64;
        if schema.min_properties.is_some_and(|least| length < least) {
            return mismatch(format!("it has {length} members, fewer than minProperties"));
        }
        if schema.max_properties.is_some_and(|most| length > most) {
            return mismatch(format!("it has {length} members, more than maxProperties"));
        }
        for name in &schema.required_properties {
            if value.get(name).is_none() {
                return mismatch(format!("required key [{name}] not found"));
            }
        }
        for (name, others) in &schema.dependent_names {
            let missing = others.iter().find(|other| value.get(other).is_none());
            if let (Some(_), Some(missing)) = (value.get(name), missing) {
                return mismatch(format!("property [{missing}] is required"));
            }
        }
        for (name, part) in &schema.dependent_schemas {
            if value.get(name).is_some() {
                self.value(*part, value)?;
            }
        }
        members
            .iter()
            .try_for_each(|(name, member)| self.member(schema, name, member))
    }

    fn member(&mut self, schema: &Object, name: &str, value: &Tree<'_>) -> Verdict {
        if let Some(names) = schema.names {
            let mut text = Vec::new();
            crate::json::write_string(name, &mut text);
            let text = String::from_utf8_lossy(&text).into_owned();
            let tree = Tree {
                text: &text,
                shape: TreeShape::String(name.into()),
            };
            within(name, self.value(names, &tree))?;
        }
        let property = schema.property(name);
        if let Some(part) = property {
            within(name, self.value(part, value))?;
        }
        let mut described = property.is_some();
        for (pattern, part) in &schema.patterns {
            if self.matches(pattern, name) {
                described = true;
                within(name, self.value(*part, value))?;
            }
        }
        match (described, schema.more, schema.additional) {
            (true, ..) | (false, true, None) => Ok(()),
            (false, true, Some(part)) => within(name, self.value(part, value)),
            (false, false, _) => mismatch(format!("extraneous key [{name}] is not permitted")),
        }
    }
}

fn typed(fits: bool, expected: &str) -> Verdict {
    if fits {
        return Ok(());
    }
    mismatch(format!("expected {expected}"))
}

fn equal_to(expected: &str, value: &Tree<'_>, keyword: &str) -> Verdict {
    let equal = Tree::parse(expected).is_ok_and(|expected| equal(&expected, value));
    typed(equal, &format!("the value of {keyword}"))
}

/// Whether two values are the same; numbers by what they amount to.
fn equal(one: &Tree<'_>, other: &Tree<'_>) -> bool {
    match (&one.shape, &other.shape) {
        (TreeShape::Null, TreeShape::Null) => true,
        (TreeShape::Boolean(one), TreeShape::Boolean(other)) => one == other,
        (TreeShape::String(one), TreeShape::String(other)) => one == other,
        (TreeShape::Number { .. }, TreeShape::Number { .. }) => {
            number::compare(one.text, other.text).is_some_and(|order| order.is_eq())
        }
        (TreeShape::Array(one), TreeShape::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (TreeShape::Object(ones), TreeShape::Object(others)) => {
            ones.len() == others.len()
                && ones
                    .iter()
                    .all(|(name, one)| other.get(name).is_some_and(|other| equal(one, other)))
        }
        _ => false,
    }
}

fn check_number(schema: &Number, value: &Tree<'_>) -> Verdict {
    let TreeShape::Number { integral } = value.shape else {
        return typed(!schema.required && !schema.integer, "a number");
    };
    if schema.integer && !integral {
        return mismatch("expected an integer");
    }
    let order = |limit: &Option<tether_api::data::Text>| {
        limit
            .as_ref()
            .and_then(|limit| number::compare(value.text, limit))
    };
    if order(&schema.minimum).is_some_and(|order| order.is_lt()) {
        return mismatch("it is less than minimum");
    }
    if order(&schema.maximum).is_some_and(|order| order.is_gt()) {
        return mismatch("it is greater than maximum");
    }
    if order(&schema.exclusive_minimum).is_some_and(|order| order.is_le()) {
        return mismatch("it is not greater than exclusiveMinimum");
    }
    if order(&schema.exclusive_maximum).is_some_and(|order| order.is_ge()) {
        return mismatch("it is not less than exclusiveMaximum");
    }
    match &schema.multiple_of {
        Some(divisor) if !number::is_multiple(value.text, divisor) => {
            mismatch(format!("it is not a multiple of {divisor}"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
