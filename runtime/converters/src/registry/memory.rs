//! A registry within the process, for tests and demonstrations
//! (`MockSchemaRegistryClient`).

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use async_trait::async_trait;

use super::{Registered, RegisteredText, RegistryError, SchemaRegistry};

/// A registry in memory.
#[derive(Default)]
pub(crate) struct MemoryRegistry {
    content: Mutex<Content>,
}

#[derive(Default)]
struct Content {
    /// All schemas; the id of the first is 1.
    schemas: Vec<RegisteredText>,
    /// The ids under each subject; the version of the first is 1.
    subjects: HashMap<String, Vec<i32>>,
}

impl MemoryRegistry {
    /// The one registry of this name in the process.
    pub(crate) fn of_scope(scope: &str) -> Arc<Self> {
        static SCOPES: LazyLock<Mutex<HashMap<String, Arc<MemoryRegistry>>>> =
            LazyLock::new(Mutex::default);
        let mut scopes = SCOPES.lock().unwrap_or_else(PoisonError::into_inner);
        scopes.entry(scope.to_owned()).or_default().clone()
    }

    fn with<T>(&self, act: impl FnOnce(&mut Content) -> T) -> T {
        act(&mut self.content.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Content {
    fn id(&self, schema: &RegisteredText) -> Option<i32> {
        let index = self.schemas.iter().position(|known| known == schema)?;
        i32::try_from(index + 1).ok()
    }

    fn schema(&self, id: i32) -> Result<RegisteredText, RegistryError> {
        let index = usize::try_from(id).ok().and_then(|id| id.checked_sub(1));
        let schema = index.and_then(|index| self.schemas.get(index));
        schema
            .cloned()
            .ok_or_else(|| not_found(40403, "Schema Not Found"))
    }

    fn ids(&self, subject: &str) -> Result<&[i32], RegistryError> {
        match self.subjects.get(subject) {
            Some(ids) => Ok(ids),
            None => Err(not_found(40401, "Subject Not Found")),
        }
    }

    fn registered(&self, index: usize, ids: &[i32]) -> Result<Registered, RegistryError> {
        Ok(Registered {
            id: ids[index],
            version: i32::try_from(index + 1).unwrap_or(i32::MAX),
            schema: self.schema(ids[index])?,
        })
    }
}

fn not_found(code: i32, message: &str) -> RegistryError {
    RegistryError::Refused {
        status: 404,
        code,
        message: message.to_owned(),
    }
}

#[async_trait]
impl SchemaRegistry for MemoryRegistry {
    async fn register(
        &self,
        subject: &str,
        schema: &RegisteredText,
        _normalize: bool,
    ) -> Result<i32, RegistryError> {
        Ok(self.with(|content| {
            let id = content.id(schema).unwrap_or_else(|| {
                content.schemas.push(schema.clone());
                i32::try_from(content.schemas.len()).unwrap_or(i32::MAX)
            });
            let ids = content.subjects.entry(subject.to_owned()).or_default();
            if !ids.contains(&id) {
                ids.push(id);
            }
            id
        }))
    }

    async fn look_up(
        &self,
        subject: &str,
        schema: &RegisteredText,
        _normalize: bool,
        _deleted: bool,
    ) -> Result<Registered, RegistryError> {
        self.with(|content| {
            let ids = content.ids(subject)?;
            let id = content.id(schema);
            match ids.iter().position(|known| Some(*known) == id) {
                Some(index) => content.registered(index, ids),
                None => Err(not_found(40403, "Schema Not Found")),
            }
        })
    }

    async fn latest(&self, subject: &str) -> Result<Registered, RegistryError> {
        self.with(|content| {
            let ids = content.ids(subject)?;
            content.registered(ids.len() - 1, ids)
        })
    }

    /// No schema has properties here.
    async fn latest_with(
        &self,
        subject: &str,
        _properties: &[(String, String)],
    ) -> Result<Registered, RegistryError> {
        self.with(|content| content.ids(subject).map(drop))?;
        Err(not_found(40403, "Schema Not Found"))
    }

    async fn by_id(
        &self,
        _subject: Option<&str>,
        id: i32,
    ) -> Result<RegisteredText, RegistryError> {
        self.with(|content| content.schema(id))
    }

    async fn by_version(
        &self,
        subject: &str,
        version: i32,
    ) -> Result<RegisteredText, RegistryError> {
        self.with(|content| {
            let ids = content.ids(subject)?;
            let index = usize::try_from(version).ok().and_then(|v| v.checked_sub(1));
            match index.and_then(|index| ids.get(index)) {
                Some(id) => content.schema(*id),
                None => Err(not_found(40402, "Version Not Found")),
            }
        })
    }
}
