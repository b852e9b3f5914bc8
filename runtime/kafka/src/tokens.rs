//! Tokens of the mechanism OAUTHBEARER.
//!
//! librdkafka asks for a token where its events are served, which may be on a
//! thread that must not wait; connections of [`crate::broker`] may wait. So a valid token is given at once, and a thread
//! fetches the next one as soon as half of its life is over; only the very
//! first token is waited for.

mod endpoint;
mod jwt;

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::properties::TokenSource;
use crate::{KafkaError, KafkaErrorKind, Result};

/// How long the first token is waited for. Endpoints have shorter timeouts.
const PATIENCE: Duration = Duration::from_secs(60);

/// A token file has no more than this.
const LARGEST_FILE: usize = 1024 * 1024;

/// A token and what Kafka has to know of it.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) principal: String,
    pub(crate) expires_at_ms: i64,
    fetched_at_ms: i64,
}

impl Token {
    fn new(text: String, principal: String, expires_at_ms: i64) -> Self {
        Self {
            text,
            principal,
            expires_at_ms,
            fetched_at_ms: now_ms(),
        }
    }

    fn is_valid(&self) -> bool {
        self.expires_at_ms > now_ms()
    }

    fn is_half_over(&self) -> bool {
        now_ms() - self.fetched_at_ms > (self.expires_at_ms - self.fetched_at_ms) / 2
    }
}

/// Milliseconds since the epoch.
fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}

/// The providers in use, one for each source.
#[derive(Default)]
pub(crate) struct TokenProviders(Mutex<HashMap<TokenSource, Weak<TokenProvider>>>);

impl TokenProviders {
    /// The provider for a source, and a first fetch from it under way.
    ///
    /// # Errors
    /// Retriable, if the system has no thread to give.
    pub(crate) fn provider(
        &self,
        source: Option<&TokenSource>,
    ) -> Result<Option<Arc<TokenProvider>>> {
        let Some(source) = source else {
            return Ok(None);
        };
        let mut providers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(provider) = providers.get(source).and_then(Weak::upgrade) {
            return Ok(Some(provider));
        }
        providers.retain(|_, provider| provider.strong_count() > 0);
        let provider = Arc::new(TokenProvider {
            source: source.clone(),
            state: Mutex::default(),
            fetched: Condvar::new(),
        });
        providers.insert(source.clone(), Arc::downgrade(&provider));
        drop(providers);
        provider.start_fetch(&mut provider.lock())?;
        Ok(Some(provider))
    }
}

/// Gets tokens from one source and keeps the last.
pub(crate) struct TokenProvider {
    source: TokenSource,
    state: Mutex<State>,
    fetched: Condvar,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    error: Option<KafkaError>,
    fetching: bool,
}

impl TokenProvider {
    /// A valid token.
    ///
    /// # Errors
    /// What the source said, or that it took too long.
    pub(crate) fn token(self: &Arc<Self>) -> Result<Token> {
        let mut state = self.lock();
        loop {
            if let Some(token) = state.token.clone().filter(Token::is_valid) {
                if token.is_half_over() && !state.fetching {
                    self.start_fetch(&mut state)?;
                }
                return Ok(token);
            }
            if let Some(error) = state.error.take() {
                return Err(error);
            }
            if !state.fetching {
                self.start_fetch(&mut state)?;
            }
            let (next, waited) = self
                .fetched
                .wait_timeout(state, PATIENCE)
                .unwrap_or_else(PoisonError::into_inner);
            state = next;
            if waited.timed_out() {
                return Err(failure("the source does not answer"));
            }
        }
    }

    fn start_fetch(self: &Arc<Self>, state: &mut State) -> Result<()> {
        let provider = Arc::clone(self);
        thread::Builder::new()
            .name("kafka-token".to_owned())
            .spawn(move || {
                // One that has expired would be fetched again at once, for ever.
                let outcome = fetch(&provider.source).and_then(|token| match token.is_valid() {
                    true => Ok(token),
                    false => Err(failure("the source gives one that has expired")),
                });
                let mut state = provider.lock();
                state.fetching = false;
                match outcome {
                    Ok(token) => {
                        state.token = Some(token);
                        state.error = None;
                    }
                    Err(error) => state.error = Some(error),
                }
                provider.fetched.notify_all();
            })
            .map_err(|_| failure("there is no thread for it"))?;
        state.fetching = true;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after every statement that holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fetch(source: &TokenSource) -> Result<Token> {
    match source {
        TokenSource::Endpoint(credentials) => endpoint::fetch(credentials),
        TokenSource::File(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| failure(&format!("{} cannot be read: {error}", path.display())))?;
            if text.len() > LARGEST_FILE {
                return Err(failure(&format!("{} is too large", path.display())));
            }
            jwt::token(text.trim(), "sub", None)
        }
        TokenSource::Unsecured {
            principal,
            lifetime,
            scope,
        } => Ok(jwt::unsecured(principal, *lifetime, scope.as_deref())),
    }
}

/// The error for a token that cannot be had.
fn failure(reason: &str) -> KafkaError {
    KafkaError::new(
        KafkaErrorKind::NotAuthorized,
        format!("Failed to get an OAUTHBEARER token: {reason}"),
    )
}

#[cfg(test)]
mod tests;
