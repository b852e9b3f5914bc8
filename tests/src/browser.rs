//! A headless Chromium, driven through its own driver by the protocol of WebDriver.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tether_services::folders::RunFolder;
use tether_services::port;
use tether_services::process::{self, Process, Signal};

/// How long the driver and the browser may take to start, and for a command.
const PATIENCE: Duration = Duration::from_secs(60);

/// The key of a reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one window. It ends when this is dropped.
#[derive(Debug)]
pub struct Browser {
    session: String,
    address: String,
    // Before the folder, so that it ends before its files go.
    driver: Process,
    _folder: RunFolder,
}

impl Browser {
    /// Starts the browser, with nothing kept from another run. Its window is 1280 by 800.
    ///
    /// # Errors
    ///
    /// Chromium or its driver is not there (`tests/services/packages.sh`).
    pub fn start() -> Result<Self> {
        let folder = RunFolder::create("browser")?;
        let port = port::free()?;
        let address = format!("127.0.0.1:{port}");
        let mut command = process::command("chromedriver");
        command.arg(format!("--port={port}"));
        let log = folder.path().join("driver.log");
        let mut driver = Process::spawn("chromedriver", command, &log)?;
        driver.wait_ready(PATIENCE, |_| TcpStream::connect(&address).is_ok())?;
        let profile = folder.path().join("profile");
        let options = json!({"args": [
            "--headless=new",
            // Chromium's sandbox does not work for root, as whom tests run in containers.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
            "--window-size=1280,800",
            format!("--user-data-dir={}", profile.display()),
        ]});
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let session = request(&address, "POST", "/session", &wanted)?;
        let session = session["sessionId"].as_str().context("no session")?;
        Ok(Self {
            session: format!("/session/{session}"),
            address,
            driver,
            _folder: folder,
        })
    }

    /// Opens an address, and waits until it is loaded.
    pub fn open(&self, url: &str) -> Result<()> {
        self.post("/url", &json!({"url": url})).map(drop)
    }

    /// Loads the page again.
    pub fn reload(&self) -> Result<()> {
        self.post("/refresh", &json!({})).map(drop)
    }

    /// Runs a function body in the page, with `arguments`; what it returns.
    pub fn script(&self, body: &str, arguments: &[Value]) -> Result<Value> {
        self.post("/execute/sync", &json!({"script": body, "args": arguments}))
    }

    /// Scrolls to the first element that fits, and clicks it as a mouse does: what is
    /// hidden or covered cannot be clicked.
    pub fn click(&self, selector: &str) -> Result<()> {
        let element = self.element(selector)?;
        let scroll = "arguments[0].scrollIntoView({block: 'center'})";
        self.script(scroll, &[json!({ELEMENT: element})])?;
        self.post(&format!("/element/{element}/click"), &json!({}))
            .map(drop)
    }

    /// Puts a text in place of what a field has, as if it were typed.
    pub fn fill(&self, selector: &str, text: &str) -> Result<()> {
        let element = self.element(selector)?;
        self.post(&format!("/element/{element}/clear"), &json!({}))?;
        self.post(&format!("/element/{element}/value"), &json!({"text": text}))
            .map(drop)
    }

    /// Presses and releases keys, one after the other, whatever has the focus.
    pub fn press(&self, keys: &[&str]) -> Result<()> {
        let events: Vec<Value> = keys
            .iter()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key})))
            .collect();
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": events});
        self.post("/actions", &json!({"actions": [keyboard]}))
            .map(drop)
    }

    /// Makes the window one of a phone, this wide.
    pub fn be_phone(&self, width: u32) -> Result<()> {
        let screen = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": true});
        self.devtools("Emulation.setDeviceMetricsOverride", &screen)
    }

    /// Lets the system prefer `light` or `dark`.
    pub fn prefer(&self, scheme: &str) -> Result<()> {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.devtools(
            "Emulation.setEmulatedMedia",
            &json!({"features": [feature]}),
        )
    }

    /// What the browser has complained about since this was asked last.
    pub fn complaints(&self) -> Result<Vec<String>> {
        let entries = self.post("/se/log", &json!({"type": "browser"}))?;
        let messages = entries.as_array().into_iter().flatten();
        Ok(messages
            .filter_map(|entry| entry["message"].as_str().map(str::to_owned))
            .collect())
    }

    fn devtools(&self, command: &str, parameters: &Value) -> Result<()> {
        let body = json!({"cmd": command, "params": parameters});
        self.post("/goog/cdp/execute", &body).map(drop)
    }

    fn element(&self, selector: &str) -> Result<String> {
        let wanted = json!({"using": "css selector", "value": selector});
        let found = self.post("/element", &wanted)?;
        let id = found[ELEMENT].as_str().context("no element")?;
        Ok(id.to_owned())
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        request(
            &self.address,
            "POST",
            &format!("{}{path}", self.session),
            body,
        )
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver takes the browser along; one that does not is killed with this process.
        let _ = request(&self.address, "DELETE", &self.session, &Value::Null);
        let _ = self.driver.stop(Signal::TERM, PATIENCE);
    }
}

/// Sends a command to the driver. It takes HTTP/1.1 only, and leaves connections open.
fn request(address: &str, method: &str, path: &str, body: &Value) -> Result<Value> {
    let stream = TcpStream::connect(address).context("the driver of the browser is gone")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let length = body.len();
    write!(
        &stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        answer.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    answer.read_exact(&mut body)?;
    let mut body: Value = serde_json::from_slice(&body)?;
    let value = body["value"].take();
    ensure!(
        value.get("error").is_none(),
        "{path}: {}",
        value["message"].as_str().unwrap_or_default()
    );
    Ok(value)
}
