//! One database, the two workers beside each other on it, and the changes that their connectors stream.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;
use tether_services::{ConnectWorker, Postgres, shared};
use tether_tests::eventually::within;
use tether_tests::registry_client::RegistryClient;
use tether_tests::rest_client::RestClient;
use tether_tests::topics::Topics;
use tether_tests::worker::Worker;
use tether_tests::worker_process::{WorkerOptions, WorkerProcess};

use super::compare::{self, Difference};
use super::normalize;
use super::records::Reader;
use super::script::{Session, Step, steps};
use super::variant::{Owner, Place, Role, Variant};
use crate::postgres::workers;

const DATABASE: &str = "cdc";
const HEAP_MEBIBYTES: u32 = 1024;
/// How long all connectors may take to their first change.
const START_PATIENCE: Duration = Duration::from_secs(420);
/// How long a connector may take for the changes between two barriers.
const STEP_PATIENCE: Duration = Duration::from_secs(120);
/// How long the judged one may take longer for its last records and its offset.
const END_PATIENCE: Duration = Duration::from_secs(15);
/// How often the states of connectors are asked for that keep everyone waiting.
const ASK_EVERY: Duration = Duration::from_secs(3);

type AnyWorker = Box<dyn Worker + Send + Sync>;

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged {
    /// Our connector in our worker.
    Ours,
    /// The reference once more, in a worker of its own: it has to agree with itself.
    #[allow(dead_code, reason = "for the test of the test")]
    Reference,
}

/// Schemas of the registry, each asked for once.
pub(super) struct Schemas {
    registry: RegistryClient,
    known: BTreeMap<u32, Value>,
}

impl Schemas {
    /// The schema with this id.
    pub(super) fn get(&mut self, id: u32) -> Result<Value> {
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        let schema = self.registry.schema(id)?;
        self.known.insert(id, schema.clone());
        Ok(schema)
    }
}

/// Everything that runs.
struct Scene {
    variants: Vec<Variant>,
    token: String,
    reader: Reader,
    rest: BTreeMap<Role, RestClient>,
    sessions: [Session; 2],
    /// Connectors that nobody waits for any more, and why.
    failed: BTreeMap<Owner, String>,
    /// The last marker that was written.
    step: u32,
    _workers: [AnyWorker; 2],
    _postgres: Postgres,
}

/// Runs all variants and returns how the judged connectors differ from the reference.
pub(super) fn differences(judged: Judged, variants: Vec<Variant>) -> Result<Vec<Difference>> {
    let mut scene = Scene::new(judged, variants)?;
    scene.create_connectors()?;
    scene.wait_for_streams()?;
    scene.change()?;
    scene.wait_for_the_rest()?;
    let found = scene.compare()?;
    scene.remove_topics();
    Ok(found)
}

impl Scene {
    fn new(judged: Judged, variants: Vec<Variant>) -> Result<Self> {
        let bootstrap = shared::bootstrap()?;
        let token = token();
        let postgres = Postgres::start()?;
        postgres.sql(&format!("CREATE DATABASE {DATABASE}"))?;
        let url = postgres.url();
        let url = format!("{}/{DATABASE}", url.rsplit_once('/').context("no path")?.0);
        let sessions = [Session::connect(&url)?, Session::connect(&url)?];
        for script in [
            include_str!("sql/schema.sql"),
            include_str!("sql/before.sql"),
            include_str!("sql/rows.sql"),
        ] {
            sessions[0].run_script(script)?;
        }
        let (reference, judged) = thread::scope(|scope| {
            let reference = scope.spawn(|| java(&format!("{token}a"), &bootstrap));
            let judged = match judged {
                Judged::Ours => ours(&format!("{token}b"), &bootstrap),
                Judged::Reference => java(&format!("{token}b"), &bootstrap),
            };
            (reference.join(), judged)
        });
        let workers = [reference.map_err(|_| anyhow!("a panic"))??, judged?];
        let [reference, judged] = &workers;
        Ok(Self {
            reader: Reader::new(&bootstrap, &token)?,
            rest: [
                (Role::Reference, reference.rest()),
                (Role::Judged, judged.rest()),
            ]
            .into(),
            sessions,
            variants,
            token,
            failed: BTreeMap::new(),
            step: 0,
            _workers: workers,
            _postgres: postgres,
        })
    }

    fn owners(&self) -> impl Iterator<Item = Owner> + use<> {
        (0..self.variants.len())
            .flat_map(|variant| [Role::Reference, Role::Judged].map(|role| Owner { variant, role }))
    }

    fn rest(&self, role: Role) -> Result<&RestClient> {
        self.rest.get(&role).context("no such worker")
    }

