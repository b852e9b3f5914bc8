//! What the server and the client library report, and what helps.

use mysql_async::{DriverError, Error, IoError};

use crate::error::{SqlError, chain};

/// Errors of the server that may pass although their SQLSTATE does not say so.
const TRANSIENT: [u16; 19] = [
    // Disk full, out of memory, out of file handles.
    1021, 1037, 1038, 1041, 1114, 1135,
    // A record or a table changed under the transaction.
    1020, 1412, 1615, // Too many connections, of the user or at all.
    1040, 1203, 1226, // Lock wait timeout, deadlock, failed commit.
    1180, 1205, 1213, // Interrupted or too slow.
    1317, 1969, 3024, 3572,
];

/// Errors of the server after which another connection is needed: it shuts
/// down, somebody or the server killed the connection, or it became read-only
/// by a failover, after which the name may lead to another server.
const CONNECTION_LOST: [u16; 11] = [
    1053, 1152, 1158, 1159, 1160, 1161, 1290, 1836, 1927, 3169, 4031,
];

/// The table, a column or a prepared statement is not what it was.
const STALE_METADATA: [u16; 3] = [1054, 1146, 1243];

/// Errors of the server that blame a record although their SQLSTATE does not
/// say so: a value without a default, a row that is too large, a text that is
/// none in the column's character set, a number that cannot be read, no
/// partition for a value, checks that do not hold.
const RECORD_FAULTS: [u16; 9] = [1118, 1265, 1364, 1366, 1367, 1526, 1748, 3819, 4025];

/// A statement or a value exceeds what the server takes at once. The server
/// ends the connection, but another one would not help.
const TOO_LARGE: [u16; 1] = [1153];

/// What the client library says, with the parts of the server's message.
pub(super) fn sql_error(error: &Error) -> SqlError {
    match error {
        Error::Server(reported) => {
            let mut sql_error = SqlError::with_state(&reported.state, reported.message.clone());
            sql_error.code = Some(reported.code.into());
            sql_error.is_transient |= TRANSIENT.contains(&reported.code);
            if CONNECTION_LOST.contains(&reported.code) {
                sql_error.is_transient = true;
                sql_error.is_connection_lost = true;
            }
            if TOO_LARGE.contains(&reported.code) {
                sql_error.is_transient = false;
            }
            sql_error.is_record_fault |=
                RECORD_FAULTS.contains(&reported.code) || TOO_LARGE.contains(&reported.code);
            sql_error.is_stale_metadata = STALE_METADATA.contains(&reported.code);
            sql_error.may_be_grouping = false;
            sql_error
        }
        Error::Io(IoError::Io(reason)) if is_certificate(&chain(reason)) => {
            SqlError::permanent(chain(error))
        }
        Error::Io(IoError::Tls(_)) => SqlError::permanent(chain(error)),
        Error::Io(_) => SqlError::connection(chain(error)),
        Error::Driver(reason) => match reason {
            DriverError::ConnectionClosed
            | DriverError::PacketOutOfOrder
            | DriverError::UnexpectedPacket { .. } => SqlError::connection(chain(error)),
            _ => SqlError::permanent(chain(error)),
        },
        Error::Other(_) | Error::Url(_) => SqlError::permanent(chain(error)),
    }
}

/// Whether a connection failed because of its certificate, which stays so.
fn is_certificate(text: &str) -> bool {
    text.contains("invalid peer certificate")
}

#[cfg(test)]
mod tests {
    use mysql_async::ServerError;

    use super::*;

    fn reported(code: u16, state: &str) -> SqlError {
        sql_error(&Error::Server(ServerError {
            code,
            message: String::new(),
            state: state.to_owned(),
        }))
    }

    #[test]
    fn classes_of_errors() {
        for (code, state) in [
            (1213, "40001"),
            (1205, "HY000"),
            (1114, "HY000"),
            (1040, "08004"),
            (1053, "08S01"),
            (1290, "HY000"),
        ] {
            assert!(reported(code, state).is_transient, "{code}");
        }
        for (code, state) in [
            (1062, "23000"),
            (1406, "22001"),
            (1045, "28000"),
            (1142, "42000"),
            (1146, "42S02"),
            (1153, "08S01"),
        ] {
            assert!(!reported(code, state).is_transient, "{code}");
        }
        for (code, state) in [
            (1062, "23000"),
            (1406, "22001"),
            (1366, "HY000"),
            (4025, "23000"),
            (1644, "45000"),
        ] {
            assert!(reported(code, state).is_record_fault, "{code}");
        }
        for (code, state) in [(1142, "42000"), (1146, "42S02"), (1114, "HY000")] {
            assert!(!reported(code, state).is_record_fault, "{code}");
        }
        assert!(!reported(1213, "40001").is_connection_lost);
        assert!(reported(1053, "08S01").is_connection_lost);
        assert!(reported(1927, "70100").is_connection_lost);
        assert!(reported(1054, "42S22").is_stale_metadata);
        let closed = sql_error(&Error::Driver(DriverError::ConnectionClosed));
        assert!(closed.is_transient && closed.is_connection_lost);
        let refused = sql_error(&Error::Driver(DriverError::NoClientSslFlagFromServer));
        assert!(!refused.is_transient);
    }
}
