//! What every offset store does.

use std::sync::Arc;

use bytes::Bytes;

use super::Lasting;
use crate::{OffsetEntry, OffsetStore};

/// More than fits into any queue at once.
const MANY: usize = 2500;

fn key(name: &str) -> Bytes {
    Bytes::from(format!("[\"c\",{{\"p\":\"{name}\"}}]"))
}

fn entry(name: &str, value: Option<&str>) -> OffsetEntry {
    (
        key(name),
        value.map(|value| Bytes::copy_from_slice(value.as_bytes())),
    )
}

async fn values(store: &dyn OffsetStore, names: &[&str]) -> Vec<Option<Bytes>> {
    let keys: Vec<Bytes> = names.iter().map(|name| key(name)).collect();
    store.get(&keys).await.unwrap()
}

/// Runs the suite.
pub async fn offset_store<S: OffsetStore>(open: impl AsyncFn() -> Arc<S>, lasting: Lasting) {
    let opened = open().await;
    let store = opened.as_ref();
    store.start().await.unwrap();
    assert!(store.get(&[]).await.unwrap().is_empty());
    assert_eq!(values(store, &["a"]).await, [None]);
    store.set(Vec::new()).await.unwrap();
    store
        .set(vec![
            entry("a", Some("1")),
            entry("b", Some("2")),
            entry("a", Some("3")),
        ])
        .await
        .unwrap();
    let (one, two, three) = (Some("1".into()), Some("2".into()), Some("3".into()));
    assert_eq!(
        values(store, &["b", "none", "a", "b"]).await,
        [two.clone(), None, three, two.clone()]
    );
    store
        .set(vec![
            entry("a", None),
            entry("none", None),
            entry("b", Some("1")),
        ])
        .await
        .unwrap();
    assert_eq!(values(store, &["a", "b"]).await, [None, one.clone()]);

    let other = Bytes::from_static(b"[\"cc\",{}]");
    let strange = [Bytes::from_static(b"no key of a connector \xff")];
    store
        .set(vec![
            (other.clone(), two.clone()),
            (strange[0].clone(), two.clone()),
        ])
        .await
        .unwrap();
    assert_eq!(
        store.connector_entries("c").await.unwrap(),
        [(key("b"), "1".into())]
    );
    assert_eq!(store.connector_entries("cc").await.unwrap().len(), 1);
    assert!(store.connector_entries("d").await.unwrap().is_empty());
    assert_eq!(store.get(&strange).await.unwrap().len(), 1);

    let many: Vec<OffsetEntry> = (0..MANY)
        .map(|number| entry(&format!("m{number}"), Some("{}")))
        .collect();
    let keys: Vec<Bytes> = many.iter().map(|(key, _)| key.clone()).collect();
    store.set(many).await.unwrap();
    let found = store.get(&keys).await.unwrap();
    assert!(found.iter().all(Option::is_some));
    assert_eq!(store.connector_entries("c").await.unwrap().len(), MANY + 1);
    store.stop().await;

    if lasting == Lasting::Yes {
        let store = open().await;
        store.start().await.unwrap();
        assert_eq!(values(store.as_ref(), &["a", "b"]).await, [None, one]);
        assert_eq!(store.get(&[other]).await.unwrap(), [two]);
        assert_eq!(store.get(&keys).await.unwrap(), found);
        store.stop().await;
    }
}
