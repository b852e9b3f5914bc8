//! The files that a schema imports, registered before it
//! (`AbstractKafkaProtobufSerializer.resolveDependencies`).

use tether_api::{ConnectError, Result};

use super::WORDS;
use super::config::ReferenceOptions;
use super::proto::{ProtoFile, known, known_text};
use crate::registry::{RegisteredText, SchemaKind, SchemaReference, SerdeConfig, Target};

/// How deep files import each other.
const MAX_DEPTH: usize = 20;

/// The references of a schema to the files that it imports.
///
/// # Errors
/// One of them cannot be registered, or is not.
pub(super) async fn references(
    serde: &SerdeConfig,
    options: ReferenceOptions,
    topic: &str,
    file: &ProtoFile,
) -> Result<Vec<SchemaReference>> {
    // What is made of Connect schemas imports only what everybody has.
    if options.skip_known {
        return Ok(Vec::new());
    }
    let mut references = Vec::new();
    for path in &file.imports {
        references.push(reference(serde, options, topic, path, MAX_DEPTH).await?);
    }
    Ok(references)
}

async fn reference(
    serde: &SerdeConfig,
    options: ReferenceOptions,
    topic: &str,
    path: &str,
    depth: usize,
) -> Result<SchemaReference> {
    let (Some(text), Some(file)) = (known_text(path), known(path)) else {
        return Err(ConnectError::data(format!(
            "the imported file {path} is not known"
        )));
    };
    let mut references = Vec::new();
    if depth > 0 {
        for path in &file.imports {
            let inner = Box::pin(reference(serde, options, topic, path, depth - 1));
            references.push(inner.await?);
        }
    }
    let own = RegisteredText {
        kind: SchemaKind::Protobuf,
        text: text.into(),
        references,
    };
    let subject = if options.qualified {
        path.replace(".proto", "").replace('/', ".")
    } else {
        path.to_owned()
    };
    let failed = |error| {
        let question = format!("Error registering Protobuf schema: {text}");
        WORDS.write_refused(topic, question, error)
    };
    let (id, schema) = if options.lookup_only {
        let id = serde.registry.id(&subject, &own, serde.normalize).await;
        (id.map_err(failed)?, own)
    } else {
        match serde.target(&WORDS, topic, &subject, &own).await? {
            Target::Own(id) => (id, own),
            Target::Other(found) => (found.id, found.schema),
        }
    };
    let version = serde.registry.version(&subject, id, &schema).await;
    Ok(SchemaReference {
        name: path.to_owned(),
        subject,
        version: version.map_err(failed)?,
    })
}
