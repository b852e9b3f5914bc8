//! What the server says of an error.

/// The fields of an error or a notice that are of use.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerReport {
    /// Such as `ERROR`; in the server's language.
    pub(crate) severity: String,
    /// SQLSTATE.
    pub(crate) state: String,
    /// What it is about.
    pub(crate) message: String,
    /// More of it.
    pub(crate) detail: Option<String>,
    /// What may help.
    pub(crate) hint: Option<String>,
}

/// Reads the body of an error or a notice; fields that cannot be read are left
/// out.
pub(crate) fn server_report(body: &[u8]) -> ServerReport {
    let mut report = ServerReport::default();
    for field in body.split(|byte| *byte == 0) {
        let Some((kind, value)) = field.split_first() else {
            continue;
        };
        let value = String::from_utf8_lossy(value).into_owned();
        match kind {
            b'S' => report.severity = value,
            b'C' => report.state = value,
            b'M' => report.message = value,
            b'D' => report.detail = Some(value),
            b'H' => report.hint = Some(value),
            _ => {}
        }
    }
    report
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_read() {
        let body = b"SERROR\0VERROR\0C55006\0Mslot is active\0Hwait\0Fslot.c\0L1\0Rf\0\0";
        let expected = ServerReport {
            severity: "ERROR".to_owned(),
            state: "55006".to_owned(),
            message: "slot is active".to_owned(),
            detail: None,
            hint: Some("wait".to_owned()),
        };
        assert_eq!(server_report(body), expected);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(body: Vec<u8>) {
            let _ = server_report(&body);
        }
    }
}
