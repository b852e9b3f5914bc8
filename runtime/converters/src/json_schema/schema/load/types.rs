//! What the keywords of each type of values demand.

use std::collections::HashMap;

use tether_api::Result;
use tether_api::data::Text;

use super::draft::Draft;
use super::keywords::{
    Keywords, boolean_of, count_of, elements, expected, members, number_of, string_of,
};
use super::{Loader, Scope};
use crate::json::{Tree, TreeShape};
use crate::json_schema::hash_order;
use crate::json_schema::schema::{Array, Kind, NodeId, Number, Object, Pattern};

impl<'a> Loader<'a> {
    pub(super) fn number(
        &mut self,
        required: bool,
        integer: bool,
        keywords: &mut Keywords<'a>,
    ) -> Result<Kind> {
        let mut number = Number {
            required,
            integer,
            minimum: number_of(keywords.take("minimum"), "minimum")?,
            maximum: number_of(keywords.take("maximum"), "maximum")?,
            multiple_of: number_of(keywords.take("multipleOf"), "multipleOf")?,
            ..Number::default()
        };
        let lower = keywords.take("exclusiveMinimum");
        let upper = keywords.take("exclusiveMaximum");
        if self.draft > Draft::Four {
            number.exclusive_minimum = number_of(lower, "exclusiveMinimum")?;
            number.exclusive_maximum = number_of(upper, "exclusiveMaximum")?;
        } else {
            if boolean_of(lower, "exclusiveMinimum")? == Some(true) {
                number.exclusive_minimum = number.minimum.take();
            }
            if boolean_of(upper, "exclusiveMaximum")? == Some(true) {
                number.exclusive_maximum = number.maximum.take();
            }
        }
        Ok(Kind::Number(number))
    }

    pub(super) fn string(&mut self, required: bool, keywords: &mut Keywords<'a>) -> Result<Kind> {
        let pattern = string_of(keywords.take("pattern"), "pattern")?;
        let format = string_of(keywords.take("format"), "format")?;
        Ok(Kind::String(Pattern {
            required,
            min_length: count_of(keywords.take("minLength"), "minLength")?,
            max_length: count_of(keywords.take("maxLength"), "maxLength")?,
            pattern,
            // Modern schemas only describe with it.
            format: format.filter(|_| self.draft != Draft::Modern),
        }))
    }

    pub(super) fn array(
        &mut self,
        required: bool,
        keywords: &mut Keywords<'a>,
        scope: &Scope<'a>,
    ) -> Result<Kind> {
        let mut array = Array {
            required,
            min_items: count_of(keywords.take("minItems"), "minItems")?,
            max_items: count_of(keywords.take("maxItems"), "maxItems")?,
            unique: boolean_of(keywords.take("uniqueItems"), "uniqueItems")? == Some(true),
            more: true,
            ..Array::default()
        };
        let modern = self.draft == Draft::Modern;
        let items = keywords.take("items");
        let rest = keywords.take("additionalItems");
        let (first, items, rest) = match (keywords.take("prefixItems"), items) {
            (Some(first), rest) if modern => (Some(first), None, rest),
            (_, Some(tree)) if matches!(tree.shape, TreeShape::Array(_)) => {
                (Some(tree), None, rest)
            }
            (_, items) => (None, items, rest),
        };
        if let Some(first) = first {
            let first = elements("items", first)?.iter();
            let first = first.map(|part| self.node(part, scope));
            array.tuple = Some(first.collect::<Result<_>>()?);
        }
        (array.more, array.additional) = self.rest(rest, scope)?;
        // In modern schemas, true demands nothing at all.
        let items = items.filter(|tree| !modern || !matches!(tree.shape, TreeShape::Boolean(_)));
        if let Some(items) = items {
            array.items = Some(self.node(items, scope)?);
        }
        if self.draft.knows("contains")
            && let Some(contains) = keywords.take("contains")
        {
            array.contains = Some(self.node(contains, scope)?);
        }
        Ok(Kind::Array(Box::new(array)))
    }

    /// Whether there may be more, and what that must be.
    fn rest(
        &mut self,
        rest: Option<&'a Tree<'a>>,
        scope: &Scope<'a>,
    ) -> Result<(bool, Option<NodeId>)> {
        Ok(match rest.map(|rest| (rest, &rest.shape)) {
            None => (true, None),
            Some((_, TreeShape::Boolean(more))) => (*more, None),
            Some((rest, TreeShape::Object(_))) => (true, Some(self.node(rest, scope)?)),
            Some((rest, _)) => {
                return Err(expected("what may be additional", "a schema", rest));
            }
        })
    }

    pub(super) fn properties(
        &mut self,
        required: bool,
        keywords: &mut Keywords<'a>,
        scope: &Scope<'a>,
    ) -> Result<Kind> {
        let mut object = Object {
            required,
            min_properties: count_of(keywords.take("minProperties"), "minProperties")?,
            max_properties: count_of(keywords.take("maxProperties"), "maxProperties")?,
            ..Object::default()
        };
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (name, part) in members(keywords.take("properties"), "properties")? {
            // Draft 4 has a keyword where a property of that name could be.
            let is_id = *name == *self.draft.id_keyword();
            if is_id && !matches!(part.shape, TreeShape::Object(_)) {
                continue;
            }
            let property = (Text::from(&**name), self.node(part, scope)?);
            // Of several of one name the last one counts.
            match places.insert(name, object.properties.len()) {
                None => object.properties.push(property),
                Some(place) => {
                    object.properties[place] = property;
                    places.insert(name, place);
                }
            }
        }
        let count = object.properties.len();
        for buckets in [
            hash_order::grown(count),
            hash_order::made_for(count.max(1)),
            hash_order::grown(count),
        ] {
            hash_order::sort(&mut object.properties, buckets, |(name, _)| name);
        }
        (object.more, object.additional) =
            self.rest(keywords.take("additionalProperties"), scope)?;
        if let Some(names) = keywords.take("required") {
            for name in elements("required", names)? {
                object
                    .required_properties
                    .extend(string_of(Some(name), "required")?);
            }
        }
        for (name, part) in members(keywords.take("patternProperties"), "patternProperties")? {
            object
                .patterns
                .push((Text::from(&**name), self.node(part, scope)?));
        }
        for keyword in ["dependencies", "dependentRequired", "dependentSchemas"] {
            if !self.draft.knows(keyword) {
                continue;
            }
            for (name, part) in members(keywords.take(keyword), keyword)? {
                match &part.shape {
                    TreeShape::Array(names) => {
                        let names = names.iter().map(|name| string_of(Some(name), keyword));
                        let names = names.collect::<Result<Vec<_>>>()?;
                        let names = names.into_iter().flatten().collect();
                        object.dependent_names.push((Text::from(&**name), names));
                    }
                    _ => object
                        .dependent_schemas
                        .push((Text::from(&**name), self.node(part, scope)?)),
                }
            }
        }
        if self.draft.knows("propertyNames")
            && let Some(names) = keywords.take("propertyNames")
        {
            object.names = Some(self.node(names, scope)?);
        }
        Ok(Kind::Object(Box::new(object)))
    }
}
