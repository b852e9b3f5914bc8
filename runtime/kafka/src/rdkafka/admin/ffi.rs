//! Administrative requests, straight from librdkafka: the library has safe
//! calls for some of them only, and its client for these takes no log events.
//!
//! Every function blocks until the answer is there or the time is over. What
//! an answer holds is copied out before the answer is freed.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr::{self, NonNull};
use std::slice;
use std::time::Duration;

use ::rdkafka::bindings::*;
use ::rdkafka::client::Client;
use ::rdkafka::error::RDKafkaErrorCode;
use ::rdkafka::types::{RDKafkaAdminOp as Op, RDKafkaRespErr as Code};
use ::rdkafka::{ClientContext, Offset, TopicPartitionList};
use tether_api::offset::TopicPartition;

use crate::rdkafka::error::{failure, kind_of};
use crate::rdkafka::partitions::Answer;
use crate::{KafkaError, KafkaErrorKind, NewTopic, Result};

/// How much longer than the request may take the answer is waited for, so that
/// the answer to a request that ran out of time is not missed.
const GRACE: Duration = Duration::from_secs(5);

/// librdkafka's longest request timeout.
const LONGEST: Duration = Duration::from_secs(3600);

/// Text of an error that librdkafka writes into a buffer.
const ERROR_BYTES: usize = 512;

/// Something of librdkafka's that has to be freed.
struct Owned<T> {
    pointer: NonNull<T>,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// Takes over what `pointer` points to; `None` if it is null.
    ///
    /// # Safety
    /// `free` must be the function that frees such a thing, and nobody else may
    /// free it.
    unsafe fn new(pointer: *mut T, free: unsafe extern "C" fn(*mut T)) -> Option<Self> {
        NonNull::new(pointer).map(|pointer| Self { pointer, free })
    }

    fn as_ptr(&self) -> *mut T {
        self.pointer.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: whoever made this promised that the function fits and that
        // nobody else frees it; a value is dropped once.
        unsafe { (self.free)(self.pointer.as_ptr()) }
    }
}

type Event = Owned<rd_kafka_event_t>;

/// A text for librdkafka.
fn text(value: &str) -> Result<CString> {
    CString::new(value).map_err(|_| {
        KafkaError::new(
            KafkaErrorKind::Invalid,
            format!("{value:?} has a character of code 0"),
        )
    })
}

/// Copies a text of librdkafka's; `None` if there is none.
///
/// # Safety
/// `pointer` is null, or points to a text that ends with a zero byte and lives
/// during the call.
unsafe fn copied(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: not null, and the rest is the caller's promise.
    Some(
        unsafe { CStr::from_ptr(pointer) }
            .to_string_lossy()
            .into_owned(),
    )
}

/// An array of librdkafka's as a slice.
///
/// # Safety
/// `pointer` is null, or points to `count` elements that live as long as `'a`.
unsafe fn array<'a, T>(pointer: *const T, count: usize) -> &'a [T] {
    if pointer.is_null() {
        return &[];
    }
    // SAFETY: not null, and the rest is the caller's promise.
    unsafe { slice::from_raw_parts(pointer, count) }
}

fn milliseconds(duration: Duration) -> c_int {
    c_int::try_from(duration.as_millis()).unwrap_or(c_int::MAX)
}

/// The error for something that librdkafka did not make.
fn refused(doing: &str) -> KafkaError {
    failure(doing, RDKafkaErrorCode::InvalidArgument)
}

