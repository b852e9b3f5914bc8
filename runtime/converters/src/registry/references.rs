//! The schemas that a schema refers to.

use std::collections::HashSet;

use tether_api::ConnectError;

use super::{CachedRegistry, RegisteredText, RegistryError, SchemaKind, SchemaReference};

/// The most schemas that one refers to, directly or not.
const MAX_REFERENCES: usize = 1000;

/// A schema by the name under which another one refers to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Referred {
    /// A full name in Avro, a path in Protobuf, an address in JSON Schema.
    pub(crate) name: String,
    pub(crate) schema: RegisteredText,
}

/// Why the schemas that one refers to are not known.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum ReferenceError {
    /// The registry has no such schema, or gave no answer.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// There are too many.
    #[error("the schema refers to more than {MAX_REFERENCES} others")]
    TooMany,
}

/// Why a registered schema is of no use.
pub(crate) enum SchemaFailure {
    /// Another one that it refers to is not known.
    Reference(ReferenceError),
    /// It is in another language.
    Foreign(ConnectError),
    /// It is not valid in its language.
    Invalid(ConnectError),
}

impl CachedRegistry {
    /// The schemas that one refers to, as [`referred`](Self::referred), if it
    /// is in this language.
    ///
    /// # Errors
    /// It is in another one, or what it refers to is not known.
    pub(crate) async fn referred_in(
        &self,
        kind: SchemaKind,
        schema: &RegisteredText,
    ) -> Result<Vec<Referred>, SchemaFailure> {
        if schema.kind != kind {
            return Err(SchemaFailure::Foreign(ConnectError::data(format!(
                "the type of the schema is {} and not {}; use the converter of its type",
                schema.kind.name(),
                kind.name()
            ))));
        }
        let referred = self.referred(schema).await;
        referred.map_err(SchemaFailure::Reference)
    }

    /// The schemas that one refers to, directly or not, each after those that
    /// it refers to itself. Of several of one name the first one counts, and
    /// so a circle ends.
    ///
    /// # Errors
    /// One of them is not there, or there are too many.
    async fn referred(&self, schema: &RegisteredText) -> Result<Vec<Referred>, ReferenceError> {
        enum Step {
            Ask(SchemaReference),
            Add(Referred),
        }
        fn ask(schema: &RegisteredText) -> impl Iterator<Item = Step> {
            schema.references.iter().rev().cloned().map(Step::Ask)
        }
        let mut ordered = Vec::new();
        let mut seen = HashSet::new();
        let mut steps: Vec<_> = ask(schema).collect();
        while let Some(step) = steps.pop() {
            let reference = match step {
                Step::Ask(reference) => reference,
                Step::Add(referred) => {
                    ordered.push(referred);
                    continue;
                }
            };
            if !seen.insert(reference.name.clone()) {
                continue;
            }
            if seen.len() > MAX_REFERENCES {
                return Err(ReferenceError::TooMany);
            }
            let found = self
                .by_version(&reference.subject, reference.version)
                .await?;
            let next: Vec<_> = ask(&found).collect();
            steps.push(Step::Add(Referred {
                name: reference.name,
                schema: found,
            }));
            steps.extend(next);
        }
        Ok(ordered)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{MemoryRegistry, SchemaKind, SchemaRegistry};
    use super::*;

    fn text(name: &str, references: &[&str]) -> RegisteredText {
        RegisteredText {
            kind: SchemaKind::Protobuf,
            text: name.into(),
            references: references
                .iter()
                .map(|name| SchemaReference {
                    name: format!("{name}.proto"),
                    subject: (*name).to_owned(),
                    version: 1,
                })
                .collect(),
        }
    }

    async fn referred(schemas: &[(&str, &[&str])]) -> Result<Vec<String>, ReferenceError> {
        let registry = Arc::new(MemoryRegistry::default());
        for (name, references) in schemas {
            let text = text(name, references);
            registry.register(name, &text, false).await?;
        }
        let cached = CachedRegistry::new(registry, 10_000);
        let referred = cached.referred(&text("root", &["a", "b"])).await?;
        Ok(referred.into_iter().map(|referred| referred.name).collect())
    }

    #[tokio::test]
    async fn what_is_referred_to_comes_first() {
        let names = referred(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])]).await;
        assert_eq!(names.unwrap(), ["c.proto", "b.proto", "a.proto"]);
    }

    #[tokio::test]
    async fn circles_end() {
        let names = referred(&[("a", &["b"]), ("b", &["a", "b"])]).await;
        assert_eq!(names.unwrap(), ["b.proto", "a.proto"]);
    }

    #[tokio::test]
    async fn what_is_not_there_is_an_error() {
        let error = referred(&[("a", &[]), ("b", &["x"])]).await.unwrap_err();
        assert!(error.to_string().contains("40401"), "{error}");
    }

    #[tokio::test]
    async fn there_is_an_end_to_references() {
        let names: Vec<String> = (0..=MAX_REFERENCES).map(|n| format!("s{n}")).collect();
        let next: Vec<[&str; 1]> = names[1..].iter().map(|name| [name.as_str()]).collect();
        let mut schemas: Vec<(&str, &[&str])> = vec![("a", &["s0"]), ("b", &[])];
        schemas.extend(names.iter().zip(&next).map(|(n, next)| (&**n, &next[..])));
        let error = referred(&schemas).await.unwrap_err();
        assert!(matches!(error, ReferenceError::TooMany), "{error}");
    }
}