    fn create_connectors(&mut self) -> Result<()> {
        for owner in self.owners() {
            if let Some(sql) = self.variants[owner.variant].prepare {
                let prefix = owner.prefix(&self.token);
                self.sessions[0].run(&sql.replace("{prefix}", &prefix))?;
            }
        }
        let registry = shared::registry_url()?;
        let place = Place {
            port: self._postgres.port(),
            database: DATABASE,
            registry: &registry,
        };
        let create = |role| -> Result<Vec<(Owner, String)>> {
            let rest = self.rest(role)?;
            let mut failed = Vec::new();
            for owner in self.owners().filter(|owner| owner.role == role) {
                let prefix = owner.prefix(&self.token);
                let config = self.variants[owner.variant].config(&place, &prefix);
                if let Err(error) = rest.create(&prefix, &config) {
                    failed.push((owner, format!("{error:#}")));
                }
            }
            Ok(failed)
        };
        let failed = thread::scope(|scope| {
            let reference = scope.spawn(|| create(Role::Reference));
            let judged = create(Role::Judged)?;
            let reference = reference.join().map_err(|_| anyhow!("a panic"))??;
            Ok::<_, anyhow::Error>([reference, judged].concat())
        })?;
        self.failed.extend(failed);
        Ok(())
    }

    /// Waits until every connector streams, or has failed: what is written after that comes to all.
    fn wait_for_streams(&mut self) -> Result<()> {
        self.wait("a connector streams", START_PATIENCE, |scene, owner| {
            let streaming = scene.sessions[0].run(
                "SELECT slot_name FROM pg_replication_slots JOIN pg_stat_replication \
                 ON pid = active_pid WHERE state = 'streaming'",
            )?;
            let streaming: BTreeSet<String> = streaming.into_iter().collect();
            let waiting = owner.into_iter().filter(|owner| {
                scene.variants[owner.variant].streams
                    && !streaming.contains(&owner.prefix(&scene.token))
            });
            Ok(waiting.collect())
        })
    }

    /// Runs the changes.
    fn change(&mut self) -> Result<()> {
        self.pass_barrier()?;
        self.sessions[0].run_script(include_str!("sql/rows.sql"))?;
        for step in steps(include_str!("sql/changes.sql"))? {
            match step {
                Step::Run(session, sql) => drop(self.sessions[session].run(&sql)?),
                Step::Barrier => self.pass_barrier()?,
            }
        }
        self.pass_barrier()
    }

    /// Writes a marker, which is a change like any other, and waits until it has come from everywhere.
    fn pass_barrier(&mut self) -> Result<()> {
        self.step += 1;
        let step = self.step;
        self.sessions[0].run(&format!(
            "INSERT INTO public.done VALUES ({step}, 'step {step} is reached')"
        ))?;
        let what = format!("step {step} has come");
        self.wait(&what, STEP_PATIENCE, |scene, owners| {
            scene.reader.advance()?;
            let waiting = owners.into_iter().filter(|owner| {
                let step = if scene.variants[owner.variant].streams {
                    step
                } else {
                    0
                };
                scene
                    .reader
                    .reached(*owner)
                    .is_none_or(|reached| reached < step)
            });
            Ok(waiting.collect())
        })
    }

    /// Waits for all connectors that have not failed. `waiting` returns those of the ones it is given
    /// that are not so far. Who never gets there has failed.
    fn wait(
        &mut self,
        what: &str,
        patience: Duration,
        mut waiting: impl FnMut(&mut Self, Vec<Owner>) -> Result<Vec<Owner>>,
    ) -> Result<()> {
        let mut asked = Instant::now();
        let mut late = Vec::new();
        let awaited = within(patience, what, || {
            let owners = self.owners();
            let owners = owners.filter(|owner| !self.failed.contains_key(owner));
            let owners = owners.collect();
            late = waiting(self, owners)?;
            if !late.is_empty() && asked.elapsed() > ASK_EVERY {
                asked = Instant::now();
                self.ask(&late)?;
            }
            ensure!(late.is_empty(), "{} connectors are late", late.len());
            Ok(())
        });
        // Without anybody who is late, waiting itself went wrong.
        if late.is_empty() {
            return awaited;
        }
        self.ask(&late)?;
        for owner in late {
            let reason = || format!("not in time: {what}");
            self.failed.entry(owner).or_insert_with(reason);
        }
        Ok(())
    }

    /// Notes which of these have failed.
    fn ask(&mut self, owners: &[Owner]) -> Result<()> {
        for owner in owners {
            let traces = self.rest(owner.role)?.traces(&owner.prefix(&self.token))?;
            if !traces.is_empty() {
                self.failed.insert(*owner, traces);
            }
        }
        Ok(())
    }

