//! What the standard variables of OpenTelemetry say about traces.

use std::time::Duration;

use reqwest::Url;

/// The default of the timeout of a request (`OTEL_EXPORTER_OTLP_TIMEOUT`).
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where collectors listen.
const DEFAULT_ENDPOINT: &str = "http://localhost:4318";

/// What the path of a collector's address gets (`OTEL_EXPORTER_OTLP_ENDPOINT`).
const PATH: &str = "v1/traces";

/// How the SDK may choose what is traced (`OTEL_TRACES_SAMPLER`).
const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];

/// How to send traces.
#[derive(Debug, PartialEq)]
pub(super) struct Settings {
    /// The URL that requests go to. It may have a password in it.
    pub(super) endpoint: String,
    /// How long a request may take.
    pub(super) timeout: Duration,
}

impl Settings {
    /// Reads them; `None` if no traces are wanted.
    ///
    /// # Errors
    /// What is wrong with which variable, and what to do. No value that may be secret is told.
    pub(super) fn read(variables: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        // An empty variable counts as none, and the one for traces comes first.
        let first = |names: [&'static str; 2]| {
            let mut found = names.into_iter().filter_map(|name| {
                let value = variables(name)?.trim().to_owned();
                (!value.is_empty()).then_some((name, value))
            });
            found.next()
        };
        let one = |name: &'static str| first([name, name]).map(|(_, value)| value);
        if one("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let general = one("OTEL_EXPORTER_OTLP_ENDPOINT");
        let exact = one("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        match one("OTEL_TRACES_EXPORTER").as_deref() {
            Some("none") => return Ok(None),
            None if general.is_none() && exact.is_none() => return Ok(None),
            None | Some("otlp") => {}
            Some(other) => {
                return Err(format!(
                    "OTEL_TRACES_EXPORTER is {other:?}; it can be otlp or none"
                ));
            }
        }
        let protocol = first([
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            "OTEL_EXPORTER_OTLP_PROTOCOL",
        ]);
        if let Some((name, protocol)) = protocol
            && protocol != "http/protobuf"
        {
            return Err(format!(
                "{name} is {protocol:?}, and traces are sent with http/protobuf only: set that, and an endpoint \
                 that takes it, usually port 4318 of the collector"
            ));
        }
        check_sampler(one("OTEL_TRACES_SAMPLER"), one("OTEL_TRACES_SAMPLER_ARG"))?;
        let endpoint = match (exact, general) {
            (Some(exact), _) => url("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &exact)?,
            (None, Some(general)) => below(url("OTEL_EXPORTER_OTLP_ENDPOINT", &general)?),
            (None, None) => below(url("OTEL_EXPORTER_OTLP_ENDPOINT", DEFAULT_ENDPOINT)?),
        };
        let certificate = first([
            "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
        ]);
        if let Some((name, _)) = certificate
            && endpoint.scheme() == "https"
        {
            return Err(format!(
                "{name} has no effect here: name the file in SSL_CERT_FILE instead, which is for everything that \
                 trusts whom the system trusts"
            ));
        }
        let timeout = first([
            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
        ]);
        let timeout = match timeout {
            None => TIMEOUT,
            Some((name, text)) => match text.parse() {
                Ok(milliseconds) if milliseconds > 0 => Duration::from_millis(milliseconds),
                _ => {
                    return Err(format!(
                        "{name} is {text:?}; it is a number of milliseconds"
                    ));
                }
            },
        };
        Ok(Some(Self {
            endpoint: endpoint.into(),
            timeout,
        }))
    }

    /// The endpoint without what may be secret: for people.
    pub(super) fn address(&self) -> String {
        let Ok(mut url) = Url::parse(&self.endpoint) else {
            return String::new();
        };
        // They fail for URLs without a host only.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_query(None);
        url.into()
    }
}

fn url(variable: &str, text: &str) -> Result<Url, String> {
    let example = "it is a URL such as http://collector:4318";
    let url =
        Url::parse(text).map_err(|error| format!("{variable} is wrong: {error}; {example}"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err(format!(
            "{variable} begins neither with http:// nor with https://; {example}"
        )),
    }
}

/// The address of traces at a collector with this address.
fn below(mut url: Url) -> Url {
    let path = format!("{}/{PATH}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url
}

/// The SDK would take another sampler than the one that is asked for.
fn check_sampler(sampler: Option<String>, argument: Option<String>) -> Result<(), String> {
    let Some(sampler) = sampler else {
        return Ok(());
    };
    if !SAMPLERS.contains(&sampler.as_str()) {
        return Err(format!(
            "OTEL_TRACES_SAMPLER is {sampler:?}; it can be {}",
            SAMPLERS.join(", ")
        ));
    }
    let ratio = argument
        .as_ref()
        .and_then(|ratio| ratio.parse::<f64>().ok());
    if sampler.ends_with("traceidratio") && !ratio.is_some_and(|ratio| (0.0..=1.0).contains(&ratio))
    {
        return Err(format!(
            "OTEL_TRACES_SAMPLER is {sampler:?}, and OTEL_TRACES_SAMPLER_ARG is no number between 0 and 1"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Settings>, String> {
        Settings::read(|name| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some((*value).to_owned())
        })
    }

    fn endpoint(variables: &[(&str, &str)]) -> Option<String> {
        Some(read(variables).expect("they are right")?.endpoint)
    }

    #[test]
    fn nothing_is_traced_unless_it_is_asked_for() {
        let collector = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
        for variables in [
            &[][..],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")],
            &[("OTEL_SERVICE_NAME", "connect")],
            &[collector, ("OTEL_SDK_DISABLED", "TRUE")],
            &[collector, ("OTEL_TRACES_EXPORTER", "none")],
        ] {
            assert_eq!(endpoint(variables), None, "{variables:?}");
        }
    }

    #[test]
    fn an_address_gets_the_path_and_an_exact_one_does_not() {
        let general = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let exact = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
        for (variables, expected) in [
            (&[(general, "http://c:4318")][..], "http://c:4318/v1/traces"),
            (&[(general, "https://c/otlp/")], "https://c/otlp/v1/traces"),
            (&[(exact, "http://c:1/in")], "http://c:1/in"),
            (
                &[(general, "http://d:2"), (exact, "http://c:1")],
                "http://c:1/",
            ),
            (
                &[("OTEL_TRACES_EXPORTER", "otlp")],
                "http://localhost:4318/v1/traces",
            ),
        ] {
            assert_eq!(endpoint(variables).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_secrets() {
        let collector = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
        for (variables, expected) in [
            (
                &[("OTEL_EXPORTER_OTLP_ENDPOINT", "user:secret@c:4318")][..],
                "OTEL_EXPORTER_OTLP_ENDPOINT begins neither with http:// nor with https://",
            ),
            (
                &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:secret@c:x")],
                "OTEL_EXPORTER_OTLP_ENDPOINT is wrong: invalid port number",
            ),
            (
                &[collector, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
                "OTEL_EXPORTER_OTLP_PROTOCOL is \"grpc\"",
            ),
            (
                &[collector, ("OTEL_TRACES_EXPORTER", "zipkin")],
                "OTEL_TRACES_EXPORTER is \"zipkin\"",
            ),
            (
                &[collector, ("OTEL_TRACES_SAMPLER", "xray")],
                "OTEL_TRACES_SAMPLER is \"xray\"",
            ),
            (
                &[collector, ("OTEL_TRACES_SAMPLER", "traceidratio")],
                "OTEL_TRACES_SAMPLER is \"traceidratio\", and OTEL_TRACES_SAMPLER_ARG",
            ),
            (
                &[
                    ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c:4318"),
                    ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"),
                ],
                "OTEL_EXPORTER_OTLP_CERTIFICATE has no effect here: name the file in SSL_CERT_FILE",
            ),
            (
                &[collector, ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "10s")],
                "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT is \"10s\"",
            ),
        ] {
            let error = read(variables).expect_err("one is wrong");
            assert!(error.starts_with(expected), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn people_see_no_passwords() {
        let settings = read(&[(
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "https://user:secret@c:1/in?key=secret",
        )]);
        let settings = settings.expect("it is right").expect("one is wanted");
        assert_eq!(settings.address(), "https://c:1/in");
        assert_eq!(settings.timeout, TIMEOUT);
    }
}
