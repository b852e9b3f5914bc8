//! The HTTP API that the first pipeline polls, with users that the test controls.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(10);

/// A server on a free port of 127.0.0.1 that answers `GET /users` with its users, as
/// `https://jsonplaceholder.typicode.com/users` does. Ends when dropped.
#[derive(Debug)]
pub struct UsersApi {
    address: SocketAddr,
    state: Arc<State>,
    server: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    users: Mutex<Vec<Value>>,
    served: AtomicUsize,
    is_over: AtomicBool,
}

impl UsersApi {
    /// Starts a server of these users.
    pub fn start(users: Vec<Value>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            users: Mutex::new(users),
            ..State::default()
        });
        let server = std::thread::spawn({
            let state = Arc::clone(&state);
            move || {
                for stream in listener.incoming().flatten() {
                    if state.is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    // A client that went away needs no answer.
                    let _ = answer(stream, &state);
                }
            }
        });
        Ok(Self {
            address,
            state,
            server: Some(server),
        })
    }

    /// Base URL, without `/users`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests were answered with users.
    pub fn served(&self) -> usize {
        self.state.served.load(Ordering::SeqCst)
    }

    /// Replaces the users.
    pub fn set(&self, users: Vec<Value>) {
        *self
            .state
            .users
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = users;
    }
}

impl Drop for UsersApi {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::SeqCst);
        // Wakes the server from its wait for a client.
        let _ = TcpStream::connect(self.address);
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

/// Answers one request and closes the connection.
fn answer(mut stream: TcpStream, state: &State) -> Result<()> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    // The rest of the head; such requests have no body.
    while lines
        .next()
        .transpose()?
        .is_some_and(|line| !line.is_empty())
    {}
    let (status, body) = if request.starts_with("GET /users ") {
        let users = state.users.lock().unwrap_or_else(PoisonError::into_inner);
        ("200 OK", Value::from(users.clone()).to_string())
    } else {
        ("404 Not Found", "{}".to_owned())
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )?;
    if status.starts_with("200") {
        state.served.fetch_add(1, Ordering::SeqCst);
    }
    Ok(())
}

/// A user with the fields that the REST source expects; all texts tell which user it is, and the name
/// also which `edition`.
pub fn user(id: i32, edition: u32) -> Value {
    json!({
        "id": id,
        "name": format!("name {id} edition {edition}"),
        "username": format!("user{id}"),
        "email": format!("user{id}@example.com"),
        "address": {
            "street": format!("street {id}"),
            "suite": format!("suite {id}"),
            "city": format!("city {id}"),
            "zipcode": format!("{id:05}"),
            "geo": {"lat": format!("{id}.5"), "lng": format!("-{id}.25")},
        },
        "phone": format!("555-{id}"),
        "website": format!("user{id}.example.com"),
        "company": {
            "name": format!("company {id}"),
            "catchPhrase": format!("phrase {id}"),
            "bs": format!("bs {id}"),
        },
    })
}
