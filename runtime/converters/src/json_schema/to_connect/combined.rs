//! Combinations of several schemas.

use tether_api::data::{SchemaBuilder, SchemaRef, Text};
use tether_api::{ConnectError, Result};

use super::{Known, MAX_DEPTH, Place, SchemaReader};
use crate::json_schema::names;
use crate::json_schema::schema::{Criterion, Kind, Node, NodeId};

impl SchemaReader<'_> {
    /// What a combination is if it is no union.
    pub(super) fn combined(
        &mut self,
        node: &Node,
        criterion: Criterion,
        parts: &[NodeId],
        place: Place,
        id: NodeId,
    ) -> Result<Option<SchemaRef>> {
        if let ([only], true) = (parts, self.options.flatten_singletons) {
            return self.schema(*only, Place::default()).map(Some);
        }
        if criterion == Criterion::All {
            return self.all_of(id, node, parts, place).map(Some);
        }
        let is_null = |reader: &Self, part: &NodeId| matches!(reader.node(*part).kind, Kind::Null);
        if let [first, second] = parts {
            let other = match (is_null(self, first), is_null(self, second)) {
                (true, false) => Some(*second),
                (false, true) => Some(*first),
                (true, true) => {
                    return Err(ConnectError::data(
                        "a union of two nulls has no Connect schema",
                    ));
                }
                (false, false) => None,
            };
            if let Some(other) = other {
                let place = Place {
                    optional: true,
                    ..place
                };
                return self.schema(other, place).map(Some);
            }
        }
        Ok(None)
    }

    /// A struct with a field for each schema of a union, and whether null is one
    /// of them.
    pub(super) fn union(&mut self, parts: &[NodeId]) -> Result<(SchemaBuilder, bool)> {
        let shared = self.options.generalized;
        let mut builder = SchemaBuilder::structure();
        if shared {
            let name = format!("{}{}", names::SHARED_UNION_PREFIX, self.unions);
            self.unions += 1;
            builder = builder
                .name(name.as_str())
                .parameter(names::SHARED_UNION, name);
        } else {
            builder = builder.name(names::ONE_OF);
        }
        let mut index = 0;
        let mut optional = false;
        for part in parts {
            if matches!(self.node(*part).kind, Kind::Null) {
                optional = true;
                builder = builder.optional();
                continue;
            }
            let name = if shared {
                format!("{}{index}", names::SHARED_FIELD_PREFIX)
            } else {
                format!("{}.field.{index}", names::ONE_OF)
            };
            let part = self.schema(*part, Place::OPTIONAL)?;
            builder = builder.try_field(name, part)?;
            index += 1;
        }
        Ok((builder, optional))
    }

    fn all_of(
        &mut self,
        id: NodeId,
        node: &Node,
        parts: &[NodeId],
        place: Place,
    ) -> Result<SchemaRef> {
        let mut properties = Vec::new();
        let mut seen = Vec::new();
        for part in parts {
            self.collect(*part, &mut properties, &mut seen)?;
        }
        if !properties.is_empty() {
            self.structs.insert(id, Known::Begun(Vec::new()));
            let mut builder = SchemaBuilder::structure();
            for (name, part, required) in properties {
                builder = self.field(builder, &name, part, required)?;
            }
            return Ok(self.read(id, builder.with_optional(place.optional), false));
        }
        // Of several parts of a kind the last one counts.
        let document = self.document;
        let last = |wanted: fn(&Kind) -> bool| {
            let mut parts = parts.iter().rev();
            parts
                .find(|part| wanted(&document.node(**part).kind))
                .copied()
        };
        let string = last(|kind| matches!(kind, Kind::String(_)));
        let number = last(|kind| matches!(kind, Kind::Number(_)));
        let constant = last(|kind| matches!(kind, Kind::Const(_)));
        let symbols = last(|kind| matches!(kind, Kind::Enum(_)));
        let reference = last(|kind| matches!(kind, Kind::Reference(_)));
        let chosen = if let Some(combined) = last(|kind| matches!(kind, Kind::Combined(..))) {
            Some(combined)
        } else if constant.is_some() {
            string.or(number)
        } else if symbols.is_some() {
            string.and(symbols).or(number)
        } else if string.is_some() {
            number.or(string)
        } else {
            reference
        };
        match chosen {
            Some(chosen) => self.schema(chosen, place),
            None => Err(ConnectError::data(format!(
                "Unsupported criterion {} for {}",
                Criterion::All.name(),
                node.text
            ))
            .with_class("java.lang.IllegalArgumentException")),
        }
    }

    /// The properties of an object, and of those that it is combined of.
    fn collect(
        &mut self,
        part: NodeId,
        properties: &mut Vec<(Text, NodeId, bool)>,
        seen: &mut Vec<NodeId>,
    ) -> Result<()> {
        if seen.contains(&part) {
            return Ok(());
        }
        seen.push(part);
        self.count(1)?;
        if seen.len() > MAX_DEPTH {
            return Err(ConnectError::data(format!(
                "the schema combines more than {MAX_DEPTH} others"
            )));
        }
        match &self.node(part).kind {
            Kind::Combined(Criterion::All, parts) => {
                for part in parts {
                    self.collect(*part, properties, seen)?;
                }
            }
            Kind::Object(object) => {
                self.count(object.properties.len())?;
                for (name, property) in &object.properties {
                    let required = object.required_properties.contains(name);
                    let known = properties.iter_mut().find(|(known, ..)| *known == **name);
                    match known {
                        Some(known) => (known.1, known.2) = (*property, required),
                        None => properties.push((Text::from(&**name), *property, required)),
                    }
                }
            }
            Kind::Reference(Some(target)) => self.collect(*target, properties, seen)?,
            _ => {}
        }
        Ok(())
    }
}
