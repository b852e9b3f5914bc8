//! Who may send internal requests.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tether_storage::{ConfigStore as _, MemoryConfigStore};

use super::{herder, herder_with};
use crate::herder::{Herder as _, InternalRequest, status_of};
use crate::session::{Algorithm, SessionKeys, Signer};
use crate::testing::EXACTLY_ONCE;

fn signed_by(signer: &Signer) -> InternalRequest {
    let body = Bytes::from_static(b"[]");
    InternalRequest {
        signature: Some(signer.sign(&body).unwrap()),
        algorithm: Some(signer.algorithm().to_owned()),
        body,
    }
}

#[tokio::test]
async fn requests_are_signed_with_the_key_of_the_config_store() {
    let configs = Arc::new(MemoryConfigStore::new());
    let fixture = herder_with(&configs, &EXACTLY_ONCE).await;
    let algorithm = Algorithm::from_name("HmacSHA256").unwrap();
    let keys = SessionKeys::new(algorithm.clone(), None, Duration::ZERO).unwrap();
    let (old, new) = (keys.generate(0), keys.generate(1));
    let by_old = signed_by(&Signer::new(old.clone(), algorithm.clone()));
    let by_new = signed_by(&Signer::new(new.clone(), algorithm));
    let status = |request: &InternalRequest| {
        let verified = fixture.herder.verify_internal_request(request);
        verified
            .err()
            .map(|error| status_of(&error).unwrap().status)
    };
    assert_eq!(status(&by_old), Some(503));
    assert_eq!(status(&InternalRequest::default()), Some(400));
    configs.put_session_key(&old).await.unwrap();
    assert_eq!(status(&by_old), None);
    assert_eq!(status(&by_new), Some(403));
    configs.put_session_key(&new).await.unwrap();
    assert_eq!(status(&by_old), Some(403));
    assert_eq!(status(&by_new), None);
    assert_eq!(status(&InternalRequest::default()), Some(400));
}

#[tokio::test]
async fn a_worker_without_a_group_takes_no_requests_of_others() {
    let fixture = herder(&Arc::new(MemoryConfigStore::new())).await;
    let message = |request: &InternalRequest| {
        let verified = fixture.herder.verify_internal_request(request);
        verified.unwrap_err().message().to_owned()
    };
    let request = InternalRequest {
        signature: Some("c2ln".to_owned()),
        algorithm: Some("HmacSHA256".to_owned()),
        body: Bytes::new(),
    };
    assert_eq!(
        message(&request),
        "This worker runs alone and takes no requests of other workers."
    );
    assert_eq!(
        message(&InternalRequest::default()),
        "Internal request missing required signature"
    );
}
