//! Requests about the cluster and its topics.

use std::ffi::{CString, c_char, c_int};
use std::time::Duration;

use ::rdkafka::bindings::*;
use ::rdkafka::client::Client;
use ::rdkafka::error::RDKafkaErrorCode;
use ::rdkafka::types::{RDKafkaAdminOp as Op, RDKafkaRespErr as Code};
use ::rdkafka::{ClientContext, TopicPartitionList};

use super::{ERROR_BYTES, Owned, array, ask, check, code_of, copied, milliseconds, refused, text};
use crate::{KafkaError, KafkaErrorKind, NewTopic, Result};

/// The cluster's id.
pub(in crate::rdkafka::admin) fn cluster_id<C: ClientContext>(
    client: &Client<C>,
    timeout: Duration,
) -> Result<Option<String>> {
    let event = ask(
        client,
        "Failed to describe the cluster",
        Op::RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER,
        timeout,
        // SAFETY: `ask` gives pointers that are valid during this call;
        // librdkafka copies the options.
        |native, options, queue| unsafe { rd_kafka_DescribeCluster(native, options, queue) },
    )?;
    // SAFETY: the result belongs to the event, which is alive, and is null if
    // the event is of another kind. The id belongs to the result.
    unsafe {
        let result = rd_kafka_event_DescribeCluster_result(event.as_ptr());
        if result.is_null() {
            return Ok(None);
        }
        Ok(copied(rd_kafka_DescribeCluster_result_cluster_id(result)))
    }
}

/// What is known of a topic.
pub(in crate::rdkafka::admin) struct TopicState {
    pub(in crate::rdkafka::admin) name: String,
    pub(in crate::rdkafka::admin) partitions: usize,
    pub(in crate::rdkafka::admin) leaders_known: bool,
    pub(in crate::rdkafka::admin) error: Option<RDKafkaErrorCode>,
}

/// Describes topics, without creating them.
pub(in crate::rdkafka::admin) fn describe_topics<C: ClientContext>(
    client: &Client<C>,
    names: &[String],
    timeout: Duration,
) -> Result<Vec<TopicState>> {
    let doing = "Failed to describe topics";
    let names: Vec<CString> = names.iter().map(|name| text(name)).collect::<Result<_>>()?;
    let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    // SAFETY: the array has as many texts as said, all alive; librdkafka copies
    // them. The collection is freed by this function.
    let topics = unsafe {
        Owned::new(
            rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len()),
            rd_kafka_TopicCollection_destroy,
        )
    }
    .ok_or_else(|| refused(doing))?;
    let event = ask(
        client,
        doing,
        Op::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS,
        timeout,
        // SAFETY: `ask` gives valid pointers, the collection is alive, and
        // librdkafka copies both it and the options.
        |native, options, queue| unsafe {
            rd_kafka_DescribeTopics(native, topics.as_ptr(), options, queue);
        },
    )?;
    let mut count = 0;
    // SAFETY: the result belongs to the event, which is alive until the end of
    // this function, and so do its descriptions; none is null.
    let descriptions = unsafe {
        let result = rd_kafka_event_DescribeTopics_result(event.as_ptr());
        if result.is_null() {
            return Err(refused(doing));
        }
        array(
            rd_kafka_DescribeTopics_result_topics(result, &mut count),
            count,
        )
    };
    let states = descriptions.iter().map(|description| {
        let mut partitions = 0;
        // SAFETY: as above; partitions and their leaders belong to the
        // description. A leader that is not known is null.
        unsafe {
            let list = array(
                rd_kafka_TopicDescription_partitions(*description, &mut partitions),
                partitions,
            );
            TopicState {
                name: copied(rd_kafka_TopicDescription_name(*description)).unwrap_or_default(),
                partitions: list.len(),
                leaders_known: list
                    .iter()
                    .all(|partition| !rd_kafka_TopicPartitionInfo_leader(*partition).is_null()),
                error: code_of(rd_kafka_TopicDescription_error(*description)),
            }
        }
    });
    Ok(states.collect())
}

