//! Requests about groups and their offsets.

use std::ptr;
use std::time::Duration;

use ::rdkafka::bindings::*;
use ::rdkafka::client::Client;
use ::rdkafka::error::RDKafkaErrorCode;
use ::rdkafka::types::{RDKafkaAdminOp as Op, RDKafkaRespErr as Code};
use ::rdkafka::{ClientContext, Offset, TopicPartitionList};
use tether_api::offset::TopicPartition;

use super::{Owned, array, ask, code_of, copied, refused, text};
use crate::Result;
use crate::rdkafka::error::failure;
use crate::rdkafka::partitions::Answer;

/// The number of members of a group; `None` if it does not exist.
pub(in crate::rdkafka::admin) fn group_members<C: ClientContext>(
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
pub(in crate::rdkafka::admin) fn list_group_offsets<C: ClientContext>(
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
pub(in crate::rdkafka::admin) fn alter_group_offsets<C: ClientContext>(
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
pub(in crate::rdkafka::admin) fn delete_group_offsets<C: ClientContext>(
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
pub(in crate::rdkafka::admin) fn delete_group<C: ClientContext>(
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
