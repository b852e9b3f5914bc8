use super::*;

#[test]
fn outages_pass_and_mistakes_do_not() {
    for state in [
        "08006", "08001", "53300", "53100", "57P01", "57P02", "57P03", "40001", "40P01", "55P03",
        "55006", "57014", "25006",
    ] {
        assert!(Failure::reported(state, "").is_temporary(), "{state}");
    }
    for state in [
        "28P01", "28000", "3D000", "42501", "42704", "58P01", "53400", "55000", "XX001", "0A000",
        "",
    ] {
        assert!(!Failure::reported(state, "").is_temporary(), "{state}");
    }
    assert!(Failure::reported("55000", "recovery is in progress").is_temporary());
}

#[test]
fn what_helps_is_said() {
    let cases = [
        (
            "55006",
            "ERROR: replication slot \"debezium\" is active for PID 4711",
            "distinct replication slot name for each.",
        ),
        (
            "58P01",
            "ERROR: could not access file \"decoderbufs\": No such file or directory",
            "plugin.name=pgoutput",
        ),
        (
            "53400",
            "ERROR: all replication slots are in use",
            "max_replication_slots",
        ),
        (
            "55000",
            "ERROR: logical decoding requires wal_level >= logical",
            "wal_level = logical",
        ),
        (
            "42501",
            "ERROR: must be superuser to create FOR ALL TABLES publication",
            "publication.autocreate.mode=filtered",
        ),
        (
            "28000",
            "FATAL: no pg_hba.conf entry for replication connection",
            "pg_hba.conf has to admit",
        ),
    ];
    for (state, message, expected) in cases {
        let text = Failure::reported(state, message).to_string();
        assert!(text.contains(expected), "{text}");
        assert!(text.contains(&format!("(SQLSTATE {state})")), "{text}");
    }
}

#[test]
fn the_text_goes_from_the_outside_to_the_inside() {
    let failure = Failure::reported("28P01", "FATAL: password authentication failed")
        .during("logging in")
        .during("starting");
    assert_eq!(
        failure.to_string(),
        "starting: logging in: FATAL: password authentication failed (SQLSTATE 28P01); check \
         database.user and database.password"
    );
}

#[test]
fn the_kind_of_the_error_decides_what_the_worker_does() {
    let error: ConnectError = Failure::reported("57P01", "FATAL: shutdown").into();
    assert!(error.is_retriable());
    let error: ConnectError = Failure::permanent("no").into();
    assert_eq!(error.kind(), ErrorKind::Other);
}

#[test]
fn a_certificate_does_not_become_good_by_waiting() {
    let wrap = |error: rustls::Error| io::Error::new(io::ErrorKind::InvalidData, error);
    let bad = rustls::CertificateError::UnknownIssuer.into();
    assert!(!Failure::connection("TLS", &wrap(bad)).is_temporary());
    let cut = rustls::Error::HandshakeNotComplete;
    assert!(Failure::connection("TLS", &wrap(cut)).is_temporary());
}