/// Creates a topic.
pub(in crate::rdkafka::admin) fn create_topic<C: ClientContext>(
    client: &Client<C>,
    topic: &NewTopic,
    timeout: Duration,
) -> Result<()> {
    let doing = format!("Failed to create topic {}", topic.name);
    let name = text(&topic.name)?;
    let mut error: [c_char; ERROR_BYTES] = [0; ERROR_BYTES];
    // SAFETY: the name is alive and is copied; the buffer has as many bytes as
    // said. The new topic is freed by this function.
    let new = unsafe {
        Owned::new(
            rd_kafka_NewTopic_new(
                name.as_ptr(),
                topic.partitions,
                c_int::from(topic.replication_factor),
                error.as_mut_ptr(),
                ERROR_BYTES,
            ),
            rd_kafka_NewTopic_destroy,
        )
    };
    // SAFETY: librdkafka ends the text in the buffer with a zero byte, and the
    // buffer was zero before.
    let new = new.ok_or_else(|| {
        let reason = unsafe { copied(error.as_ptr()) }.unwrap_or_default();
        KafkaError::new(KafkaErrorKind::Invalid, format!("{doing}: {reason}"))
    })?;
    for (key, value) in &topic.config {
        let (key, value) = (text(key)?, text(value)?);
        // SAFETY: the new topic and both texts are alive; the texts are copied.
        let code =
            unsafe { rd_kafka_NewTopic_set_config(new.as_ptr(), key.as_ptr(), value.as_ptr()) };
        check(&doing, code, None)?;
    }
    let mut pointers = [new.as_ptr()];
    let event = ask(
        client,
        &doing,
        Op::RD_KAFKA_ADMIN_OP_CREATETOPICS,
        timeout,
        // SAFETY: `ask` gives valid pointers; the array has one new topic, which
        // is alive and is copied.
        |native, options, queue| unsafe {
            rd_kafka_CreateTopics(native, pointers.as_mut_ptr(), 1, options, queue);
        },
    )?;
    let mut count = 0;
    // SAFETY: the result belongs to the event, which is alive, and so do the
    // results of its topics and their texts; none of the results is null.
    unsafe {
        let result = rd_kafka_event_CreateTopics_result(event.as_ptr());
        if result.is_null() {
            return Err(refused(&doing));
        }
        for topic in array(
            rd_kafka_CreateTopics_result_topics(result, &mut count),
            count,
        ) {
            let code = rd_kafka_topic_result_error(*topic);
            check(&doing, code, None).map_err(|error| {
                // The broker's own words say what is wrong, and callers quote
                // them.
                match copied(rd_kafka_topic_result_error_string(*topic)) {
                    Some(reason) => KafkaError::new(error.kind, reason),
                    None => error,
                }
            })?;
        }
    }
    Ok(())
}

/// A setting of a topic.
pub(in crate::rdkafka::admin) fn topic_config<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    name: &str,
    timeout: Duration,
) -> Result<Option<String>> {
    let doing = format!("Failed to describe the configuration of topic {topic}");
    let resource_name = text(topic)?;
    // SAFETY: the name is alive and is copied; a resource is freed by this
    // function.
    let resource = unsafe {
        Owned::new(
            rd_kafka_ConfigResource_new(
                rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_TOPIC,
                resource_name.as_ptr(),
            ),
            rd_kafka_ConfigResource_destroy,
        )
    }
    .ok_or_else(|| refused(&doing))?;
    let mut pointers = [resource.as_ptr()];
    let event = ask(
        client,
        &doing,
        Op::RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS,
        timeout,
        // SAFETY: `ask` gives valid pointers; the array has one resource, which
        // is alive and is copied.
        |native, options, queue| unsafe {
            rd_kafka_DescribeConfigs(native, pointers.as_mut_ptr(), 1, options, queue);
        },
    )?;
    let mut count = 0;
    // SAFETY: the result belongs to the event, which is alive, and so do its
    // resources, their entries and all texts; none of resources and entries is
    // null.
    unsafe {
        let result = rd_kafka_event_DescribeConfigs_result(event.as_ptr());
        if result.is_null() {
            return Err(refused(&doing));
        }
        for resource in array(
            rd_kafka_DescribeConfigs_result_resources(result, &mut count),
            count,
        ) {
            check(
                &doing,
                rd_kafka_ConfigResource_error(*resource),
                copied(rd_kafka_ConfigResource_error_string(*resource)),
            )?;
            let mut entries = 0;
            for entry in array(
                rd_kafka_ConfigResource_configs(*resource, &mut entries),
                entries,
            ) {
                if copied(rd_kafka_ConfigEntry_name(*entry)).as_deref() == Some(name) {
                    return Ok(copied(rd_kafka_ConfigEntry_value(*entry)));
                }
            }
        }
    }
    Ok(None)
}

/// Fills in the ends of the partitions in a list.
pub(in crate::rdkafka::admin) fn end_offsets<C: ClientContext>(
    client: &Client<C>,
    list: &TopicPartitionList,
    timeout: Duration,
) -> std::result::Result<(), RDKafkaErrorCode> {
    // SAFETY: client and list live during the call, which blocks; it changes
    // the list's elements in place and keeps neither.
    let code = unsafe {
        rd_kafka_offsets_for_times(client.native_ptr(), list.ptr(), milliseconds(timeout))
    };
    match code {
        Code::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
        code => Err(code.into()),
    }
}