/// Sends a request and waits for the answer's event.
fn ask<C: ClientContext>(
    client: &Client<C>,
    doing: &str,
    op: Op,
    timeout: Duration,
    submit: impl FnOnce(*mut rd_kafka_t, *const rd_kafka_AdminOptions_t, *mut rd_kafka_queue_t),
) -> Result<Event> {
    let native = client.native_ptr();
    let timeout = timeout.min(LONGEST);
    // SAFETY: the client lives as long as it is borrowed. A queue is freed by
    // this function, also with answers in it.
    let queue = unsafe { Owned::new(rd_kafka_queue_new(native), rd_kafka_queue_destroy) }
        .ok_or_else(|| refused(doing))?;
    // SAFETY: the client is alive, as above; options are freed by this function.
    let options = unsafe {
        Owned::new(
            rd_kafka_AdminOptions_new(native, op),
            rd_kafka_AdminOptions_destroy,
        )
    }
    .ok_or_else(|| refused(doing))?;
    let mut error: [c_char; ERROR_BYTES] = [0; ERROR_BYTES];
    // SAFETY: the options are alive, and the buffer has as many bytes as said.
    // A refused timeout leaves the default in force.
    unsafe {
        rd_kafka_AdminOptions_set_request_timeout(
            options.as_ptr(),
            milliseconds(timeout),
            error.as_mut_ptr(),
            ERROR_BYTES,
        );
        if op == Op::RD_KAFKA_ADMIN_OP_CREATETOPICS {
            rd_kafka_AdminOptions_set_operation_timeout(
                options.as_ptr(),
                milliseconds(timeout),
                error.as_mut_ptr(),
                ERROR_BYTES,
            );
        }
    }
    submit(native, options.as_ptr(), queue.as_ptr());
    // SAFETY: the queue is alive; what it gives is an event to be freed by this
    // function, or null.
    let event = unsafe {
        Owned::new(
            rd_kafka_queue_poll(queue.as_ptr(), milliseconds(timeout + GRACE)),
            rd_kafka_event_destroy,
        )
    }
    .ok_or_else(|| failure(doing, RDKafkaErrorCode::OperationTimedOut))?;
    // SAFETY: the event is alive, and its text lives as long.
    let (code, reason) = unsafe {
        (
            rd_kafka_event_error(event.as_ptr()),
            copied(rd_kafka_event_error_string(event.as_ptr())),
        )
    };
    check(doing, code, reason)?;
    Ok(event)
}

fn check(doing: &str, code: Code, reason: Option<String>) -> Result<()> {
    if code == Code::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Ok(());
    }
    let code = RDKafkaErrorCode::from(code);
    Err(match reason {
        Some(reason) => KafkaError::new(kind_of(code), format!("{doing}: {reason}")),
        None => failure(doing, code),
    })
}

/// The code of an error object; none if the pointer is null.
///
/// # Safety
/// `error` is null, or points to an error that lives during the call.
unsafe fn code_of(error: *const rd_kafka_error_t) -> Option<RDKafkaErrorCode> {
    if error.is_null() {
        return None;
    }
    // SAFETY: not null, and alive by the caller's promise.
    let code = unsafe { rd_kafka_error_code(error) };
    (code != Code::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| code.into())
}

/// The cluster's id.
pub(super) fn cluster_id<C: ClientContext>(
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
pub(super) struct TopicState {
    pub(super) name: String,
    pub(super) partitions: usize,
    pub(super) leaders_known: bool,
    pub(super) error: Option<RDKafkaErrorCode>,
}

/// Describes topics, without creating them.
pub(super) fn describe_topics<C: ClientContext>(
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
pub(super) fn create_topic<C: ClientContext>(
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
            check(
                &doing,
                rd_kafka_topic_result_error(*topic),
                copied(rd_kafka_topic_result_error_string(*topic)),
            )?;
        }
    }
    Ok(())
}

