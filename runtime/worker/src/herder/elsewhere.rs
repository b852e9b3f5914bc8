//! Requests that another worker has to answer.

use std::error::Error as _;

use tether_api::ConnectError;

/// Where a request belongs (`RequestTargetException`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", match url {
    Some(url) => format!("the worker at {url} has to answer"),
    None => "nobody is known to answer".to_owned(),
})]
pub struct Elsewhere {
    url: Option<String>,
}

impl Elsewhere {
    /// The URL of the worker that has to answer, `scheme://host:port/`; `None`
    /// while there is none, which a rebalance will change.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }
}

/// The error of a request that has to run on the worker with this URL, the
/// leader or the owner of a connector or task. REST forwards the request there.
/// Without a URL nobody is known to answer at the moment.
pub fn elsewhere(url: Option<&str>) -> ConnectError {
    let url = url.filter(|url| !url.trim().is_empty()).map(str::to_owned);
    ConnectError::illegal_state("This worker cannot answer the request")
        .caused_by(Elsewhere { url })
}

/// Where a request belongs that failed with this error; `None`, if it failed for
/// another reason.
pub fn target_of(error: &ConnectError) -> Option<&Elsewhere> {
    error.source()?.downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_worker_that_has_to_answer() {
        let url =
            |error: &ConnectError| target_of(error).map(|target| target.url().map(str::to_owned));
        let known = elsewhere(Some("http://a:8083/"));
        assert_eq!(url(&known), Some(Some("http://a:8083/".to_owned())));
        assert_eq!(
            known.to_string(),
            "This worker cannot answer the request: the worker at http://a:8083/ has to answer"
        );
        assert_eq!(url(&elsewhere(None)), Some(None));
        assert_eq!(url(&elsewhere(Some(" "))), Some(None));
        assert_eq!(url(&ConnectError::illegal_state("x")), None);
        assert_eq!(url(&ConnectError::other("x").caused_by("y")), None);
    }
}
