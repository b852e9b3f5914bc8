//! A small HTTP API that serves users which change, for the demo's source.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// `GET /users` on a free port of the loopback interface. Every call finds some
/// users changed; after [`UsersApi::CALLS_TO_CHANGE_ALL`] further ones each has
/// changed once. It ends when this is dropped.
pub struct UsersApi {
    address: SocketAddr,
    serving: JoinHandle<io::Result<()>>,
}

impl UsersApi {
    /// After so many calls beyond the first, every user has changed.
    pub const CALLS_TO_CHANGE_ALL: u64 = 4;

    /// Starts to serve.
    ///
    /// # Errors
    /// If there is no free port.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let app = Router::new()
            .route("/users", get(serve_users))
            .with_state(Arc::default());
        let serving = tokio::spawn(async { axum::serve(listener, app).await });
        Ok(Self { address, serving })
    }

    /// The URL to poll.
    pub fn url(&self) -> String {
        format!("http://{}/users", self.address)
    }
}

impl Drop for UsersApi {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve_users(State(calls): State<Arc<AtomicU64>>) -> Json<Vec<User>> {
    Json(users(calls.fetch_add(1, Ordering::Relaxed)))
}

/// A user in the shape of `com.example.kafka.connect.User`.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct User {
    id: u64,
    name: String,
    username: String,
    email: String,
    address: Address,
    phone: String,
    website: String,
    company: Company,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Address {
    street: String,
    suite: String,
    city: &'static str,
    zipcode: String,
    geo: Geo,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Geo {
    lat: &'static str,
    lng: &'static str,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Company {
    name: String,
    catch_phrase: &'static str,
    bs: &'static str,
}

const FIRST_NAMES: [&str; 12] = [
    "Alma", "Bruno", "Chiara", "Dimitri", "Edda", "Farid", "Greta", "Hiro", "Ines", "Jonas",
    "Kaya", "Luca",
];
const LAST_NAMES: [&str; 5] = ["Berg", "Castell", "Dorn", "Elm", "Fjord"];
const CITIES: [(&str, Geo); 5] = [
    ("Aarhus", geo("56.1629", "10.2039")),
    ("Bergen", geo("60.3913", "5.3221")),
    ("Coimbra", geo("40.2033", "-8.4103")),
    ("Delft", geo("52.0116", "4.3571")),
    ("Évora", geo("38.5714", "-7.9135")),
];
const CATCH_PHRASES: [&str; 3] = [
    "Small parts, well kept",
    "Nothing lost on the way",
    "One at a time",
];

const fn geo(lat: &'static str, lng: &'static str) -> Geo {
    Geo { lat, lng }
}

/// The users that call number `call` (from 0) finds.
fn users(call: u64) -> Vec<User> {
    (1..)
        .zip(FIRST_NAMES)
        .map(|(id, name)| user(id, name, changes(id, call)))
        .collect()
}

/// How often a user has changed up to a call: the users take turns, and the one
/// with this id has every [`UsersApi::CALLS_TO_CHANGE_ALL`]th.
fn changes(id: u64, call: u64) -> u64 {
    let turns = UsersApi::CALLS_TO_CHANGE_ALL;
    (call + turns - 1 - id % turns) / turns
}

/// Each change is a move to the next city, with a new phone.
fn user(id: u64, first_name: &str, changes: u64) -> User {
    let last_name = LAST_NAMES[id as usize % LAST_NAMES.len()];
    let username = format!("{}{id}", first_name.to_lowercase());
    let (city, geo) = CITIES[((id + changes) % CITIES.len() as u64) as usize].clone();
    User {
        id,
        name: format!("{first_name} {last_name}"),
        email: format!("{username}@example.com"),
        address: Address {
            street: format!("{last_name} Street"),
            suite: format!("Suite {id}"),
            city,
            zipcode: format!("{:05}", 10_000 + id * 7 + changes),
            geo,
        },
        phone: format!("555-01{id:02} x{changes}"),
        website: format!("{username}.example.com"),
        company: Company {
            name: format!("{last_name} Works"),
            catch_phrase: CATCH_PHRASES[id as usize % CATCH_PHRASES.len()],
            bs: "moves records",
        },
        username,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    #[test]
    fn a_quarter_changes_with_every_call() {
        for call in 0..10 {
            let (before, after) = (users(call), users(call + 1));
            assert_eq!(before.len(), 12);
            let changed = before.iter().zip(&after).filter(|(a, b)| a != b).count();
            assert_eq!(changed, 3, "call {call}");
        }
    }

    #[test]
    fn all_have_changed_after_the_calls_that_it_takes() {
        let (before, after) = (users(0), users(UsersApi::CALLS_TO_CHANGE_ALL));
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before.id, after.id);
            assert_ne!(before.address.city, after.address.city);
            assert_ne!(before.phone, after.phone);
        }
    }

    #[tokio::test]
    async fn serves_users_over_http() {
        let api = UsersApi::start().await.unwrap();
        let mut connection = TcpStream::connect(api.address).await.unwrap();
        connection
            .write_all(b"GET /users HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(head.contains("application/json"), "{head}");
        let served: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(served, serde_json::to_value(users(0)).unwrap());
        assert_eq!(served[0]["company"]["catchPhrase"], CATCH_PHRASES[1]);
        assert_eq!(served[0]["address"]["geo"]["lat"], "60.3913");
        assert!(api.url().starts_with("http://127.0.0.1:"));
    }
}
