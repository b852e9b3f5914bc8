//! What fetches have told about the ends of partitions.
#![allow(unsafe_code)]

use std::ffi::CString;

use ::rdkafka::ClientContext;
use ::rdkafka::bindings::{rd_kafka_get_watermark_offsets, rd_kafka_resp_err_t as Code};
use ::rdkafka::client::Client;
use tether_api::offset::TopicPartition;

/// The offset after the last record of a partition, as of the last fetch; no
/// broker is asked.
pub(super) fn high_watermark<C: ClientContext>(
    client: &Client<C>,
    partition: &TopicPartition,
) -> Option<i64> {
    let topic = CString::new(&*partition.topic).ok()?;
    let (mut low, mut high) = (-1, -1);
    // SAFETY: the client and the name are alive during the call, which may come on
    // any thread, and the places to write to are ours.
    let code = unsafe {
        rd_kafka_get_watermark_offsets(
            client.native_ptr(),
            topic.as_ptr(),
            partition.partition,
            &mut low,
            &mut high,
        )
    };
    // Before the first fetch it is negative.
    (code == Code::RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0).then_some(high)
}
