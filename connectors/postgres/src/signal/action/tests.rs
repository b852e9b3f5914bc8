use proptest::prelude::*;

use super::*;
use crate::signal::SnapshotType;

fn signal(kind: &str, data: &str) -> Signal {
    Signal {
        id: "s1".to_owned(),
        kind: kind.to_owned(),
        data: data.to_owned(),
        channel_offset: None,
    }
}

fn parse(kind: &str, data: &str) -> Result<Action, String> {
    Action::parse(&signal(kind, data)).map_err(|error| error.to_string())
}

fn snapshot(data: &str) -> SnapshotRequest {
    match parse("execute-snapshot", data) {
        Ok(Action::ExecuteSnapshot(request)) => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn snapshots_say_what_to_read() {
    let request = snapshot(
        r#"{"data-collections": [" inv.a ", "inv.b"], "type": "Blocking", "surrogate-key": " ",
            "additional-conditions": [
              {"data-collection": "inv.a", "filter": "SELECT *
 FROM inv.a"}, /* all of b */
              {"data-collection": "inv\\.b"}]} // that is all"#,
    );
    assert_eq!(request.kind, SnapshotType::Blocking);
    assert_eq!(request.data_collections, ["inv.a", "inv.b"]);
    assert_eq!(request.surrogate_key, None);
    let [a, b] = &request.conditions[..] else {
        panic!("{request:?}")
    };
    assert_eq!(a.filter.as_deref(), Some("SELECT *\n FROM inv.a"));
    assert_eq!(a.table(), Some(crate::table::TableId::new("inv", "a")));
    assert!(b.pattern.matches("INV.B") && b.filter.is_none());
    let request = snapshot(r#"{"data-collections": ["x"], "surrogate-key": "k", "type": 1}"#);
    assert_eq!(request.kind, SnapshotType::Incremental);
    assert_eq!(request.surrogate_key.as_deref(), Some("k"));
}

#[test]
fn what_cannot_be_executed_is_said_in_the_references_words() {
    let error = |kind, data| parse(kind, data).err().unwrap_or_default();
    let missing = "Signal 's1' of type 'execute-snapshot' has arrived but the requested field \
                   'data-collections' is missing from data or is empty";
    for data in [
        "",
        "{}",
        r#"{"data-collections": []}"#,
        r#"{"data-collections": "a"}"#,
    ] {
        assert_eq!(error("execute-snapshot", data), missing);
    }
    assert_eq!(
        error("set-binlog-position", "{}"),
        "Signal 's1' has been received but the type 'set-binlog-position' is not recognized"
    );
    let unread = error("log", r#"["message"]"#);
    assert!(
        unread.starts_with(
            "Signal 's1' has been received but the data '[\"message\"]' cannot be parsed"
        ),
        "{unread}"
    );
    for data in [
        r#"{"data-collections": ["a"], "type": "other"}"#,
        r#"{"data-collections": [1]}"#,
        r#"{"data-collections": ["a"], "additional-conditions": [1]}"#,
        r#"{"data-collections": ["a"], "additional-conditions": [{"filter": "x"}]}"#,
        r#"{"data-collections": ["a"], "additional-conditions": [{"data-collection": "("}]}"#,
    ] {
        let failed = error("execute-snapshot", data);
        assert!(
            failed.starts_with("Action execute-snapshot failed. The signal 's1' may not"),
            "{failed}"
        );
    }
}

#[test]
fn other_actions_need_little() {
    assert!(
        matches!(parse("log", r#"{"message":"a {}"}"#), Ok(Action::Log(text)) if text == "a {}")
    );
    assert!(parse("log", r#"{"message":""}"#).is_err());
    assert!(matches!(
        parse("stop-snapshot", ""),
        Ok(Action::StopSnapshot(stop)) if stop.data_collections.is_none()
    ));
    assert!(matches!(
        parse("pause-snapshot", ""),
        Ok(Action::PauseSnapshot)
    ));
    assert!(matches!(
        parse("resume-snapshot", "{}"),
        Ok(Action::ResumeSnapshot)
    ));
    assert!(matches!(
        parse("schema-changes", r#"{"changes":[{}],"database":"d"}"#),
        Ok(Action::SchemaChanges)
    ));
    assert!(parse("schema-changes", r#"{"changes":[{}]}"#).is_err());
}

proptest! {
    /// Whatever is sent, the task lives, and errors are not longer than needed.
    #[test]
    fn no_signal_does_harm(
        id in ".{0,3000}",
        kind in "execute-snapshot|stop-snapshot|log|schema-changes|.*",
        data in r#"(\PC|[\x00-\x7f]|"|\\|/|\*|\{|\[|data-collections|additional-conditions)*"#,
    ) {
        let signal = Signal { id, ..signal(&kind, &data) };
        if let Err(error) = Action::parse(&signal) {
            prop_assert!(error.to_string().len() < 10_000);
        }
    }

    /// Comments and control characters change nothing.
    #[test]
    fn text_is_read_as_it_is(text in r"[^\\]*") {
        let escaped = text.replace('"', "\\\"");
        let data = format!("/*\"*/{{\"message\"://\"\n\"{escaped}.\"}}x");
        let message = match parse("log", &data) {
            Ok(Action::Log(message)) => message,
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        };
        prop_assert_eq!(message, format!("{text}."));
    }
}
