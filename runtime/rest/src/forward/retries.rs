//! How often a request is sent on.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long the first wait is; it doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The further attempts that a request has.
pub(crate) struct Retries {
    end: Instant,
    wait: Duration,
}

impl Retries {
    /// As many as begin within this time from now.
    pub(crate) fn within(limit: Duration) -> Self {
        Self {
            end: Instant::now() + limit,
            wait: FIRST_WAIT,
        }
    }

    /// Waits for the next attempt; false if there is none.
    pub(crate) async fn next(&mut self) -> bool {
        let at = Instant::now() + self.wait;
        if at > self.end {
            return false;
        }
        sleep(self.wait).await;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn attempts_end() {
        let began = Instant::now();
        let mut retries = Retries::within(Duration::from_secs(4));
        let mut waits = 0;
        while retries.next().await {
            waits += 1;
        }
        // 50, 100, 200, 400, 800 and twice 1000 ms.
        assert_eq!((waits, began.elapsed()), (7, Duration::from_millis(3550)));
        assert!(!Retries::within(Duration::ZERO).next().await);
    }
}
