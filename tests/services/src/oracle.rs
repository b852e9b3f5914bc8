//! The Java classes that define what bytes, schemas and records are right.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::folders::RunFolder;
use crate::jars::Jars;
use crate::java::{self, Jvm};
use crate::process;

const HEAP_MEBIBYTES: u32 = 256;
const SOURCES: [&str; 4] = [
    "tether/oracle/Oracle.java",
    "tether/oracle/SchemaJson.java",
    "tether/oracle/ValueJson.java",
    "org/apache/kafka/connect/runtime/distributed/Assignments.java",
];

/// A Java program that is asked what the real converters, transformations and so on do.
///
/// The questions, their answers, and how schemas and values look as JSON, are described in
/// `tests/java/oracle/tether/oracle`: `Oracle.java`, `SchemaJson.java` and `ValueJson.java`.
///
/// ```no_run
/// # fn main() -> anyhow::Result<()> {
/// use serde_json::json;
///
/// let answer = tether_services::Oracle::shared()?.ask(&json!({
///     "op": "to_connect",
///     "converter": "org.apache.kafka.connect.storage.StringConverter",
///     "bytes": "aGk=",
/// }))?;
/// assert_eq!(answer["value"], json!({"string": "hi"}));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Oracle {
    conversation: Mutex<Conversation>,
    /// Standard error of the program.
    log: PathBuf,
    _folder: RunFolder,
}

type Shared = Mutex<Option<&'static Oracle>>;

#[derive(Debug)]
struct Conversation {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Oracle {
    /// Compiles the program if its sources have changed, and starts it.
    pub fn start() -> Result<Self> {
        Self::start_with(shared_class_path)
    }

    /// Starts it with the classes of one class path.
    fn start_with(class_path: fn(&Jars) -> String) -> Result<Self> {
        let jars = Jars::fetch()?;
        let classes = compile(&jars).context("cannot compile the Java oracle")?;
        let folder = RunFolder::create("oracle")?;
        let log = folder.path().join("oracle.log");
        let class_path = format!("{}:{}", classes.display(), class_path(&jars));
        let mut command = Jvm::small(HEAP_MEBIBYTES).tool(&class_path);
        command.arg("tether.oracle.Oracle");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?);
        let mut child = process::spawn(command).context("cannot start the Java oracle")?;
        let questions = child.stdin.take().context("no standard input")?;
        let answers = child.stdout.take().context("no standard output")?;
        Ok(Self {
            conversation: Mutex::new(Conversation {
                child,
                questions,
                answers: BufReader::new(answers),
            }),
            log,
            _folder: folder,
        })
    }

    /// The one of this process, started at the first call and ended with the process.
    pub fn shared() -> Result<&'static Self> {
        static SHARED: Shared = Mutex::new(None);
        Self::once(&SHARED, shared_class_path)
    }

    /// The one that knows Confluent's Protobuf converter, and no Avro converter.
    pub fn protobuf() -> Result<&'static Self> {
        static SHARED: Shared = Mutex::new(None);
        Self::once(&SHARED, Jars::protobuf_class_path)
    }

    /// The one that knows Debezium's classes besides.
    pub fn debezium() -> Result<&'static Self> {
        static SHARED: Shared = Mutex::new(None);
        Self::once(&SHARED, Jars::debezium_class_path)
    }

    fn once(shared: &Shared, class_path: fn(&Jars) -> String) -> Result<&'static Self> {
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        match *shared {
            Some(oracle) => Ok(oracle),
            None => Ok(shared.insert(Box::leak(Box::new(Self::start_with(class_path)?)))),
        }
    }

    /// Asks one question. An exception in Java is an answer, with the key `error`.
    ///
    /// # Errors
    ///
    /// The program has ended; the message carries what it printed.
    pub fn ask(&self, question: &Value) -> Result<Value> {
        let mut conversation = self
            .conversation
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut line = serde_json::to_vec(question)?;
        line.push(b'\n');
        let mut answer = String::new();
        let asked = conversation.questions.write_all(&line);
        let asked = asked.and_then(|()| conversation.questions.flush());
        if asked.is_err() || conversation.answers.read_line(&mut answer)? == 0 {
            bail!(
                "the Java oracle has ended; it printed:\n{}",
                fs::read_to_string(&self.log).unwrap_or_default()
            );
        }
        Ok(serde_json::from_str(&answer)?)
    }
}

/// All classes but the Protobuf converter's.
fn shared_class_path(jars: &Jars) -> String {
    let class_path = jars.full_class_path();
    // Classes that Maven Central does not have.
    match std::env::var("TETHER_TEST_ORACLE_CLASSPATH") {
        Ok(more) => format!("{more}:{class_path}"),
        Err(_) => class_path,
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The folder with the compiled classes.
fn compile(jars: &Jars) -> Result<PathBuf> {
    let folder = java::sources().join("oracle");
    let sources = SOURCES.map(|source| folder.join(source));
    let class_path = jars.full_class_path();
    java::compile("oracle", &sources, &class_path)
}