/// A setting of a topic.
pub(super) fn topic_config<C: ClientContext>(
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

/// The number of members of a group; `None` if it does not exist.
pub(super) fn group_members<C: ClientContext>(
    client: &Client<C>,
    group: &str,
    timeout: Duration,
) -> Result<Option<usize>> {
    let doing = format!("Failed to describe group {group}");
    let name = text(group)?;
    let mut pointers = [name.as_ptr()];
    let event = ask(
        client,
        &doing,
        Op::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS,
        timeout,
        // SAFETY: `ask` gives valid pointers; the array has one text, which is
        // alive and is copied.
        |native, options, queue| unsafe {
            rd_kafka_DescribeConsumerGroups(native, pointers.as_mut_ptr(), 1, options, queue);
        },
    )?;
    let mut count = 0;
    // SAFETY: the result belongs to the event, which is alive, and so do the
    // descriptions of its groups; none of these is null.
    unsafe {
        let result = rd_kafka_event_DescribeConsumerGroups_result(event.as_ptr());
        if result.is_null() {
            return Err(refused(&doing));
        }
        let groups = array(
            rd_kafka_DescribeConsumerGroups_result_groups(result, &mut count),
            count,
        );
        let Some(description) = groups.first() else {
            return Ok(None);
        };
        match code_of(rd_kafka_ConsumerGroupDescription_error(*description)) {
            Some(RDKafkaErrorCode::GroupIdNotFound) => return Ok(None),
            Some(code) => return Err(failure(&doing, code)),
            None => {}
        }
        let state = rd_kafka_ConsumerGroupDescription_state(*description);
        // Brokers call a group dead that they have never heard of.
        if state == rd_kafka_consumer_group_state_t::RD_KAFKA_CONSUMER_GROUP_STATE_DEAD {
            return Ok(None);
        }
        Ok(Some(rd_kafka_ConsumerGroupDescription_member_count(
            *description,
        )))
    }
}

/// The committed offsets of a group.
pub(super) fn list_group_offsets<C: ClientContext>(
    client: &Client<C>,
    group: &str,
    timeout: Duration,
) -> Result<Vec<Answer>> {
    let doing = format!("Failed to list the offsets of group {group}");
    let name = text(group)?;
    // SAFETY: the name is alive and is copied; null asks for all partitions. A
    // request is freed by this function.
    let request = unsafe {
        Owned::new(
            rd_kafka_ListConsumerGroupOffsets_new(name.as_ptr(), ptr::null()),
            rd_kafka_ListConsumerGroupOffsets_destroy,
        )
    }
    .ok_or_else(|| refused(&doing))?;
    let mut pointers = [request.as_ptr()];
    let event = ask(
        client,
        &doing,
        Op::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS,
        timeout,
        // SAFETY: `ask` gives valid pointers; the array has one request, which
        // is alive and is copied.
        |native, options, queue| unsafe {
            rd_kafka_ListConsumerGroupOffsets(native, pointers.as_mut_ptr(), 1, options, queue);
        },
    )?;
    let mut count = 0;
    // SAFETY: the result belongs to the event, which is alive, and so do the
    // results of its groups.
    unsafe {
        let result = rd_kafka_event_ListConsumerGroupOffsets_result(event.as_ptr());
        if result.is_null() {
            return Err(refused(&doing));
        }
        let groups = rd_kafka_ListConsumerGroupOffsets_result_groups(result, &mut count);
        group_answers(&doing, array(groups, count))
    }
}

/// Sets committed offsets of a group.
pub(super) fn alter_group_offsets<C: ClientContext>(
    client: &Client<C>,
    group: &str,
    offsets: &TopicPartitionList,
    timeout: Duration,
) -> Result<Vec<Answer>> {
    let doing = format!("Failed to alter the offsets of group {group}");
    let name = text(group)?;
    // SAFETY: name and list are alive and are copied; a request is freed by this
    // function.
    let request = unsafe {
        Owned::new(
            rd_kafka_AlterConsumerGroupOffsets_new(name.as_ptr(), offsets.ptr()),
            rd_kafka_AlterConsumerGroupOffsets_destroy,
        )
    }
    .ok_or_else(|| refused(&doing))?;
    let mut pointers = [request.as_ptr()];
    let event = ask(
        client,
        &doing,
        Op::RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS,
        timeout,
        // SAFETY: `ask` gives valid pointers; the array has one request, which
        // is alive and is copied.
        |native, options, queue| unsafe {
            rd_kafka_AlterConsumerGroupOffsets(native, pointers.as_mut_ptr(), 1, options, queue);
        },
    )?;
    let mut count = 0;
    // SAFETY: the result belongs to the event, which is alive, and so do the
    // results of its groups.
    unsafe {
        let result = rd_kafka_event_AlterConsumerGroupOffsets_result(event.as_ptr());
        if result.is_null() {
            return Err(refused(&doing));
        }
        let groups = rd_kafka_AlterConsumerGroupOffsets_result_groups(result, &mut count);
        group_answers(&doing, array(groups, count))
    }
}

/// Deletes committed offsets of a group.
pub(super) fn delete_group_offsets<C: ClientContext>(
    client: &Client<C>,
    group: &str,
    partitions: &TopicPartitionList,
    timeout: Duration,
) -> Result<Vec<Answer>> {
    let doing = format!("Failed to delete offsets of group {group}");
    let name = text(group)?;
    // SAFETY: name and list are alive and are copied; a request is freed by this
    // function.
    let request = unsafe {
        Owned::new(
            rd_kafka_DeleteConsumerGroupOffsets_new(name.as_ptr(), partitions.ptr()),
            rd_kafka_DeleteConsumerGroupOffsets_destroy,
        )
    }
    .ok_or_else(|| refused(&doing))?;
    let mut pointers = [request.as_ptr()];
    let event = ask(
        client,
        &doing,
        Op::RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS,
        timeout,
        // SAFETY: `ask` gives valid pointers; the array has one request, which
        // is alive and is copied.
        |native, options, queue| unsafe {
            rd_kafka_DeleteConsumerGroupOffsets(native, pointers.as_mut_ptr(), 1, options, queue);
        },
    )?;
    let mut count = 0;
    // SAFETY: the result belongs to the event, which is alive, and so do the
    // results of its groups.
    unsafe {
        let result = rd_kafka_event_DeleteConsumerGroupOffsets_result(event.as_ptr());
        if result.is_null() {
            return Err(refused(&doing));
        }
        let groups = rd_kafka_DeleteConsumerGroupOffsets_result_groups(result, &mut count);
        group_answers(&doing, array(groups, count))
    }
}

/// Deletes a group.
pub(super) fn delete_group<C: ClientContext>(
    client: &Client<C>,
    group: &str,
    timeout: Duration,
) -> Result<()> {
    let doing = format!("Failed to delete group {group}");
    let name = text(group)?;
    // SAFETY: the name is alive and is copied; a request is freed by this
    // function.
    let request = unsafe {
        Owned::new(
            rd_kafka_DeleteGroup_new(name.as_ptr()),
            rd_kafka_DeleteGroup_destroy,
        )
    }
    .ok_or_else(|| refused(&doing))?;
    let mut pointers = [request.as_ptr()];
    let event = ask(
        client,
        &doing,
        Op::RD_KAFKA_ADMIN_OP_DELETEGROUPS,
        timeout,
        // SAFETY: `ask` gives valid pointers; the array has one request, which
        // is alive and is copied.
        |native, options, queue| unsafe {
            rd_kafka_DeleteGroups(native, pointers.as_mut_ptr(), 1, options, queue);
        },
    )?;
    let mut count = 0;
    // SAFETY: the result belongs to the event, which is alive, and so do the
    // results of its groups.
    let answers = unsafe {
        let result = rd_kafka_event_DeleteGroups_result(event.as_ptr());
        if result.is_null() {
            return Err(refused(&doing));
        }
        let groups = rd_kafka_DeleteGroups_result_groups(result, &mut count);
        group_answers(&doing, array(groups, count))
    };
    answers.map(drop)
}

/// The partitions of the only group of an answer.
///
/// # Safety
/// The results are not null and live during the call.
unsafe fn group_answers(
    doing: &str,
    groups: &[*const rd_kafka_group_result_t],
) -> Result<Vec<Answer>> {
    let Some(group) = groups.first() else {
        return Ok(Vec::new());
    };
    // SAFETY: the group is alive by the caller's promise; error and partitions
    // belong to it. A list has as many elements as it says, each with a topic.
    unsafe {
        if let Some(code) = code_of(rd_kafka_group_result_error(*group)) {
            return Err(failure(doing, code));
        }
        let Some(list) = rd_kafka_group_result_partitions(*group).as_ref() else {
            return Ok(Vec::new());
        };
        let elements = array(list.elems, usize::try_from(list.cnt).unwrap_or(0));
        Ok(elements
            .iter()
            .map(|element| {
                let topic = copied(element.topic).unwrap_or_default();
                let outcome = match element.err {
                    Code::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(Offset::from_raw(element.offset)),
                    code => Err(code.into()),
                };
                (TopicPartition::new(topic, element.partition), outcome)
            })
            .collect())
    }
}

/// Fills in the ends of the partitions in a list.
pub(super) fn end_offsets<C: ClientContext>(
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
