//! The steps of the conformance test: requests, and waiting in between.

/// What the test does next.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Sends a request and compares the answers.
    Send(Exchange),
    /// Waits until both workers have got so far.
    Await(Goal),
}

impl Step {
    /// The request, if this is one.
    pub(super) fn exchange(&self) -> Option<&Exchange> {
        match self {
            Self::Send(exchange) => Some(exchange),
            Self::Await(_) => None,
        }
    }
}

/// What to wait for.
#[derive(Debug, Clone)]
pub(super) enum Goal {
    /// A connector and its tasks have these states, as in `RUNNING[RUNNING]`.
    States { connector: String, states: String },
    /// A `GET` answers with a body that contains this text.
    Text { path: String, text: String },
}

/// A request and what is known of its answers. `{run}` stands for a name that only this run has,
/// `{files}` for a folder.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<String>,
    /// The ids of the differences that this request shows.
    pub(super) differs: Vec<&'static str>,
}

impl Exchange {
    /// Stands for the wait for a goal.
    pub(super) fn awaiting(goal: &Goal) -> Self {
        Self {
            method: "await".to_owned(),
            path: match goal {
                Goal::States { connector, states } => format!("{connector} is {states}"),
                Goal::Text { path, text } => format!("{path} has {text}"),
            },
            headers: Vec::new(),
            body: None,
            differs: Vec::new(),
        }
    }

    /// The request on one line, for messages.
    pub(super) fn name(&self) -> String {
        let mut name = format!("{} {}", self.method, self.path);
        for (header, value) in &self.headers {
            if header != "Content-Type" || value != JSON {
                name.push_str(&format!(" [{header}: {value}]"));
            }
        }
        if let Some(body) = &self.body {
            let shown: String = body.chars().take(200).collect();
            name.push(' ');
            name.push_str(&shown);
        }
        name
    }
}

const JSON: &str = "application/json";

/// A request being put together.
pub(super) struct Builder(Exchange);

/// A request without a body.
pub(super) fn call(method: &str, path: &str) -> Builder {
    Builder(Exchange {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: Vec::new(),
        body: None,
        differs: Vec::new(),
    })
}

pub(super) fn get(path: &str) -> Builder {
    call("GET", path)
}

pub(super) fn delete(path: &str) -> Builder {
    call("DELETE", path)
}

/// A request with a JSON body.
pub(super) fn send(method: &str, path: &str, body: &str) -> Builder {
    call(method, path).header("Content-Type", JSON).body(body)
}

pub(super) fn post(path: &str, body: &str) -> Builder {
    send("POST", path, body)
}

pub(super) fn put(path: &str, body: &str) -> Builder {
    send("PUT", path, body)
}

pub(super) fn patch(path: &str, body: &str) -> Builder {
    send("PATCH", path, body)
}

impl Builder {
    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.0.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn body(mut self, body: &str) -> Self {
        self.0.body = Some(body.to_owned());
        self
    }

    /// The body does not fit the resource.
    pub(super) fn unfit(self) -> Self {
        self.differs("unfit-body")
    }

    /// No handler answers.
    pub(super) fn unrouted(self) -> Self {
        self.differs("error-content-type")
    }

    /// The resource has not this method.
    pub(super) fn wrong_method(self) -> Self {
        self.unrouted().differs("allow")
    }

    /// The answer defines keys.
    pub(super) fn defines_keys(self) -> Self {
        self.differs("documentation").differs("second-order")
    }

    /// Names a difference that the answers show on purpose, by its id in docs/compatibility.md.
    pub(super) fn differs(mut self, id: &'static str) -> Self {
        self.0.differs.push(id);
        self
    }
}

impl From<Builder> for Step {
    fn from(builder: Builder) -> Self {
        Self::Send(builder.0)
    }
}

/// Waits for the states of a connector, whose name is percent-encoded, and its tasks.
pub(super) fn await_states(connector: &str, states: &str) -> Step {
    Step::Await(Goal::States {
        connector: connector.to_owned(),
        states: states.to_owned(),
    })
}

/// Waits until a `GET` answers with a body that contains this text.
pub(super) fn await_text(path: &str, text: &str) -> Step {
    Step::Await(Goal::Text {
        path: path.to_owned(),
        text: text.to_owned(),
    })
}
