//! A broker that says anything.

use std::sync::Arc;
use std::time::Duration;

use tether_api::config::Password;

use super::connection::{Connection, Security};
use super::sasl::Credentials;
use super::wire::Wire;
use crate::broker::ask;
use crate::broker::messages::Heartbeat;

pub(crate) use super::sasl::scram::fuzz as fuzz_scram;

/// Connects to a broker that says these bytes, and sends a heartbeat.
pub(crate) fn fuzz_answers(bytes: &[u8]) {
    // The time of a test that hangs is the fuzzer's to limit.
    let timeout = Duration::MAX;
    let heartbeat = Heartbeat {
        group: String::new(),
        generation: 0,
        member: String::new(),
    };
    let security = Security {
        encrypted: false,
        credentials: Some(Arc::new(Credentials::Plain {
            username: String::new(),
            password: Password::new(""),
        })),
        timeout,
    };
    let answers = std::io::Cursor::new(bytes.to_vec());
    let stream = tokio::io::join(answers, tokio::io::sink());
    let wire = Wire::new(Box::new(stream), String::new(), String::new());
    let exchange = async {
        let mut connection = Connection::open(wire, Arc::new(security)).await?;
        ask(&mut connection, &heartbeat, timeout).await
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    if let Ok(runtime) = runtime {
        let _ = runtime.block_on(exchange);
    }
}
