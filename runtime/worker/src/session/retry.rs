//! Repeats internal requests that a leader refuses because it knows a newer key.

use std::future::Future;
use std::time::Duration;

use tether_api::{ConnectError, Result};
use tokio::time::Instant;

use crate::herder::status_of;

/// How long a refused signature may be due to a key that was replaced and has
/// not reached every worker yet (`DistributedHerder.isPossibleExpiredKeyException`).
const KEY_DELAY: Duration = Duration::from_secs(60);

/// The waits between attempts double from the first to the last
/// (`RECONFIGURE_CONNECTOR_TASKS_BACKOFF_*_MS`).
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LAST_WAIT: Duration = Duration::from_secs(60);

/// Sends a request until its signature is not refused any more, for at most a
/// minute. `send` takes the key and the leader that there are at the time.
///
/// # Errors
/// Those of `send`; after a minute the refusal too.
pub async fn until_key_is_known<F>(mut send: impl FnMut() -> F) -> Result<()>
where
    F: Future<Output = Result<()>>,
{
    let deadline = Instant::now() + KEY_DELAY;
    let mut wait = FIRST_WAIT;
    loop {
        let error = match send().await {
            Err(error) if is_refused(&error) => error,
            outcome => return outcome,
        };
        if Instant::now() + wait > deadline {
            return Err(error);
        }
        tracing::debug!(%error, "An internal request was refused, possibly due to an expired session key");
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LAST_WAIT);
    }
}

fn is_refused(error: &ConnectError) -> bool {
    status_of(error).is_some_and(|answered| answered.status == 403)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::herder::answered;

    /// What came of it, and after how many milliseconds each attempt was made.
    async fn attempts(outcomes: &[Option<u16>]) -> (Option<u16>, Vec<u128>) {
        let start = Instant::now();
        let mut times = Vec::new();
        let outcome = until_key_is_known(|| {
            let outcome = outcomes[times.len().min(outcomes.len() - 1)];
            times.push(start.elapsed().as_millis());
            async move {
                match outcome {
                    None => Ok(()),
                    Some(status) => Err(answered(status, "no")),
                }
            }
        })
        .await;
        let status = outcome.err().map(|error| status_of(&error).unwrap().status);
        (status, times)
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_signature_is_tried_again() {
        assert_eq!(attempts(&[None]).await, (None, vec![0]));
        assert_eq!(
            attempts(&[Some(403), Some(403), Some(403), None]).await,
            (None, vec![0, 250, 750, 1750])
        );
    }

    #[tokio::test(start_paused = true)]
    async fn other_failures_are_final() {
        assert_eq!(attempts(&[Some(500)]).await, (Some(500), vec![0]));
        assert_eq!(
            attempts(&[Some(403), Some(404)]).await,
            (Some(404), vec![0, 250])
        );
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_minute_the_key_is_wrong() {
        let (status, times) = attempts(&[Some(403)]).await;
        assert_eq!(status, Some(403));
        assert_eq!(times, [0, 250, 750, 1750, 3750, 7750, 15750, 31750]);
    }
}
