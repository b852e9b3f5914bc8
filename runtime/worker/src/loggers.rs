//! Levels of loggers, changed while the worker runs (KIP-495, KIP-976).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::herder::LoggerLevel;

/// The name of the logger that all others inherit from.
pub const ROOT: &str = "root";

/// Takes all levels, by logger, and makes them effective.
pub type Apply = Box<dyn Fn(&BTreeMap<String, LoggerLevel>) + Send + Sync>;

/// The loggers that have a level of their own.
pub struct Loggers {
    levels: Mutex<BTreeMap<String, LoggerLevel>>,
    apply: Apply,
}

impl Loggers {
    /// Loggers with these levels, among them [`ROOT`]; `apply` is called after
    /// every change.
    pub fn new(levels: impl IntoIterator<Item = (String, String)>, apply: Apply) -> Self {
        let mut levels: BTreeMap<_, _> = levels
            .into_iter()
            .map(|(logger, level)| {
                (
                    logger,
                    LoggerLevel {
                        level,
                        last_modified: None,
                    },
                )
            })
            .collect();
        levels
            .entry(ROOT.to_owned())
            .or_insert_with(|| LoggerLevel {
                level: "INFO".to_owned(),
                last_modified: None,
            });
        apply(&levels);
        Self {
            levels: Mutex::new(levels),
            apply,
        }
    }

    /// All loggers with a level, sorted by name.
    pub fn all(&self) -> Vec<(String, LoggerLevel)> {
        self.lock()
            .iter()
            .map(|(logger, level)| (logger.clone(), level.clone()))
            .collect()
    }

    /// The level of a logger that has one.
    pub fn get(&self, logger: &str) -> Option<LoggerLevel> {
        self.lock().get(logger).cloned()
    }

    /// Sets the level of a logger, making it known if it is not, and of every
    /// known logger whose name starts with its name, as the reference does. The
    /// names of all these, sorted.
    pub fn set(&self, logger: &str, level: &str) -> Vec<String> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as i64);
        let mut levels = self.lock();
        levels
            .entry(logger.to_owned())
            .or_insert_with(|| LoggerLevel {
                level: String::new(),
                last_modified: None,
            });
        let mut concerned = Vec::new();
        for (name, known) in levels.iter_mut() {
            if logger != ROOT && !name.starts_with(logger) {
                continue;
            }
            concerned.push(name.clone());
            if known.level != level {
                *known = LoggerLevel {
                    level: level.to_owned(),
                    last_modified: Some(now),
                };
            }
        }
        (self.apply)(&levels);
        concerned
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, LoggerLevel>> {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_level_goes_down_the_tree() {
        let applied = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&applied);
        let loggers = Loggers::new(
            [
                ("a".to_owned(), "INFO".to_owned()),
                ("a.b".to_owned(), "WARN".to_owned()),
            ],
            Box::new(move |_| {
                counter.fetch_add(1, Ordering::Relaxed);
            }),
        );
        assert_eq!(loggers.set("a", "DEBUG"), ["a", "a.b"]);
        let set = loggers.get("a");
        assert_eq!(loggers.set("a", "DEBUG"), ["a", "a.b"]);
        assert_eq!(loggers.get("a"), set);
        assert_eq!(loggers.set("x", "TRACE"), ["x"]);
        assert_eq!(
            loggers.get("a.b").map(|level| level.level).as_deref(),
            Some("DEBUG")
        );
        assert_eq!(
            loggers.get("root").map(|level| level.level).as_deref(),
            Some("INFO")
        );
        assert_eq!(loggers.get("y"), None);
        assert_eq!(applied.load(Ordering::Relaxed), 4);
    }
}
