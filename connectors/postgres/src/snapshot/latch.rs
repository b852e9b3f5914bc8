//! Lets others wait for something that happens once.

use tokio::sync::watch;

/// Opens once.
#[derive(Debug, Default)]
pub(super) struct Latch(watch::Sender<bool>);

impl Latch {
    /// Lets everyone pass from now on.
    pub(super) fn open(&self) {
        self.0.send_replace(true);
    }

    /// Waits until it is open.
    pub(super) async fn passed(&self) {
        // It cannot be closed, as this has it.
        let _ = self.0.subscribe().wait_for(|is_open| *is_open).await;
    }
}
