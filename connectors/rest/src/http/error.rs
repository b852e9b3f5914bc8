//! What can go wrong between a request and its body.

use std::error::Error as _;

use reqwest::StatusCode;

/// Why a request brought no body. Texts hold neither URL nor body, which may
/// carry secrets.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// The server answered with something other than 2xx or a redirect.
    #[error("the server answered {0}")]
    Status(StatusCode),
    /// The request or its answer did not get through.
    #[error("{}", chain(.0))]
    Transport(reqwest::Error),
    /// The body is larger than allowed, in bytes after decompression.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// A redirect that cannot be followed.
    #[error("the server answered with a redirect {0}")]
    Redirect(&'static str),
}

impl HttpError {
    /// Whether the same request may succeed soon.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Status(status) => {
                status.is_server_error()
                    || matches!(
                        *status,
                        StatusCode::REQUEST_TIMEOUT
                            | StatusCode::TOO_EARLY
                            | StatusCode::TOO_MANY_REQUESTS
                    )
            }
            Self::Transport(error) => !error.is_builder(),
            Self::TooLarge(_) | Self::Redirect(_) => false,
        }
    }
}

impl From<reqwest::Error> for HttpError {
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(error.without_url())
    }
}

/// An error with its causes, of which the last usually says what happened.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        // Some errors repeat their cause in their own text.
        if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_trouble_passes_and_client_mistakes_stay() {
        for status in [408, 425, 429, 500, 502, 503, 599] {
            assert!(HttpError::Status(StatusCode::from_u16(status).unwrap()).is_transient());
        }
        for status in [304, 400, 401, 403, 404, 410] {
            assert!(!HttpError::Status(StatusCode::from_u16(status).unwrap()).is_transient());
        }
        assert!(!HttpError::TooLarge(1).is_transient());
    }
}
