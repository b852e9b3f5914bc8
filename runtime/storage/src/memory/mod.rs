//! Stores that last as long as the process.

mod config;
mod offset;
mod status;

pub use config::MemoryConfigStore;
pub use offset::MemoryOffsetStore;
pub use status::MemoryStatusStore;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tether_api::config::ConfigMap;

    use super::*;
    use crate::suite::{Lasting, config_store, offset_store, status_store};
    use crate::{ConfigStore as _, TargetState};

    #[tokio::test]
    async fn suite() {
        config_store(async || Arc::new(MemoryConfigStore::new()), Lasting::No).await;
        offset_store(async || Arc::new(MemoryOffsetStore::new()), Lasting::No).await;
        status_store(async || Arc::new(MemoryStatusStore::new()), Lasting::No).await;
    }

    #[tokio::test]
    async fn unknown_connectors_are_refused() {
        let store = MemoryConfigStore::new();
        let error = store
            .put_target_state("x", TargetState::Stopped)
            .await
            .unwrap_err();
        assert_eq!(error.message(), "No connector `x` configured");
        assert_eq!(error.java_class(), "java.lang.IllegalArgumentException");
        let error = store
            .put_task_configs("x", &[ConfigMap::new()])
            .await
            .unwrap_err();
        assert_eq!(
            error.message(),
            "Cannot put tasks for non-existing connector"
        );
        store.remove_connector("x").await.unwrap();
        assert_eq!(store.snapshot().offset, -1);
    }
}
