//! A schema registry just large enough for converters, which both sides ask:
//! the same text under the same subject has the same id.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use serde_json::{Value as Json, json};

/// A registry on a port of its own. Its thread ends with the process.
pub struct StubRegistry {
    url: String,
    schemas: Arc<Mutex<Schemas>>,
}

#[derive(Default)]
struct Schemas {
    /// Requests without their ids; the id of the first is 1.
    all: Vec<Json>,
    /// The ids under each subject; the version of the first is 1.
    subjects: HashMap<String, Vec<usize>>,
}

impl StubRegistry {
    /// Starts an empty registry.
    ///
    /// # Errors
    /// There is no port.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let schemas = Arc::new(Mutex::new(Schemas::default()));
        let shared = schemas.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let schemas = shared.clone();
                // A connection that breaks is the client's affair.
                thread::spawn(move || drop(serve(stream, &schemas)));
            }
        });
        Ok(Self { url, schemas })
    }

    /// `schema.registry.url`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Registers an Avro schema; its id.
    pub fn register(&self, subject: &str, schema: &str) -> usize {
        self.register_body(subject, &json!({"schema": schema}))
    }

    /// Registers what a request of this body would: with `schemaType` and
    /// `references` where they are in it.
    pub fn register_body(&self, subject: &str, body: &Json) -> usize {
        lock(&self.schemas).register(subject, schema_of(body))
    }

    /// Forgets all schemas; the next id is 1 again.
    pub fn forget(&self) {
        *lock(&self.schemas) = Schemas::default();
    }

    /// The number of schemas, which is the last id.
    pub fn len(&self) -> usize {
        lock(&self.schemas).all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text of an id.
    pub fn text(&self, id: usize) -> Option<String> {
        let schemas = lock(&self.schemas);
        let schema = schemas.all.get(id.checked_sub(1)?)?;
        schema["schema"].as_str().map(str::to_owned)
    }
}

fn lock(schemas: &Mutex<Schemas>) -> MutexGuard<'_, Schemas> {
    schemas.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Schemas {
    fn id(&self, schema: &Json) -> Option<usize> {
        self.all
            .iter()
            .position(|known| known == schema)
            .map(|at| at + 1)
    }

    fn register(&mut self, subject: &str, schema: Json) -> usize {
        let id = self.id(&schema).unwrap_or_else(|| {
            self.all.push(schema);
            self.all.len()
        });
        let ids = self.subjects.entry(subject.to_owned()).or_default();
        if !ids.contains(&id) {
            ids.push(id);
        }
        id
    }

    fn version(&self, subject: &str, version: usize) -> Option<Json> {
        let ids = self.subjects.get(subject)?;
        let id = *ids.get(version.checked_sub(1)?)?;
        let mut answer = self.all.get(id - 1)?.clone();
        answer["subject"] = subject.into();
        answer["id"] = id.into();
        answer["version"] = version.into();
        Some(answer)
    }

    fn answer(&mut self, method: &str, path: &[&str], body: &Json) -> Option<Json> {
        let schema = schema_of(body);
        match (method, path) {
            ("POST", ["subjects", subject, "versions"]) => {
                Some(json!({"id": self.register(subject, schema)}))
            }
            ("POST", ["subjects", subject]) => {
                let id = self.id(&schema);
                let ids = self.subjects.get(*subject)?;
                // Real registries compare what schemas mean; here an unknown
                // text is taken for the latest one.
                let version = ids.iter().position(|known| Some(*known) == id);
                self.version(subject, version.map_or(ids.len(), |at| at + 1))
            }
            ("GET", ["schemas", "ids", id]) => self
                .all
                .get(id.parse::<usize>().ok()?.checked_sub(1)?)
                .cloned(),
            ("GET", ["subjects", subject, "versions", "latest"]) => {
                let latest = self.subjects.get(*subject)?.len();
                self.version(subject, latest)
            }
            ("GET", ["subjects", subject, "versions", version]) => {
                self.version(subject, version.parse().ok()?)
            }
            _ => None,
        }
    }
}

/// What tells schemas apart in the body of a request.
fn schema_of(body: &Json) -> Json {
    let mut schema = json!({"schema": body["schema"]});
    for part in ["schemaType", "references"] {
        let value = &body[part];
        let is_default = value.is_null() || *value == "AVRO" || *value == json!([]);
        if !is_default {
            schema[part] = value.clone();
        }
    }
    schema
}

fn serve(stream: TcpStream, schemas: &Mutex<Schemas>) -> Result<()> {
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split(' ');
        let method = words.next().context("no method")?;
        let path = words.next().context("no path")?;
        let length = read_headers(&mut reader)?;
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body = serde_json::from_slice(&body).unwrap_or_default();
        let path = path.split('?').next().unwrap_or_default();
        let path: Vec<&str> = path.split('/').skip(1).collect();
        let (status, answer) = match lock(schemas).answer(method, &path, &body) {
            Some(answer) => (200, answer),
            None => (
                404,
                json!({"error_code": 40403, "message": "Schema not found"}),
            ),
        };
        let answer = answer.to_string();
        let length = answer.len();
        // In one piece, so that the last part need not wait for the first.
        let answer = format!(
            "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
             \r\n{answer}"
        );
        writer.write_all(answer.as_bytes())?;
    }
}

/// The length of the body.
fn read_headers(reader: &mut impl BufRead) -> Result<usize> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end();
        if line.is_empty() {
            return Ok(length);
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
}
