//! Values without a history.

use std::borrow::Cow;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to it.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// The sum of what was added.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down. Booleans are 1 and 0.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Sets it.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Adds to it.
    pub fn add(&self, value: i64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }

    /// Its value now.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A text that changes now and then, such as a state.
#[derive(Debug, Default)]
pub struct Text(Mutex<Cow<'static, str>>);

impl Text {
    /// Sets it.
    pub fn set(&self, text: impl Into<Cow<'static, str>>) {
        *self.text() = text.into();
    }

    /// Its value now.
    pub fn get(&self) -> Cow<'static, str> {
        self.text().clone()
    }

    fn text(&self) -> MutexGuard<'_, Cow<'static, str>> {
        // The text is whole after every statement that holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