    /// Waits until the judged connectors have written as much as the reference, if they ever do.
    fn wait_for_the_rest(&mut self) -> Result<()> {
        let caught_up = within(END_PATIENCE, "all records", || {
            self.reader.advance()?;
            for variant in 0..self.variants.len() {
                let owners = [Role::Reference, Role::Judged].map(|role| Owner { variant, role });
                let has_failed = owners.iter().any(|owner| self.failed.contains_key(owner));
                if self.variants[variant].is_even() && !has_failed {
                    let [reference, judged] = owners.map(|owner| self.reader.counts(owner));
                    ensure!(reference == judged, "{reference:?} and {judged:?}");
                }
            }
            Ok(())
        });
        // What is missing shows when the records are compared.
        drop(caught_up);
        self.reader.finish()
    }

    fn compare(&mut self) -> Result<Vec<Difference>> {
        let mut schemas = Schemas {
            registry: RegistryClient::new(shared::registry_url()?),
            known: BTreeMap::new(),
        };
        let mut found = Vec::new();
        for (index, variant) in self.variants.iter().enumerate() {
            let [reference, judged] = [Role::Reference, Role::Judged].map(|role| Owner {
                variant: index,
                role,
            });
            let failure = |owner| self.failed.get(&owner).map(String::as_str);
            if failure(reference).is_some() || failure(judged).is_some() {
                found.push(Difference {
                    variant: variant.name,
                    topic: String::new(),
                    place: String::new(),
                    path: "(task)".to_owned(),
                    reference: failure(reference).unwrap_or("runs").to_owned(),
                    ours: failure(judged).unwrap_or("runs").to_owned(),
                });
                // What it has not written says nothing.
                continue;
            }
            let theirs = self.topics(reference, variant, &mut schemas)?;
            let own = self.topics(judged, variant, &mut schemas)?;
            found.extend(compare::topics(variant.name, &theirs, &own));
            self.compare_offsets(variant, [reference, judged], &mut found)?;
        }
        Ok(found)
    }

    fn topics(
        &self,
        owner: Owner,
        variant: &Variant,
        schemas: &mut Schemas,
    ) -> Result<compare::Topics> {
        let prefix = owner.prefix(&self.token);
        let mut topics = compare::Topics::new();
        for (topic, records) in self.reader.topics(owner) {
            let plain = normalize::plain(topic, &prefix);
            let partitions = topics.entry(plain).or_default();
            for record in records {
                let value = normalize::record(record, &prefix, variant.format, schemas)
                    .with_context(|| format!("{topic} {}", record.offset))?;
                partitions.entry(record.partition).or_default().push(value);
            }
            if !variant.has_offset_of_last_record && topic.starts_with(variant.heartbeat_prefix()) {
                // How many heartbeats there are is a matter of time.
                partitions.values_mut().for_each(Vec::dedup);
            }
        }
        Ok(topics)
    }

    fn compare_offsets(
        &self,
        variant: &Variant,
        owners: [Owner; 2],
        found: &mut Vec<Difference>,
    ) -> Result<()> {
        let offsets = |owner: Owner| -> Result<Value> {
            let prefix = owner.prefix(&self.token);
            let path = format!("/connectors/{prefix}/offsets");
            let text = self.rest(owner.role)?.get(&path)?.to_string();
            let mut offsets = serde_json::from_str(&normalize::plain(&text, &prefix))?;
            normalize::offsets(&mut offsets, variant.has_offset_of_last_record);
            Ok(offsets)
        };
        let mut last = (Value::Null, Value::Null);
        let equal = within(END_PATIENCE, "the same offsets", || {
            last = (offsets(owners[0])?, offsets(owners[1])?);
            ensure!(last.0 == last.1, "{} and {}", last.0, last.1);
            Ok(())
        });
        if equal.is_err() {
            compare::values("offsets", &last.0, &last.1, &mut |path, reference, ours| {
                found.push(Difference {
                    variant: variant.name,
                    topic: String::new(),
                    place: String::new(),
                    path: path.to_owned(),
                    reference,
                    ours,
                });
            });
        }
        Ok(())
    }

    /// The broker is everyone's. What cannot be deleted does no harm but takes room.
    fn remove_topics(&self) {
        if let Ok(bootstrap) = shared::bootstrap() {
            let names: Vec<&str> = self.reader.names().collect();
            drop(Topics::new(bootstrap).delete_all(&names));
        }
    }
}

fn java(name: &str, bootstrap: &str) -> Result<AnyWorker> {
    let options = workers::java(&WorkerOptions::new(name, bootstrap)?, HEAP_MEBIBYTES)?;
    Ok(Box::new(ConnectWorker::standalone(options, &[])?))
}

fn ours(name: &str, bootstrap: &str) -> Result<AnyWorker> {
    let options = WorkerOptions::new(name, bootstrap)?;
    Ok(Box::new(WorkerProcess::standalone(&options, &[])?))
}

/// Letters and digits that no other run has.
fn token() -> String {
    let unique = tether_tests::names::unique("");
    let token: String = unique.chars().filter(char::is_ascii_alphanumeric).collect();
    token[token.len().saturating_sub(12)..].to_owned()
}
