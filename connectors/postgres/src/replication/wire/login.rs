//! The login of a connection that streams.

use postgres_protocol::authentication::{md5_hash, sasl};
use postgres_protocol::message::backend::{
    AUTHENTICATION_TAG, BACKEND_KEY_DATA_TAG, READY_FOR_QUERY_TAG,
};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncRead, AsyncWrite};

use super::connected::Wire;
use super::frame::Frame;
use crate::config::ConnectionSettings;
use crate::replication::failure::Failure;

/// What names a connection when a command on it is to be cancelled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BackendKey {
    process: i32,
    secret: i32,
}

impl BackendKey {
    /// Asks for the cancellation of the command under way, on a connection of
    /// its own.
    pub(crate) fn cancel(self, out: &mut bytes::BytesMut) {
        frontend::cancel_request(self.process, self.secret, out);
    }
}

/// Who logs in, and where.
pub(crate) struct Login<'a> {
    /// The settings of the connection.
    pub(crate) settings: &'a ConnectionSettings,
    /// What the server shows as `application_name`.
    pub(crate) application: &'a str,
    /// What the login is bound to, with TLS.
    pub(crate) end_point: Option<Vec<u8>>,
}

/// Logs in for logical replication.
///
/// # Errors
/// If the server refuses, or asks for a way to log in that is not there.
pub(crate) async fn log_in<T>(
    wire: &mut Wire<T>,
    login: Login<'_>,
) -> Result<Option<BackendKey>, Failure>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let settings = login.settings;
    let parameters = [
        ("user", settings.user.as_str()),
        ("database", settings.database.as_str()),
        ("replication", "database"),
        ("client_encoding", "UTF8"),
        ("application_name", login.application),
    ];
    frontend::startup_message(parameters, &mut wire.out).map_err(unsendable)?;
    wire.send().await?;
    authenticate(wire, login).await?;
    let mut key = None;
    loop {
        let frame = wire.receive().await?;
        match frame.tag {
            READY_FOR_QUERY_TAG => return Ok(key),
            BACKEND_KEY_DATA_TAG => key = backend_key(&frame.body),
            _ => {}
        }
    }
}

/// Keys of other lengths, which newer protocols have, are not asked for.
fn backend_key(body: &[u8]) -> Option<BackendKey> {
    let (process, secret) = body.split_first_chunk()?;
    Some(BackendKey {
        process: i32::from_be_bytes(*process),
        secret: i32::from_be_bytes(secret.try_into().ok()?),
    })
}

fn unsendable(error: std::io::Error) -> Failure {
    Failure::permanent(format!("the login cannot be sent: {error}"))
}

fn damaged() -> Failure {
    Failure::permanent("the server's answer to the login cannot be read")
}

/// A step of the login that the server asks for.
struct Request {
    code: u32,
    frame: Frame,
}

impl Request {
    async fn receive<T>(wire: &mut Wire<T>) -> Result<Self, Failure>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let frame = wire.receive().await?;
        match (frame.tag, frame.body.first_chunk()) {
            (AUTHENTICATION_TAG, Some(code)) => Ok(Self {
                code: u32::from_be_bytes(*code),
                frame,
            }),
            _ => Err(damaged()),
        }
    }

    /// What follows the code.
    fn rest(&self) -> &[u8] {
        self.frame.body.get(4..).unwrap_or_default()
    }
}

/// What the server may ask for (`AuthenticationRequest` of the protocol).
mod code {
    pub(super) const OK: u32 = 0;
    pub(super) const CLEARTEXT: u32 = 3;
    pub(super) const MD5: u32 = 5;
    pub(super) const SASL: u32 = 10;
    pub(super) const SASL_CONTINUE: u32 = 11;
    pub(super) const SASL_FINAL: u32 = 12;
}

async fn authenticate<T>(wire: &mut Wire<T>, login: Login<'_>) -> Result<(), Failure>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let request = Request::receive(wire).await?;
    let password = || {
        let password = login.settings.password.as_ref();
        password.map(|password| password.reveal()).ok_or_else(|| {
            Failure::permanent("the server asks for a password: set database.password")
        })
    };
    match request.code {
        code::OK => return Ok(()),
        code::CLEARTEXT => send_password(wire, password()?.as_bytes()).await?,
        code::MD5 => {
            let salt = request.rest().try_into().map_err(|_| damaged())?;
            let user = login.settings.user.as_bytes();
            let hash = md5_hash(user, password()?.as_bytes(), salt);
            send_password(wire, hash.as_bytes()).await?;
        }
        code::SASL => {
            let password = password()?.as_bytes();
            scram(wire, &request, password, login.end_point).await?;
        }
        other => {
            return Err(Failure::permanent(format!(
                "the server asks for authentication of kind {other}, such as GSSAPI, which is not \
                 there: let pg_hba.conf ask for scram-sha-256 or a certificate"
            )));
        }
    }
    match Request::receive(wire).await?.code {
        code::OK => Ok(()),
        _ => Err(damaged()),
    }
}

async fn send_password<T>(wire: &mut Wire<T>, password: &[u8]) -> Result<(), Failure>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    frontend::password_message(password, &mut wire.out).map_err(unsendable)?;
    wire.send().await
}

/// SCRAM, bound to the TLS stream where both sides can.
async fn scram<T>(
    wire: &mut Wire<T>,
    request: &Request,
    password: &[u8],
    end_point: Option<Vec<u8>>,
) -> Result<(), Failure>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let offers = |mechanism: &str| {
        let mut offered = request.rest().split(|byte| *byte == 0);
        offered.any(|name| name == mechanism.as_bytes())
    };
    let (mechanism, binding) = match end_point {
        Some(digest) if offers(sasl::SCRAM_SHA_256_PLUS) => (
            sasl::SCRAM_SHA_256_PLUS,
            sasl::ChannelBinding::tls_server_end_point(digest),
        ),
        // Says that the offer was missed, should somebody have removed it.
        Some(_) => (sasl::SCRAM_SHA_256, sasl::ChannelBinding::unrequested()),
        None => (sasl::SCRAM_SHA_256, sasl::ChannelBinding::unsupported()),
    };
    if !offers(mechanism) {
        return Err(Failure::permanent(
            "the server offers no way to log in with a password that is known here (SCRAM-SHA-256)",
        ));
    }
    let refused = |error: std::io::Error| Failure::permanent(format!("the login failed: {error}"));
    let mut exchange = sasl::ScramSha256::new(password, binding);
    frontend::sasl_initial_response(mechanism, exchange.message(), &mut wire.out)
        .map_err(unsendable)?;
    wire.send().await?;
    let challenge = expect(wire, code::SASL_CONTINUE).await?;
    exchange.update(challenge.rest()).map_err(refused)?;
    frontend::sasl_response(exchange.message(), &mut wire.out).map_err(unsendable)?;
    wire.send().await?;
    let proof = expect(wire, code::SASL_FINAL).await?;
    exchange.finish(proof.rest()).map_err(refused)
}

async fn expect<T>(wire: &mut Wire<T>, code: u32) -> Result<Request, Failure>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let request = Request::receive(wire).await?;
    match request.code == code {
        true => Ok(request),
        false => Err(damaged()),
    }
}
